//! Turns a view into an HTML document, at once and as a whole: a page has loaded what it shows before it is rendered,
//! so nothing is streamed or suspended, and nothing is hydrated but the islands. A document with an island gets the
//! loader script with the request's nonce; any other document has no script at all. Every page ends here.

use std::fmt;

use axum::response::Html;
use leptos::prelude::*;

use super::assets;

const DOCTYPE: &str = "<!doctype html>";
const BODY_END: &str = "</body>";
/// Marks where a dynamic part begins, for hydration. It is only of use in islands, and in a `<title>` it would show.
const MARKER: &str = "<!>";
/// How every island begins and ends. Like the marker, no text of a person can hold it, since text is escaped.
const ISLAND_START: &str = "<leptos-island ";
const ISLAND_END: &str = "</leptos-island>";

/// The word that marks the scripts of one answer as ours (CSP level 3 §2.3.1); 128 random bits, new for each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    /// Takes the text of a nonce: the base64url of 128 random bits.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, as it stands in the header and in the script tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Renders the view of a whole document.
///
/// The view is made and rendered inside a reactive owner of its own, which is gone afterwards with all that it held.
pub fn render<V: IntoView + 'static>(nonce: &Nonce, view: impl FnOnce() -> V) -> Html<String> {
    let owner = Owner::new_root(None);
    let marked = owner.with(|| view().into_view().to_html());
    owner.unset_with_forced_cleanup();
    let mut document = String::with_capacity(marked.len() + DOCTYPE.len());
    document.push_str(DOCTYPE);
    let has_islands = push_without_markers(&mut document, &marked);
    if let Some(url) = assets::islands_url().filter(|_| has_islands) {
        let end = document.rfind(BODY_END).unwrap_or(document.len());
        document.insert_str(end, &script_tag(nonce, url));
    }
    Html(document)
}

/// Copies a document without the markers, those inside islands excepted; says whether there was an island.
fn push_without_markers(document: &mut String, marked: &str) -> bool {
    let mut has_islands = false;
    let mut rest = marked;
    while let Some((still, after)) = rest.split_once(ISLAND_START) {
        has_islands = true;
        let (island, next) = after.split_once(ISLAND_END).unwrap_or((after, ""));
        document.extend(still.split(MARKER));
        document.extend([ISLAND_START, island, ISLAND_END]);
        rest = next;
    }
    document.extend(rest.split(MARKER));
    has_islands
}

/// As a module it runs after parsing.
fn script_tag(nonce: &Nonce, url: &str) -> String {
    format!(r#"<script type="module" nonce="{nonce}" src="{url}"></script>"#)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        islands::PasswordField,
        web::ui::{Document, EntryPage, TextField},
    };

    const HOSTILE: &str = r#"</title><script>alert(1)</script><leptos-island data-x="'><!>&"#;

    fn nonce() -> Nonce {
        Nonce::new("c29tZS1ub25jZS1oZXJlIQ")
    }

    #[test]
    fn what_a_person_typed_is_shown_as_text_wherever_it_stands() {
        let Html(page) = render(&nonce(), || {
            view! {
                <EntryPage title=HOSTILE product=HOSTILE lead=HOSTILE>
                    <TextField name="x" label=HOSTILE value=HOSTILE hint=HOSTILE error=Some(HOSTILE.to_owned()) />
                    <a href=HOSTILE>{HOSTILE}</a>
                </EntryPage>
            }
        });
        assert!(!page.contains("<script"), "{page}");
        assert!(!page.contains("<leptos-island"), "{page}");
        assert_eq!(page.matches("</title>").count(), 1, "{page}");
        assert_eq!(page.matches("<a href=").count(), 1, "{page}");
        assert_eq!(page.matches("&lt;script&gt;alert(1)").count(), 10, "{page}");
    }

    #[test]
    fn a_page_without_an_island_has_no_script_and_no_marker() {
        let Html(page) = render(&nonce(), || {
            view! {
                <Document title="Quiet" product="Harbour">
                    {Some("text")}
                </Document>
            }
        });
        assert!(page.starts_with("<!doctype html><html lang=\"en\">"), "{page}");
        assert!(page.contains("<title>Quiet · Harbour</title>"), "{page}");
        assert!(!page.contains("<script") && !page.contains("<!>"), "{page}");
    }

    #[test]
    fn a_page_with_an_island_has_one_script_with_the_nonce() {
        let Html(page) = render(&nonce(), || {
            view! {
                <Document title="Log in" product="Harbour">
                    <PasswordField name="a" label="A" autocomplete="current-password" rules=false error=None />
                    <PasswordField name="b" label="B" autocomplete="new-password" rules=true error=Some("No.".to_owned()) />
                </Document>
            }
        });
        let scripts = usize::from(assets::islands_url().is_some());
        assert_eq!(page.matches("<script type=\"module\" nonce=\"c29tZS1ub25jZS1oZXJlIQ\"").count(), scripts, "{page}");
        assert_eq!(page.matches("<script").count(), scripts);
        assert_eq!(page.matches("<leptos-island ").count(), 2);
        assert!(page.contains("aria-describedby=\"b-error b-rules\""), "{page}");
    }

    #[test]
    fn rendering_leaves_nothing_behind() {
        let held = Arc::new("held by a signal, an effect and a context");
        let given = Arc::clone(&held);
        let Html(page) = render(&nonce(), move || {
            provide_context(Arc::clone(&given));
            let (text, _) = signal(Arc::clone(&given));
            Effect::new(move || drop(Arc::clone(&given)));
            view! {
                <Document title="Leak" product="Harbour">
                    {move || text.get().to_string()}
                </Document>
            }
        });
        assert!(page.contains("held by a signal"));
        assert_eq!(Arc::strong_count(&held), 1);
        assert!(Owner::current().is_none());
    }
}
