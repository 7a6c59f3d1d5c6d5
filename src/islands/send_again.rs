//! Ask for a mail once more: says how long one has to wait, and has the button when that is over. Without JavaScript the words
//! are those of when the page was made, and the page of later has the button.

use std::time::Duration;

use leptos::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

/// The button of a form that asks for a mail once more.
#[island]
pub fn SendAgain(
    /// How long one has to wait, in seconds.
    left: u64,
) -> impl IntoView {
    let (left, set_left) = signal(left);
    // Runs in the browser alone.
    Effect::new(move |_| {
        if left.get() > 0 {
            set_timeout(move || set_left.update(|left| *left = left.saturating_sub(1)), SECOND);
        }
    });
    view! {
        <p class="hint" hidden=move || left.get() == 0>
            {move || format!("You can ask for another mail in {} seconds.", left.get())}
        </p>
        <button class="button button-quiet button-full" type="submit" hidden=move || { left.get() > 0 }>
            "Send again"
        </button>
    }
}
