//! Pages for reading: a long text in parts, with a table of contents beside it, and pieces of code. On a phone the table
//! names the parts alone.

use leptos::prelude::*;

use super::{document::Document, icon::Mark, page::Link};

/// A part of the text, in the table of contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    /// Where it is on the page.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What is in it.
    pub links: Vec<Link>,
}

impl Chapter {
    /// Names a part and what is in it.
    pub fn new(id: impl Into<String>, title: impl Into<String>, links: Vec<Link>) -> Self {
        Self { id: id.into(), title: title.into(), links }
    }
}

/// A document with a top bar, a table of contents and the text.
#[component]
pub fn GuidePage(
    /// The heading, and the title of the tab.
    #[prop(into)]
    title: String,
    /// The product's name.
    #[prop(into)]
    product: String,
    /// The table of contents.
    chapters: Vec<Chapter>,
    /// The text.
    children: Children,
) -> impl IntoView {
    view! {
        <Document title=title.clone() product=product.clone()>
            <a class="skip" href="#content">"Skip to content"</a>
            <header class="bar">
                <a class="brand" href="/">
                    <Mark />
                    <span class="brand-name">{product}</span>
                </a>
            </header>
            <div class="frame frame-guide">
                <nav class="side contents" aria-label="Contents">
                    <ul>{chapters.into_iter().map(chapter).collect_view()}</ul>
                </nav>
                <main class="content guide" id="content">
                    <h1>{title}</h1>
                    {children()}
                </main>
            </div>
        </Document>
    }
}

fn chapter(chapter: Chapter) -> impl IntoView {
    let links = chapter.links.into_iter().map(|link| view! { <li><a href=link.href>{link.text}</a></li> });
    view! {
        <li>
            <a class="side-link" href=format!("#{}", chapter.id)>{chapter.title}</a>
            <ul class="contents-links">{links.collect_view()}</ul>
        </li>
    }
}

/// Paragraphs, in which what stands in back quotes is code.
#[component]
pub fn Prose(
    /// The text; an empty line ends a paragraph.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    let paragraphs: Vec<_> = paragraphs.map(|paragraph| view! { <p>{words(paragraph)}</p> }).collect();
    view! { <div class="prose">{paragraphs}</div> }
}

fn words(paragraph: &str) -> Vec<AnyView> {
    let piece = |(place, piece): (usize, &str)| {
        let piece = piece.to_owned();
        if place % 2 == 0 { view! { {piece} }.into_any() } else { view! { <code>{piece}</code> }.into_any() }
    };
    paragraph.split('`').enumerate().map(piece).collect()
}

/// Lines of code, which scroll where they are too long.
#[component]
pub fn CodeBlock(
    /// What it is.
    #[prop(into)]
    label: String,
    /// The lines.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! {
        <figure class="code">
            <figcaption>{label.clone()}</figcaption>
            <pre tabindex="0" role="group" aria-label=label><code>{text}</code></pre>
        </figure>
    }
}
