//! A word that states something: a role, a status. The word says it; the colour only helps.

use leptos::prelude::*;

/// How a badge is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Just a fact.
    Neutral,
    /// As it should be.
    Good,
    /// Needs a look.
    Warn,
    /// Off, refused or gone.
    Bad,
    /// Stands out: this browser, an admin.
    Accent,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Neutral => "badge",
            Self::Good => "badge badge-good",
            Self::Warn => "badge badge-warn",
            Self::Bad => "badge badge-bad",
            Self::Accent => "badge badge-accent",
        }
    }
}

/// A short statement in a pill.
#[component]
pub fn Badge(
    /// How it is meant.
    tone: Tone,
    /// The statement, one or two words.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! { <span class=tone.class()>{text}</span> }
}
