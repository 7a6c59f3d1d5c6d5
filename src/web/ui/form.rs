//! Forms that change something, and how their parts stand beside each other.

use leptos::prelude::*;

/// A form that changes something: it posts, to an address of this server.
#[component]
pub fn PostForm(
    /// Where it is posted to.
    #[prop(into)]
    action: String,
    /// Whether its parts stand in one line: a single button, say.
    #[prop(optional)]
    inline: bool,
    /// Its fields and buttons.
    children: Children,
) -> impl IntoView {
    view! { <form class=if inline { "form-inline" } else { "form" } method="post" action=action>{children()}</form> }
}

/// Two fields side by side where there is room: first and last name.
#[component]
pub fn FieldPair(
    /// The fields.
    children: Children,
) -> impl IntoView {
    view! { <div class="form-pair">{children()}</div> }
}

/// One thing at the start of the line and one at its end: a box to tick and a link.
#[component]
pub fn Split(
    /// The two.
    children: Children,
) -> impl IntoView {
    view! { <div class="form-split">{children()}</div> }
}

/// A line of buttons, the one that is meant first.
#[component]
pub fn Actions(
    /// Buttons, links that look like buttons, and forms of a single button.
    children: Children,
) -> impl IntoView {
    view! { <div class="form-actions">{children()}</div> }
}
