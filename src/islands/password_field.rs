//! A password: an ordinary input with a label, and in the browser a button that shows it and, for a new one, a line that
//! says while one types whether it will do. It never keeps a form from being sent; the server decides.

use leptos::{ev, prelude::*, web_sys::HtmlInputElement};

use crate::shared::{EmailAddress, PasswordRule, broken_rule};

/// How a new password stands while it is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Empty,
    Broken(PasswordRule),
    Kept,
}

impl Verdict {
    fn of(password: &str, email: Option<&EmailAddress>) -> Self {
        if password.is_empty() {
            return Self::Empty;
        }
        broken_rule(password, email).map_or(Self::Kept, Self::Broken)
    }

    fn state(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Broken(_) => "broken",
            Self::Kept => "kept",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Empty => "At least 8 characters. Not your e-mail address, not a common password.",
            Self::Broken(PasswordRule::TooShort) => "Not yet: at least 8 characters.",
            Self::Broken(PasswordRule::TooLong) => "Too long: at most 256 characters.",
            Self::Broken(PasswordRule::IsEmail) => "Not your e-mail address, please.",
            Self::Broken(PasswordRule::Common) => "Not one of the most common passwords, please.",
            Self::Broken(PasswordRule::Control) => "There is a character in it that can't be typed again.",
            Self::Kept => "Long enough. What others would guess first is refused.",
        }
    }
}

/// A labelled password input.
#[island]
pub fn PasswordField(
    /// The field's name in the form, and its id.
    #[prop(into)]
    name: String,
    /// What to type.
    #[prop(into)]
    label: String,
    /// `current-password` or `new-password`.
    #[prop(into)]
    autocomplete: String,
    /// Whether it says what a new password must be, and while one types whether it is.
    rules: bool,
    /// What is wrong with it.
    error: Option<String>,
    /// The name of the e-mail field in the same form, for the rule that a password is not the address.
    #[prop(optional)]
    email_field: Option<String>,
    /// Whether typing starts here; an island takes what may be left out as an option alone.
    #[prop(optional)]
    autofocus: Option<bool>,
) -> impl IntoView {
    let (is_shown, set_shown) = signal(false);
    let (verdict, set_verdict) = signal(Verdict::Empty);
    // The button is hidden until there is something behind it.
    let (is_ready, set_ready) = signal(false);
    Effect::new(move || {
        set_ready.set(true);
        // Browsers offer to save what is sent from an input of this type alone.
        window_event_listener(ev::submit, move |_| set_shown.set(false));
    });
    let judge = move |input: HtmlInputElement| {
        let email = email_field.as_deref().and_then(|name| typed_address(&input, name));
        set_verdict.set(Verdict::of(&input.value(), email.as_ref()));
    };
    let described = described_by(&name, rules, error.is_some());
    let rules_id = format!("{name}-rules");
    let error_id = format!("{name}-error");
    let invalid = error.is_some().then_some("true");
    view! {
        <div class="field">
            <label class="label" for=name.clone()>
                {label}
            </label>
            <span class="password">
                <input
                    class="input"
                    id=name.clone()
                    name=name
                    type=move || if is_shown.get() { "text" } else { "password" }
                    autocomplete=autocomplete
                    autocapitalize="none"
                    spellcheck="false"
                    required=true
                    autofocus=autofocus.unwrap_or_default()
                    aria-describedby=described
                    aria-invalid=invalid
                    on:input:target=move |event| judge(event.target())
                />
                <button
                    type="button"
                    class="password-show"
                    hidden=move || !is_ready.get()
                    aria-label="Show password"
                    aria-pressed=move || if is_shown.get() { "true" } else { "false" }
                    // A click leaves the focus, and the caret, where they are.
                    on:mousedown=|event| event.prevent_default()
                    on:click=move |_| set_shown.update(|it| *it = !*it)
                >
                    <EyeIcon />
                </button>
            </span>
            {rules
                .then(|| {
                    view! {
                        <p class="hint" id=rules_id aria-live="polite" data-state=move || verdict.get().state()>
                            {move || verdict.get().text()}
                        </p>
                    }
                })}
            {error.map(|error| view! { <p class="error" id=error_id>{error}</p> })}
        </div>
    }
}

/// An eye, struck through while the password is shown.
#[component]
fn EyeIcon() -> impl IntoView {
    view! {
        <span class="icon" aria-hidden="true">
            <svg viewBox="0 0 20 20" width="20" height="20">
                <path d="M2.5 10s2.7-5 7.5-5 7.5 5 7.5 5-2.7 5-7.5 5-7.5-5-7.5-5Z" />
                <circle cx="10" cy="10" r="2.25" />
                <path class="strike" d="m4 16 12-12" />
            </svg>
        </span>
    }
}

fn described_by(name: &str, has_rules: bool, has_error: bool) -> Option<String> {
    match (has_error, has_rules) {
        (true, true) => Some(format!("{name}-error {name}-rules")),
        (true, false) => Some(format!("{name}-error")),
        (false, true) => Some(format!("{name}-rules")),
        (false, false) => None,
    }
}

/// The address in the same form, normalised as far as it takes to compare; the server knows the whole of NFKC, and its
/// tables would double what a browser has to load.
fn typed_address(input: &HtmlInputElement, email_field: &str) -> Option<EmailAddress> {
    let form = input.form()?;
    let field = form.query_selector(&format!("input[name='{email_field}']")).ok()??;
    let typed = leptos::wasm_bindgen::JsCast::dyn_into::<HtmlInputElement>(field).ok()?.value();
    Some(EmailAddress::from_stored(typed.trim().to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_password_is_judged_by_the_rules_of_the_server() {
        let email = EmailAddress::parse("ada@example.org").unwrap();
        let cases = [
            ("", "empty"),
            ("short", "broken"),
            ("ada@example.org", "broken"),
            ("with\0zero", "broken"),
            ("correct horse battery", "kept"),
        ];
        for (password, state) in cases {
            assert_eq!(Verdict::of(password, Some(&email)).state(), state, "{password:?}");
        }
    }
}
