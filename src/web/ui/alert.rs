//! Messages about the page as a whole; what is wrong with one field stands at that field.

use leptos::prelude::*;

use super::icon::{Tick, Warning};

/// Something went wrong or was refused (`role=alert`: read out at once).
#[component]
pub fn Alert(
    /// What happened and what to do next.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="alert alert-error" role="alert">
            <Warning />
            <div>{children()}</div>
        </div>
    }
}

/// Something was done or is worth knowing (`role=status`: read out when the reader pauses).
#[component]
pub fn Notice(
    /// What happened.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="alert alert-notice" role="status">
            <Tick />
            <div>{children()}</div>
        </div>
    }
}
