//! Ways to the neighbouring pages of a list; a list's state is its address, so both are plain links.

use leptos::prelude::*;

/// How many there are, and links to the pages before and after.
#[component]
pub fn Pager(
    /// Where the page before is; `None` on the first.
    previous: Option<String>,
    /// Where the page after is; `None` on the last.
    next: Option<String>,
    /// How many there are, in words: "about 12 400 users".
    #[prop(into)]
    count: String,
) -> impl IntoView {
    view! {
        <nav class="pager" aria-label="Pages">
            <p class="pager-count">{count}</p>
            {step(previous, "Previous", "prev")}
            {step(next, "Next", "next")}
        </nav>
    }
}

fn step(href: Option<String>, text: &'static str, rel: &'static str) -> AnyView {
    match href {
        Some(href) => view! { <a class="button button-quiet" href=href rel=rel>{text}</a> }.into_any(),
        None => {
            view! { <a class="button button-quiet button-off" role="link" aria-disabled="true">{text}</a> }.into_any()
        }
    }
}
