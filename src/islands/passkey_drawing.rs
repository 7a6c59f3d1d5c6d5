//! The mark of passkeys, somebody and a key, as a drawing in an icon.

use leptos::prelude::*;

/// Somebody and a key.
#[component]
pub fn PasskeyDrawing() -> impl IntoView {
    view! {
        <svg viewBox="0 0 20 20" width="20" height="20">
            <circle cx="8" cy="6" r="3" />
            <path d="M2.5 16.5v-1a4.5 4.5 0 0 1 6.5-4" />
            <circle cx="14.25" cy="10.25" r="2.5" />
            <path d="M14.25 12.75v4.5m0-1.75h1.75" />
        </svg>
    }
}
