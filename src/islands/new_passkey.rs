//! Add a passkey: what it is to be called, and a button by which the device makes one. What the browser answers is sent as a
//! form. Without JavaScript, and in a browser that knows no passkeys, the island says that none can be added.

use leptos::{prelude::*, task::spawn_local, wasm_bindgen::JsCast, web_sys::HtmlInputElement};

use super::web_authn::{Trouble, ask_server, is_supported, make_passkey, send};
use crate::shared::MAX_PASSKEY_NAME_CHARS;

/// Where the server says what to ask for.
const OPTIONS: &str = "/api/new-passkey-options";
/// The id of the input that holds what the browser has answered.
const CREDENTIAL: &str = "new-passkey-credential";

/// A form that adds a passkey.
#[island]
pub fn NewPasskey(
    /// The id of the provider.
    #[prop(into)]
    provider: String,
    /// What it is called unless the person says otherwise.
    #[prop(into)]
    name: String,
    /// What is wrong with the name.
    error: Option<String>,
) -> impl IntoView {
    // Hidden until it is known that it works; what stands in its place without JavaScript is the page's.
    let (can_add, set_can_add) = signal(None::<bool>);
    let (is_asking, set_asking) = signal(false);
    let (trouble, set_trouble) = signal(None::<Trouble>);
    Effect::new(move || set_can_add.set(Some(is_supported())));
    let asked = provider.clone();
    let ask = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if is_asking.get_untracked() {
            return;
        }
        let provider = asked.clone();
        set_asking.set(true);
        set_trouble.set(None);
        spawn_local(async move {
            if let Err(found) = add(&provider).await {
                set_trouble.set(Some(found));
                set_asking.set(false);
            }
        });
    };
    let described = error.is_some().then_some("passkey-name-error");
    view! {
        <p class="detail" hidden=move || can_add.get() != Some(false)>
            "This browser knows no passkeys. Open this page in a newer one to add one."
        </p>
        <form
            class="form passkey-new"
            method="post"
            action="/api/add-passkey"
            hidden=move || can_add.get() != Some(true)
            on:submit=ask
        >
            <input type="hidden" name="provider" value=provider />
            <input type="hidden" name="credential" id=CREDENTIAL />
            <div class="field">
                <label class="label" for="passkey-name">"Name of the new passkey"</label>
                <input
                    class="input"
                    id="passkey-name"
                    name="name"
                    value=name
                    maxlength=MAX_PASSKEY_NAME_CHARS.to_string()
                    autocomplete="off"
                    required=true
                    aria-describedby=described
                    aria-invalid=described.map(|_| "true")
                />
                {error.map(|error| view! { <p class="error" id="passkey-name-error">{error}</p> })}
            </div>
            <button class="button button-primary" type="submit" aria-disabled=move || is_asking.get().then_some("true")>
                "Add a passkey"
            </button>
            <p class="passkey-said" role="status">
                {move || trouble.get().map(Trouble::text)}
            </p>
        </form>
    }
}

/// Has a passkey made and sends it; answers only where that did not work.
async fn add(provider: &str) -> Result<(), Trouble> {
    let options = ask_server(OPTIONS, provider).await?;
    let answer = make_passkey(&options).await?;
    let found = document().get_element_by_id(CREDENTIAL).and_then(|found| found.dyn_into::<HtmlInputElement>().ok());
    send(&found.ok_or(Trouble::Failed)?, &answer);
    Ok(())
}
