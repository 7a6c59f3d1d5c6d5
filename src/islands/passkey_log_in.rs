//! Log in by a passkey: a button that asks for one, and passkeys among what the e-mail field can be filled with. What the
//! browser answers is sent as a form, so that the server goes on as with any other log-in. Without JavaScript, and in a
//! browser that knows no passkeys, there is no button.

use std::{cell::Cell, rc::Rc, time::Duration};

use leptos::{prelude::*, task::spawn_local, wasm_bindgen::JsCast, web_sys::HtmlInputElement};

use super::{
    passkey_drawing::PasskeyDrawing,
    web_authn::{Stop, Trouble, ask_for_passkey, ask_server, is_offered_in_fields, is_supported, send},
};

/// Where the server says what to ask for.
const OPTIONS: &str = "/api/passkey-options";
/// The id of the input that holds what the browser has answered.
const CREDENTIAL: &str = "passkey-credential";
/// The id of the input that says whether to stay logged in.
const REMEMBER: &str = "passkey-remember";
/// How long a quiet question stands before it is asked anew; the server forgets after 20 minutes.
const QUIET: Duration = Duration::from_mins(15);

/// Whether there is a button.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nobody knows yet.
    Unknown,
    Ready,
    /// The person is asked.
    Asking,
    /// The browser knows no passkeys.
    Useless,
}

/// A button that logs in by a passkey.
#[island]
pub fn PasskeyLogIn(
    /// The id of the provider.
    #[prop(into)]
    provider: String,
    /// The text of the button.
    #[prop(into)]
    text: String,
    /// Where to go on.
    next: Option<String>,
    /// Whether it was used last in this browser.
    is_last_used: bool,
    /// Whether one was refused just now. It is not offered in the field then: what answers by itself would be refused again
    /// and again.
    is_refused: bool,
) -> impl IntoView {
    let (stage, set_stage) = signal(Stage::Unknown);
    let (trouble, set_trouble) = signal(None::<Trouble>);
    // The question that stands; a browser answers one at a time.
    let standing = StoredValue::new_local(None::<Stop>);
    let quiet = StoredValue::new(provider.clone());
    let ask_quietly = move || spawn_local(wait_quietly(quiet.get_value(), standing));
    Effect::new(move || {
        if is_supported() {
            set_stage.set(Stage::Ready);
            if !is_refused {
                ask_quietly();
            }
        } else {
            set_stage.set(Stage::Useless);
        }
    });
    let asked = provider.clone();
    let ask = move |_| {
        let provider = asked.clone();
        set_stage.set(Stage::Asking);
        set_trouble.set(None);
        let stop = stand(standing);
        spawn_local(async move {
            if let Err(found) = log_in(&provider, &stop, false).await {
                set_trouble.set(Some(found));
                set_stage.set(Stage::Ready);
                ask_quietly();
            }
        });
    };
    view! {
        <form class="passkey" method="post" action="/api/login-with-passkey" hidden=move || stage.get() == Stage::Useless>
            <input type="hidden" name="provider" value=provider />
            {next.map(|next| view! { <input type="hidden" name="next" value=next /> })}
            <input type="hidden" name="credential" id=CREDENTIAL />
            <input type="hidden" name="remember" id=REMEMBER value="true" disabled />
            <button
                type="button"
                class="button button-quiet button-full button-provider"
                data-ready=move || (stage.get() != Stage::Unknown).to_string()
                disabled=move || stage.get() == Stage::Unknown
                aria-disabled=move || (stage.get() == Stage::Asking).then_some("true")
                on:click=ask
            >
                <span class="icon provider-mark" aria-hidden="true">
                    <PasskeyDrawing />
                </span>
                <span>{text}</span>
                {is_last_used.then(|| view! { <span class="badge">"Last used"</span> })}
            </button>
            <p class="passkey-said" role="status">
                {move || trouble.get().map(Trouble::text)}
            </p>
        </form>
    }
}

/// A question of its own, in the place of the one that stands.
fn stand(standing: StoredValue<Option<Stop>, LocalStorage>) -> Stop {
    let stop = Stop::new();
    let before = standing.try_update_value(|standing| standing.replace(stop.clone())).flatten();
    if let Some(before) = before {
        before.now();
    }
    stop
}

/// Lets a passkey be chosen in a field, for as long as the page is open and nothing else is asked.
async fn wait_quietly(provider: String, standing: StoredValue<Option<Stop>, LocalStorage>) {
    if !is_offered_in_fields().await {
        return;
    }
    loop {
        let stop = stand(standing);
        let is_over = Rc::new(Cell::new(false));
        let (over, ending) = (Rc::clone(&is_over), stop.clone());
        let end = move || {
            over.set(true);
            ending.now();
        };
        let clock = set_timeout_with_handle(end, QUIET);
        let outcome = log_in(&provider, &stop, true).await;
        if let Ok(clock) = clock {
            clock.clear();
        }
        // Ended by anything but the clock: the person is asked in another way, or can't be asked.
        if outcome.is_ok() || !is_over.get() {
            return;
        }
    }
}

/// Gets a passkey and sends it; answers only where that did not work.
async fn log_in(provider: &str, stop: &Stop, is_quiet: bool) -> Result<(), Trouble> {
    let options = ask_server(OPTIONS, provider).await?;
    let answer = ask_for_passkey(&options, stop, is_quiet).await?;
    let input = |id: &str| document().get_element_by_id(id)?.dyn_into::<HtmlInputElement>().ok();
    let credential = input(CREDENTIAL).ok_or(Trouble::Failed)?;
    let box_to_tick = document().query_selector("input[type=checkbox][name=remember]").ok().flatten();
    let is_remembered =
        box_to_tick.and_then(|found| found.dyn_into::<HtmlInputElement>().ok()).is_some_and(|it| it.checked());
    if let Some(remember) = input(REMEMBER) {
        remember.set_disabled(!is_remembered);
    }
    send(&credential, &answer);
    Ok(())
}
