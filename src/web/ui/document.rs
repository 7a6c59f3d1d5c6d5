//! The HTML document around every page: language, title, stylesheet, favicon.
//! It loads no script; `http::render` adds the loader to documents that hold an island.

use leptos::prelude::*;

use crate::web::http::assets;

/// A whole HTML document, `<!doctype>` excepted.
#[component]
pub fn Document(
    /// Names the page and its state, as in "Log in"; the tab shows it before the product's name.
    #[prop(into)]
    title: String,
    /// The product's name.
    #[prop(into)]
    product: String,
    /// What stands in `<body>`.
    children: Children,
) -> impl IntoView {
    let title = if title == product { title } else { format!("{title} · {product}") };
    view! {
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <title>{title}</title>
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="referrer" content="same-origin" />
                <link rel="stylesheet" href=assets::stylesheet_url() />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
            </head>
            <body>{children()}</body>
        </html>
    }
}
