//! The few drawings of the interface, as inline SVG in the colour of the text around them. All are decoration: each
//! stands beside words, so screen readers skip them.

use leptos::prelude::*;

/// The product mark: a keyhole in a rounded plate.
#[component]
pub fn Mark() -> impl IntoView {
    view! {
        <span class="mark" aria-hidden="true">
            <svg viewBox="0 0 32 32" width="32" height="32">
                <rect class="mark-plate" width="32" height="32" rx="9" />
                <path class="mark-hole" d="M16 7.5a5 5 0 0 0-2.6 9.27L12.1 24h7.8l-1.3-7.23A5 5 0 0 0 16 7.5Z" />
            </svg>
        </span>
    }
}

/// An arrow that points down; it marks what opens.
#[component]
pub fn ChevronDown() -> impl IntoView {
    view! {
        <span class="icon" aria-hidden="true">
            <svg viewBox="0 0 16 16" width="16" height="16">
                <path d="m4.5 6.5 3.5 3.5 3.5-3.5" />
            </svg>
        </span>
    }
}

/// An arrow that points back.
#[component]
pub fn ArrowLeft() -> impl IntoView {
    view! {
        <span class="icon" aria-hidden="true">
            <svg viewBox="0 0 16 16" width="16" height="16">
                <path d="M9.5 4 5.5 8l4 4" />
            </svg>
        </span>
    }
}

/// A circle with a mark in it, for something that went wrong.
#[component]
pub fn Warning() -> impl IntoView {
    view! {
        <span class="icon" aria-hidden="true">
            <svg viewBox="0 0 16 16" width="16" height="16">
                <circle cx="8" cy="8" r="6.25" />
                <path d="M8 4.75v3.75M8 11v.25" />
            </svg>
        </span>
    }
}

/// A circle with a tick in it, for something that is done.
#[component]
pub fn Tick() -> impl IntoView {
    view! {
        <span class="icon" aria-hidden="true">
            <svg viewBox="0 0 16 16" width="16" height="16">
                <circle cx="8" cy="8" r="6.25" />
                <path d="m5.25 8.25 2 2 3.5-4.25" />
            </svg>
        </span>
    }
}
