//! What a page is divided into: sections, facts, questions before grave acts, and "nothing here".

use leptos::prelude::*;

use super::{
    button::{Button, ButtonKind, ButtonLink},
    form::{Actions, PostForm},
};

/// A part of a page under a heading of its own.
#[component]
pub fn Section(
    /// The heading.
    #[prop(into)]
    title: String,
    /// A sentence under the heading.
    #[prop(optional, into)]
    lead: Option<String>,
    /// Whether what stands here takes something away for good.
    #[prop(optional)]
    danger: bool,
    /// What it holds.
    children: Children,
) -> impl IntoView {
    view! {
        <section class=if danger { "section section-danger" } else { "section" }>
            <header class="section-head">
                <h2>{title}</h2>
                {lead.map(|lead| view! { <p class="section-lead">{lead}</p> })}
            </header>
            <div class="section-body">{children()}</div>
        </section>
    }
}

/// Facts as pairs of a term and what is so.
#[component]
pub fn DefinitionList(
    /// [`Definition`]s.
    children: Children,
) -> impl IntoView {
    view! { <dl class="facts">{children()}</dl> }
}

/// A pair of a [`DefinitionList`].
#[component]
pub fn Definition(
    /// What it is about.
    #[prop(into)]
    term: String,
    /// What is so.
    children: Children,
) -> impl IntoView {
    view! { <div class="fact"><dt>{term}</dt><dd>{children()}</dd></div> }
}

/// A question before a grave act, with a way back.
#[component]
pub fn ConfirmPanel(
    /// The question: "Delete Ada Lovelace?"
    #[prop(into)]
    title: String,
    /// Where the answer is posted to.
    #[prop(into)]
    action: String,
    /// The button that does it; says what it does, not "OK".
    #[prop(into)]
    confirm: String,
    /// Where "Cancel" leads.
    #[prop(into)]
    cancel: String,
    /// Whether it takes something away.
    #[prop(optional)]
    danger: bool,
    /// What it means, and fields that go with it.
    children: Children,
) -> impl IntoView {
    let kind = if danger { ButtonKind::Danger } else { ButtonKind::Primary };
    view! {
        <section class="confirm">
            <h2><bdi>{title}</bdi></h2>
            <PostForm action=action>
                {children()}
                <Actions>
                    <Button kind=kind>{confirm}</Button>
                    <ButtonLink kind=ButtonKind::Quiet href=cancel>"Cancel"</ButtonLink>
                </Actions>
            </PostForm>
        </section>
    }
}

/// Says that a list is empty, why, and what to do.
#[component]
pub fn EmptyState(
    /// What is the case: "No users yet", "Nothing matches".
    #[prop(into)]
    title: String,
    /// Why, or what to try.
    #[prop(into)]
    text: String,
    /// The way on, as a `ButtonLink`.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <p class="empty-title">{title}</p>
            <p class="empty-text">{text}</p>
            {children.map(|children| view! { <div class="empty-actions">{children()}</div> })}
        </div>
    }
}
