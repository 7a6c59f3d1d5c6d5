//! A moment in words, with the exact time for machines.

use leptos::prelude::*;

/// A `<time>`; hovering shows the exact moment.
#[component]
pub fn When(
    /// The moment in RFC 3339.
    #[prop(into)]
    iso: String,
    /// The moment in words.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let exact = iso.clone();
    view! { <time datetime=iso title=exact>{text}</time> }
}
