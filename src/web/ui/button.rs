//! Buttons: what acts is a `<button>` in a form, what leads somewhere is a link that looks like one.

use leptos::prelude::*;

/// How much a button asks for attention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ButtonKind {
    /// The one thing to do here.
    #[default]
    Primary,
    /// One of several things, or a way back.
    Quiet,
    /// Takes something away.
    Danger,
}

impl ButtonKind {
    fn class(self, full: bool) -> &'static str {
        match (self, full) {
            (Self::Primary, false) => "button button-primary",
            (Self::Primary, true) => "button button-primary button-full",
            (Self::Quiet, false) => "button button-quiet",
            (Self::Quiet, true) => "button button-quiet button-full",
            (Self::Danger, false) => "button button-danger",
            (Self::Danger, true) => "button button-danger button-full",
        }
    }
}

/// Submits the form that it stands in.
#[component]
pub fn Button(
    /// How much it asks for attention.
    #[prop(optional)]
    kind: ButtonKind,
    /// Whether it is as wide as what it stands in, as the one button of a form.
    #[prop(optional)]
    full: bool,
    /// Sent with the form together with `value`, where a form has several buttons.
    #[prop(optional, into)]
    name: Option<String>,
    /// See `name`.
    #[prop(optional, into)]
    value: Option<String>,
    /// Sends the form to another address than its own.
    #[prop(optional, into)]
    formaction: Option<String>,
    /// Says what it does to whom, where the text alone is not enough: "Log out Firefox on Linux".
    #[prop(optional, into)]
    label: Option<String>,
    /// The text, a verb first.
    children: Children,
) -> impl IntoView {
    view! {
        <button type="submit" class=kind.class(full) name=name value=value formaction=formaction aria-label=label>
            {children()}
        </button>
    }
}

/// Leads to another page and looks like a button.
#[component]
pub fn ButtonLink(
    /// Where it leads.
    #[prop(into)]
    href: String,
    /// How much it asks for attention.
    #[prop(optional)]
    kind: ButtonKind,
    /// Whether it is as wide as what it stands in, as the one button of a form.
    #[prop(optional)]
    full: bool,
    /// The text.
    children: Children,
) -> impl IntoView {
    view! { <a class=kind.class(full) href=href>{children()}</a> }
}
