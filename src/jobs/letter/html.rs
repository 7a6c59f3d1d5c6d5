//! A letter as HTML: the same words, with a button. Nothing is loaded from anywhere. The colours are those of the mail
//! program, light or dark; the few of our own can be read on both (4.5:1, WCAG 2.2 §1.4.3).

use leptos::prelude::*;

use super::{
    House,
    words::{Action, Words, code_end, code_lead},
};

const DOCTYPE: &str = "<!doctype html>";
/// Marks where a dynamic part begins, for hydration. No text of a person can hold it, since text is escaped.
const MARKER: &str = "<!>";
/// Phones make links of what looks like a date, an address or a number; the one link is ours.
const NO_DETECTION: &str = "telephone=no, date=no, address=no, email=no, url=no";

const BODY: &str = "margin:0;padding:24px 16px;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif";
const SHEET: &str = "max-width:520px;margin:0 auto";
const TITLE: &str = "margin:0 0 16px;font-size:22px;line-height:1.3";
const TEXT: &str = "margin:0 0 16px";
const QUOTE: &str = "margin:0 0 16px;padding:0 0 0 12px;border-left:3px solid #767676";
const BUTTON: &str = "display:inline-block;padding:12px 20px;border-radius:8px;background:#0c6152;color:#ffffff;\
    font-weight:600;text-decoration:none";
const URL: &str = "margin:0 0 16px;font-size:14px;word-break:break-all";
const CODE: &str = "font:600 20px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;letter-spacing:2px";
const QUIET: &str = "margin:0 0 8px;font-size:14px;color:#767676";

/// A letter as an HTML document.
pub(super) fn of(house: &House, words: Words) -> String {
    let (product, public_url) = (house.product, house.public_url.clone());
    let owner = Owner::new_root(None);
    let marked = owner.with(|| document(words, (product, public_url)).into_view().to_html());
    owner.unset_with_forced_cleanup();
    let mut document = String::with_capacity(marked.len() + DOCTYPE.len());
    document.push_str(DOCTYPE);
    document.extend(marked.split(MARKER));
    document
}

fn document(words: Words, (product, public_url): (&'static str, String)) -> impl IntoView {
    let has_link = words.action.is_some();
    view! {
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="format-detection" content=NO_DETECTION />
                <title>{words.title}</title>
            </head>
            <body style=BODY>
                <div style=SHEET>
                    <h1 style=TITLE>{words.title}</h1>
                    <p style=TEXT>{words.says}</p>
                    {words.quote.map(|quote| view! { <blockquote style=QUOTE>{quote}</blockquote> })}
                    {words.action.map(action)}
                    {words.code.map(|shown| code(shown, has_link))}
                    <p style=QUIET>{words.asked}</p>
                    <p style=QUIET>{words.not_you}</p>
                    <p style=QUIET>{product}" · "{public_url}</p>
                </div>
            </body>
        </html>
    }
}

fn action(action: Action) -> impl IntoView {
    let url = action.url.clone();
    view! {
        <p style=TEXT><a href=action.url style=BUTTON>{action.label}</a></p>
        <p style=URL>{url}</p>
    }
}

fn code((code, ends): (String, String), has_link: bool) -> impl IntoView {
    view! {
        <p style=TEXT>{code_lead(has_link)}" "<br /><span style=CODE>{code}</span></p>
        <p style=TEXT>{code_end(has_link)}", until "{ends}"."</p>
    }
}
