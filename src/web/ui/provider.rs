//! Ways in by other providers: a button with the provider's mark, and a badge on the one that was used last.

use leptos::prelude::*;

use super::badge::{Badge, Tone};
use crate::islands::PasskeyDrawing;

/// Whose mark a button carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderMark {
    /// Google's.
    Google,
    /// GitHub's.
    GitHub,
    /// An envelope, for e-mail and password.
    Mail,
    /// A person and a key, for passkeys.
    Passkey,
    /// Digits in a box, for a code that is typed.
    Code,
    /// A key, for all others.
    Key,
}

/// Leads to a way in.
#[component]
pub fn ProviderLink(
    /// Where it leads.
    #[prop(into)]
    href: String,
    /// The mark.
    mark: ProviderMark,
    /// The text: "Log in with Google".
    #[prop(into)]
    text: String,
    /// Whether it was used last in this browser.
    #[prop(optional)]
    is_last_used: bool,
) -> impl IntoView {
    view! {
        <a class="button button-quiet button-full button-provider" href=href rel="nofollow">
            <ProviderIcon mark=mark />
            <span>{text}</span>
            {is_last_used.then(|| view! { <Badge tone=Tone::Neutral text="Last used" /> })}
        </a>
    }
}

/// Sends the form that it stands in, to a way in.
#[component]
pub fn ProviderButton(
    /// The mark.
    mark: ProviderMark,
    /// The text: "Accept with Google".
    #[prop(into)]
    text: String,
    /// Whether it is as wide as what it stands in.
    #[prop(optional)]
    full: bool,
) -> impl IntoView {
    let class =
        if full { "button button-quiet button-full button-provider" } else { "button button-quiet button-provider" };
    view! {
        <button class=class type="submit">
            <ProviderIcon mark=mark />
            <span>{text}</span>
        </button>
    }
}

/// The mark alone; it stands beside words, so screen readers skip it.
#[component]
pub fn ProviderIcon(
    /// The mark.
    mark: ProviderMark,
) -> impl IntoView {
    let drawing = match mark {
        ProviderMark::Google => view! {
            <svg class="provider-google" viewBox="0 0 20 20" width="20" height="20">
                <path class="google-red" d="M4.2 6.2A7 7 0 0 1 15 5.1" />
                <path class="google-yellow" d="M4.2 13.8a7 7 0 0 1 0-7.6" />
                <path class="google-green" d="M15 14.9a7 7 0 0 1-10.8-1.1" />
                <path class="google-blue" d="M10.5 10H17a7 7 0 0 1-2 4.9" />
            </svg>
        }
        .into_any(),
        ProviderMark::GitHub => view! {
            <svg class="provider-solid" viewBox="0 0 20 20" width="20" height="20">
                <path d="M4.6 3.2c1 .1 2 .6 2.9 1.3a9.6 9.6 0 0 1 5 0c.9-.7 1.9-1.2 2.9-1.3.4 1 .4 2 .1 2.8.8 1 1.2 2.1 1.2 3.4 \
                         0 3.5-2.2 4.6-4.4 4.9.4.5.6 1.1.6 1.9v2.3c-1.9.6-3.9.6-5.8 0v-1.2c-2.2.4-2.7-.8-3.3-1.8-.3-.4-.6-.7-1-.9 \
                         .8-.4 1.7 0 2.3 1 .5.7 1 .9 2 .6.1-.7.3-1.4.7-1.9-2.3-.3-4.5-1.4-4.5-4.9 0-1.3.4-2.4 1.2-3.4-.3-.8-.3-1.8.1-2.8Z" />
            </svg>
        }
        .into_any(),
        ProviderMark::Mail => view! {
            <svg viewBox="0 0 20 20" width="20" height="20">
                <rect x="2.75" y="4.75" width="14.5" height="10.5" rx="2" />
                <path d="m3.5 6 6.5 5 6.5-5" />
            </svg>
        }
        .into_any(),
        ProviderMark::Passkey => view! { <PasskeyDrawing /> }.into_any(),
        ProviderMark::Code => view! {
            <svg viewBox="0 0 20 20" width="20" height="20">
                <rect x="2.75" y="5.75" width="14.5" height="8.5" rx="2" />
                <path d="M6.25 10h.01M10 10h.01M13.75 10h.01" />
            </svg>
        }
        .into_any(),
        ProviderMark::Key => view! {
            <svg viewBox="0 0 20 20" width="20" height="20">
                <circle cx="7" cy="13" r="3.25" />
                <path d="m9.5 10.5 6.75-6.75M13 7l2.25 2.25" />
            </svg>
        }
        .into_any(),
    };
    view! { <span class="icon provider-mark" aria-hidden="true">{drawing}</span> }
}
