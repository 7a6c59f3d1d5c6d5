//! A letter as plain text: short paragraphs, and each address on a line of its own, where every mail program finds it.

use super::{House, words::Words};

/// A letter as plain text.
pub(super) fn of(house: &House, words: &Words) -> String {
    let mut parts = vec![words.title.to_owned(), words.says.clone()];
    if let Some(quote) = &words.quote {
        parts.push(format!("They write: “{quote}”"));
    }
    if let Some(action) = &words.action {
        parts.push(format!("{}:\n{}", action.label, action.url));
    }
    if let Some((code, ends)) = &words.code {
        parts.push(format!("On another device, type this code instead: {code}"));
        parts.push(format!("Link and code work once, until {ends}."));
    }
    parts.push(words.asked.clone());
    parts.push(words.not_you.to_owned());
    parts.push(format!("{}\n{}", house.product, house.public_url));
    let mut text = parts.join("\n\n");
    text.push('\n');
    text
}
