//! A letter as plain text: short paragraphs, and each address on a line of its own, where every mail program finds it.

use super::{
    House,
    words::{Words, code_end, code_lead},
};

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
        let has_link = words.action.is_some();
        parts.push(format!("{} {code}", code_lead(has_link)));
        parts.push(format!("{}, until {ends}.", code_end(has_link)));
    }
    parts.push(words.asked.clone());
    parts.push(words.not_you.to_owned());
    parts.push(format!("{}\n{}", house.product, house.public_url));
    let mut text = parts.join("\n\n");
    text.push('\n');
    text
}
