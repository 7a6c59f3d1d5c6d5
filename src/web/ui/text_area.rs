//! Several lines of text. Leptos 0.8 writes what stands in a `<textarea>` into the page as it is, so it is escaped here,
//! and in no other file does one hold anything: a test sees to that.

use leptos::prelude::*;

use super::field::{described_by, error_line, hint_line};

/// A field of several lines.
#[component]
pub fn TextArea(
    /// The field's name in the form, and its id.
    name: &'static str,
    /// What to type.
    #[prop(into)]
    label: String,
    /// How many lines it shows.
    #[prop(default = 4)]
    rows: u32,
    /// The most characters.
    #[prop(optional)]
    maxlength: Option<u32>,
    /// What it holds at first: what was typed before.
    #[prop(optional, into)]
    value: String,
    /// What is wrong with it.
    #[prop(default = None)]
    error: Option<String>,
    /// A sentence that helps.
    #[prop(optional, into)]
    hint: Option<String>,
    /// Whether it must be filled in.
    #[prop(optional)]
    required: bool,
    /// Whether its label says that it may stay empty.
    #[prop(optional)]
    optional: bool,
    /// Whether typing starts here.
    #[prop(optional)]
    autofocus: bool,
    /// Whether it only shows its value.
    #[prop(optional)]
    readonly: bool,
) -> impl IntoView {
    let described = described_by(name, hint.is_some(), error.is_some());
    let invalid = error.is_some().then_some("true");
    let escaped = escaped(&value);
    view! {
        <div class="field">
            <label class="label" for=name>
                {label}
                {optional.then(|| view! { <span class="label-optional">" (optional)"</span> })}
            </label>
            <textarea
                class="input input-lines"
                id=name
                name=name
                rows=rows
                maxlength=maxlength
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                required=required
                autofocus=autofocus
                readonly=readonly
                aria-describedby=described
                aria-invalid=invalid
            >
                {escaped}
            </textarea>
            {hint_line(name, hint)}
            {error_line(name, error)}
        </div>
    }
}

/// Text as it may stand in a `<textarea>`, whose first line break a browser drops (WHATWG HTML §13.2.6.4.7).
fn escaped(text: &str) -> String {
    format!("\n{}", text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_text() {
        let hostile = "</textarea><script>alert(1)</script><!>&lt;\nnext";
        let owner = Owner::new_root(None);
        let html = owner.with(|| view! { <TextArea name="x" label="X" value=hostile /> }.to_html());
        owner.unset_with_forced_cleanup();
        assert_eq!(html.matches("</textarea>").count(), 1, "{html}");
        assert!(!html.contains("<script"), "{html}");
        let escaped = "\n&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;!&gt;&amp;lt;\nnext</textarea>";
        assert!(html.replace("<!>", "").contains(escaped), "{html}");
    }
}
