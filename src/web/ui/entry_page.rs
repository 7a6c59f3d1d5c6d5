//! Pages for people who are not in yet: log in, register, first start, and messages that stand alone.
//! One column, one card, nothing to navigate.

use leptos::prelude::*;

use super::{document::Document, form::Actions, icon::Mark};

/// A document with one centred card under the product's mark.
#[component]
pub fn EntryPage(
    /// The heading of the card, and the title of the tab unless `tab` says more.
    #[prop(into)]
    title: String,
    /// The product's name.
    #[prop(into)]
    product: String,
    /// The title of the tab where it names the state too: "Log in: that didn't match".
    #[prop(optional, into)]
    tab: Option<String>,
    /// A sentence under the heading.
    #[prop(optional, into)]
    lead: Option<String>,
    /// Stands under the card: other ways to go on.
    #[prop(optional, into)]
    foot: Option<ViewFnOnce>,
    /// What the card holds.
    children: Children,
) -> impl IntoView {
    let tab = tab.unwrap_or_else(|| title.clone());
    view! {
        <Document title=tab product=product.clone()>
            <div class="entry">
                <header class="entry-brand">
                    <Mark />
                    <span class="entry-product">{product}</span>
                </header>
                <main class="entry-card">
                    <h1>{title}</h1>
                    {lead.map(|lead| view! { <p class="lead">{lead}</p> })}
                    {children()}
                </main>
                {foot.map(|foot| view! { <footer class="entry-foot">{foot.run()}</footer> })}
            </div>
        </Document>
    }
}

/// A page that only says something: refused, not found, done. Its children are the ways on, as `ButtonLink`s.
#[component]
pub fn MessagePage(
    /// What is the case.
    #[prop(into)]
    title: String,
    /// The product's name.
    #[prop(into)]
    product: String,
    /// What it means and what to do.
    #[prop(into)]
    text: String,
    /// What to tell those who look after the server: the id of the request in the log.
    #[prop(default = None)]
    reference: Option<String>,
    /// The ways on.
    children: Children,
) -> impl IntoView {
    view! {
        <EntryPage title=title product=product lead=text>
            <Actions>{children()}</Actions>
            {reference.map(|id| view! { <p class="reference">"Reference: " <code>{id}</code></p> })}
        </EntryPage>
    }
}

/// A line with "or" between two ways of doing the same.
#[component]
pub fn OrDivider() -> impl IntoView {
    view! { <div class="or"><span class="or-word">"or"</span></div> }
}
