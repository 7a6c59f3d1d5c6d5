//! Form fields: a label, an input, a hint and an error that are tied together for screen readers.
//! A field judges nothing; it shows what the page says is wrong. The password field is an island.

use std::borrow::Cow;

use leptos::prelude::*;

/// One choice of a [`SelectField`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub text: String,
}

impl Choice {
    /// Makes a choice from what is sent and what is read.
    pub fn new(value: impl Into<String>, text: impl Into<String>) -> Self {
        Self { value: value.into(), text: text.into() }
    }
}

/// A line of text.
#[component]
pub fn TextField(
    /// The field's name in the form, and its id unless `id` is given.
    #[prop(into)]
    name: Cow<'static, str>,
    /// What to type.
    #[prop(into)]
    label: String,
    /// The input's type: `text`, `email`, `url`…
    #[prop(default = "text")]
    kind: &'static str,
    /// The id where a page holds two fields of one name.
    #[prop(optional, into)]
    id: Option<Cow<'static, str>>,
    /// For browsers and password managers: `username webauthn`, `given-name`…
    #[prop(optional)]
    autocomplete: Option<&'static str>,
    /// Which keyboard a phone shows: `numeric`…
    #[prop(optional)]
    inputmode: Option<&'static str>,
    /// The most characters.
    #[prop(optional)]
    maxlength: Option<u32>,
    /// What it holds at first: what was typed before, or what is stored.
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
    let id = id.unwrap_or_else(|| name.clone());
    let is_address = kind == "email";
    let described = described_by(&id, hint.is_some(), error.is_some());
    let invalid = error.is_some().then_some("true");
    view! {
        <div class="field">
            <label class="label" for=id.clone()>
                {label}
                {optional.then(|| view! { <span class="label-optional">" (optional)"</span> })}
            </label>
            <input
                class="input"
                id=id.clone()
                name=name
                type=kind
                value=value
                autocomplete=autocomplete
                inputmode=inputmode
                maxlength=maxlength
                autocapitalize=is_address.then_some("none")
                spellcheck=is_address.then_some("false")
                required=required
                autofocus=autofocus
                readonly=readonly
                aria-describedby=described
                aria-invalid=invalid
            />
            {hint_line(&id, hint)}
            {error_line(&id, error)}
        </div>
    }
}

/// A box to tick.
#[component]
pub fn CheckboxField(
    /// The field's name in the form, and its id.
    name: &'static str,
    /// What ticking it means.
    #[prop(into)]
    label: String,
    /// What is sent when it is ticked.
    #[prop(default = "true")]
    value: &'static str,
    /// Whether it is ticked at first.
    #[prop(optional)]
    checked: bool,
) -> impl IntoView {
    view! {
        <label class="checkbox" for=name>
            <input type="checkbox" id=name name=name value=value checked=checked />
            <span>{label}</span>
        </label>
    }
}

/// One of several.
#[component]
pub fn SelectField(
    /// The field's name in the form, and its id unless `id` is given.
    name: &'static str,
    /// What to choose.
    #[prop(into)]
    label: String,
    /// What there is to choose from.
    choices: Vec<Choice>,
    /// The value of the choice that is made already.
    #[prop(optional, into)]
    selected: String,
    /// The id where a page holds two fields of one name.
    #[prop(optional)]
    id: Option<&'static str>,
    /// What is wrong with it.
    #[prop(default = None)]
    error: Option<String>,
    /// A sentence that helps.
    #[prop(optional, into)]
    hint: Option<String>,
) -> impl IntoView {
    let id = id.unwrap_or(name);
    let described = described_by(id, hint.is_some(), error.is_some());
    let invalid = error.is_some().then_some("true");
    let options = choices.into_iter().map(|choice| {
        let is_selected = choice.value == selected;
        view! { <option value=choice.value selected=is_selected>{choice.text}</option> }
    });
    view! {
        <div class="field">
            <label class="label" for=id>{label}</label>
            <span class="select">
                <select class="input" id=id name=name aria-describedby=described aria-invalid=invalid>
                    {options.collect_view()}
                </select>
            </span>
            {hint_line(id, hint)}
            {error_line(id, error)}
        </div>
    }
}

/// What to search for.
#[component]
pub fn SearchField(
    /// What is searched.
    #[prop(into)]
    label: String,
    /// The field's name in the form, and its id.
    #[prop(default = "q")]
    name: &'static str,
    /// What was searched for.
    #[prop(optional, into)]
    value: String,
) -> impl IntoView {
    view! {
        <div class="field field-search">
            <label class="label" for=name>{label}</label>
            <input
                class="input"
                id=name
                name=name
                type="search"
                value=value
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
            />
        </div>
    }
}

/// A value that goes with the form unseen.
#[component]
pub fn HiddenField(
    /// The field's name in the form.
    name: &'static str,
    /// What is sent.
    #[prop(into)]
    value: String,
) -> impl IntoView {
    view! { <input type="hidden" name=name value=value /> }
}

/// Which lines describe a field.
pub(super) fn described_by(id: &str, has_hint: bool, has_error: bool) -> Option<String> {
    match (has_error, has_hint) {
        (true, true) => Some(format!("{id}-error {id}-hint")),
        (true, false) => Some(format!("{id}-error")),
        (false, true) => Some(format!("{id}-hint")),
        (false, false) => None,
    }
}

/// The hint below a field.
pub(super) fn hint_line(id: &str, hint: Option<String>) -> Option<impl IntoView + use<>> {
    hint.map(|hint| view! { <p class="hint" id=format!("{id}-hint")>{hint}</p> })
}

/// The error below a field.
pub(super) fn error_line(id: &str, error: Option<String>) -> Option<impl IntoView + use<>> {
    error.map(|error| view! { <p class="error" id=format!("{id}-error")>{error}</p> })
}
