//! `/docs/api`: the description of the API as a page, from the same document as programs fetch at `/openapi.json`. It is
//! the same for everybody as long as the process lives, so it is rendered once.

mod document;
mod operation;
mod schema;

use axum::{
    body::Bytes,
    extract::State,
    response::{Html, IntoResponse, Response},
};
use http::{HeaderValue, header};
use leptos::prelude::*;

use crate::web::{
    http::{
        error::PageError,
        page::content_security_policy,
        render::{Nonce, render},
    },
    state::{PRODUCT, WebState},
    ui::{Chapter, GuidePage, Link, Prose},
};
use document::{Document, Operation, Tag};
use operation::{OperationView, Refusals};
use schema::SchemaView;

/// `GET /docs/api`.
///
/// # Errors
/// [`PageError::Internal`] if the description can't be read, which would be ours.
pub async fn show(State(state): State<WebState>) -> Result<Response, PageError> {
    let description = &state.description;
    let html = if let Some(html) = description.page.get() {
        html.clone()
    } else {
        let document: Document = serde_json::from_slice(&description.json).map_err(|error| {
            tracing::error!(%error, "the description of the API can't be read");
            PageError::Internal
        })?;
        // Several may come first at once; they render the same.
        let rendered = Bytes::from(render_page(document, state.site.public_url.clone()));
        description.page.get_or_init(|| rendered).clone()
    };
    let mut response = Html(html).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, content_security_policy(None));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

fn render_page(document: Document, site: String) -> String {
    // No island stands on this page, so the nonce marks nothing.
    let Html(html) = render(&Nonce::new(""), move || view! { <ApiPage document=document site=site /> });
    html
}

#[component]
fn ApiPage(document: Document, site: String) -> impl IntoView {
    let Document { info, tags, paths, components } = document;
    let operations: Vec<Operation> = paths.into_operations();
    let of = |tag: &Tag| operations.iter().filter(|operation| operation.is_of(&tag.name)).cloned().collect::<Vec<_>>();
    let parts: Vec<(Tag, Vec<Operation>)> = tags.into_iter().map(|tag| (tag.clone(), of(&tag))).collect();
    let mut chapters = vec![Chapter::new("basics", "Basics", Vec::new())];
    chapters.extend(parts.iter().map(|(tag, operations)| {
        let links = operations.iter().map(|it| Link::new(format!("#{}", it.id()), it.summary.clone())).collect();
        Chapter::new(tag.id(), tag.name.clone(), links)
    }));
    chapters.push(Chapter::new("types", "Types", Vec::new()));
    let lead = format!("Version {}, as OpenAPI 3.1 at ", info.version);
    let types = components.named_types();
    let refusals = components.common_refusals(&operations);
    let of_types = components.clone();
    let parts = parts
        .into_iter()
        .map(|(tag, operations)| {
            let views = operations.into_iter().map(|it| {
                view! { <OperationView operation=it components=components.clone() site=site.clone() /> }
            });
            view! {
                <section class="part" id=tag.id()>
                    <h2>{tag.name.clone()}</h2>
                    <Prose text=tag.description.clone() />
                    {views.collect_view()}
                </section>
            }
        })
        .collect_view();
    let types = types
        .into_iter()
        .map(|(name, schema)| view! { <SchemaView name=name schema=schema components=of_types.clone() /> })
        .collect_view();
    view! {
        <GuidePage title="API" product=PRODUCT chapters=chapters>
            <p class="lead">{lead}<a href="/openapi.json">"/openapi.json"</a></p>
            <section class="part" id="basics">
                <h2>"Basics"</h2>
                <Prose text=info.description />
                <h3 id="refusals">"How one is refused"</h3>
                <Refusals refusals=refusals />
            </section>
            {parts}
            <section class="part" id="types">
                <h2>"Types"</h2>
                {types}
            </section>
        </GuidePage>
    }
}
