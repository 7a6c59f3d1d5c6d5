//! The words of letters, as text and as HTML: what happened, one thing to do, until when, and what to do if it was not
//! oneself. Links lead to the configured public URL alone. What people typed stands in a letter as text that no mail
//! program makes a link of. Called by the job that sends.

mod html;
mod safe;
mod text;
mod words;

use crate::flows::Written;

/// The house that letters come from.
#[derive(Clone, Debug)]
pub(super) struct House {
    /// How it is called.
    pub product: &'static str,
    /// Where people reach it, without a slash at the end.
    pub public_url: String,
}

/// A letter as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Composed {
    pub text: String,
    pub html: String,
}

/// Puts a letter into words.
pub(super) fn compose(house: &House, written: &Written) -> Composed {
    let words = words::of(house, written);
    Composed { text: text::of(house, &words), html: html::of(house, words) }
}

#[cfg(test)]
mod tests;
