//! What a browser is asked for a passkey (WebAuthn level 3, `navigator.credentials`), and what the server is asked before.
//! Browsers without the JSON forms of WebAuthn §5.1 are taken for such as know no passkeys. Called by the two islands of
//! passkeys, in the browser alone.

use std::future::IntoFuture;

use leptos::{
    prelude::window,
    wasm_bindgen::{JsCast, JsValue},
    web_sys::{
        HtmlInputElement,
        js_sys::{Array, Date, Function, JSON, Object, Promise, Reflect},
    },
};

/// The part of the time that a browser gives, in milliseconds, after which a refusal is taken for the end of it.
const NEARLY_OVER: f64 = 0.97;
const TOO_MANY_REQUESTS: f64 = 429.0;

/// Why there is no passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The person said no, or there is none: browsers tell nobody which.
    Declined,
    /// The person took longer than the browser waits.
    TookTooLong,
    /// This device has one for the account.
    Known,
    /// The browser refuses it at this address.
    Unusable,
    /// The server gave no answer.
    Unreachable,
    /// The server was asked too often.
    TooManyTries,
    /// The server refuses, or the browser fails.
    Failed,
    /// It was ended from here.
    Ended,
}

impl Trouble {
    /// What is said to the person.
    pub fn text(self) -> &'static str {
        match self {
            Self::Declined => "Nothing was changed: it was cancelled, or this device has no passkey for this site.",
            Self::TookTooLong => "That took too long. Try again when you are ready.",
            Self::Known => "This device has a passkey for your account already.",
            Self::Unusable => "Your browser does not allow passkeys at this address.",
            Self::Unreachable => "The server did not answer. Check your connection and try again.",
            Self::TooManyTries => "Too many tries. Wait a minute and try again.",
            Self::Failed => "That didn't work. Try again.",
            Self::Ended => "",
        }
    }

    /// By the name of what a browser fails with (WebAuthn §5.1.3, §5.1.4).
    fn of_browser(error: &JsValue) -> Self {
        match property(error, "name").as_string().as_deref() {
            Some("NotAllowedError") => Self::Declined,
            Some("InvalidStateError") => Self::Known,
            Some("SecurityError") => Self::Unusable,
            Some("AbortError") => Self::Ended,
            _ => Self::Failed,
        }
    }
}

/// What ends a question to the browser.
#[derive(Clone)]
pub struct Stop(JsValue);

impl Stop {
    /// One for a question that is to be asked.
    pub fn new() -> Self {
        let made = property(&window(), "AbortController").dyn_into::<Function>();
        Self(made.and_then(|class| Reflect::construct(&class, &Array::new())).unwrap_or_default())
    }

    /// Ends the question.
    pub fn now(&self) {
        let _ = call(&self.0, "abort", &[]);
    }
}

/// Whether the browser knows passkeys.
pub fn is_supported() -> bool {
    let class = property(&window(), "PublicKeyCredential");
    ["parseRequestOptionsFromJSON", "parseCreationOptionsFromJSON"]
        .iter()
        .all(|name| property(&class, name).is_function())
}

/// Whether the browser offers passkeys in a field.
pub async fn is_offered_in_fields() -> bool {
    let class = property(&window(), "PublicKeyCredential");
    let answer = settled(call(&class, "isConditionalMediationAvailable", &[])).await;
    answer.is_ok_and(|answer| answer.is_truthy())
}

/// Asks the server what the browser is to be asked.
pub async fn ask_server(endpoint: &str, provider: &str) -> Result<JsValue, Trouble> {
    let headers =
        object(&[("accept", "application/json".into()), ("content-type", "application/x-www-form-urlencoded".into())]);
    // The id of a provider is made of letters, digits, `-` and `_`.
    let body = format!("provider={provider}");
    let request = object(&[("method", "POST".into()), ("headers", headers), ("body", body.into())]);
    let answer = settled(call(&window(), "fetch", &[endpoint.into(), request])).await;
    let answer = answer.map_err(|_| Trouble::Unreachable)?;
    if !property(&answer, "ok").is_truthy() {
        let is_too_often = property(&answer, "status").as_f64() == Some(TOO_MANY_REQUESTS);
        return Err(if is_too_often { Trouble::TooManyTries } else { Trouble::Failed });
    }
    settled(call(&answer, "json", &[])).await.map_err(|_| Trouble::Unreachable)
}

/// Asks for a passkey that the person has; quietly, as one of the things that a field can be filled with, or at once.
pub async fn ask_for_passkey(options: &JsValue, stop: &Stop, is_quiet: bool) -> Result<String, Trouble> {
    ask(
        "parseRequestOptionsFromJSON",
        "get",
        options,
        &[
            ("signal", property(&stop.0, "signal")),
            ("mediation", if is_quiet { "conditional".into() } else { JsValue::UNDEFINED }),
        ],
    )
    .await
}

/// Asks the device to make a passkey.
pub async fn make_passkey(options: &JsValue) -> Result<String, Trouble> {
    ask("parseCreationOptionsFromJSON", "create", options, &[]).await
}

async fn ask(parse: &str, method: &str, options: &JsValue, more: &[(&str, JsValue)]) -> Result<String, Trouble> {
    let class = property(&window(), "PublicKeyCredential");
    let parsed = call(&class, parse, std::slice::from_ref(options)).map_err(|_| Trouble::Failed)?;
    let question = object(&[("publicKey", parsed)]);
    for (name, value) in more.iter().filter(|(_, value)| !value.is_undefined()) {
        let _ = Reflect::set(&question, &(*name).into(), value);
    }
    let credentials = property(&property(&window(), "navigator"), "credentials");
    let patience = property(options, "timeout").as_f64().unwrap_or(f64::MAX);
    let asked_at = Date::now();
    let answer =
        settled(call(&credentials, method, &[question])).await.map_err(|error| match Trouble::of_browser(&error) {
            Trouble::Declined if Date::now() - asked_at > patience * NEARLY_OVER => Trouble::TookTooLong,
            trouble => trouble,
        })?;
    let plain = call(&answer, "toJSON", &[]).map_err(|_| Trouble::Failed)?;
    JSON::stringify(&plain).map(String::from).map_err(|_| Trouble::Failed)
}

/// Puts the answer of the browser into the form that the input stands in, and sends it.
pub fn send(input: &HtmlInputElement, answer: &str) {
    input.set_value(answer);
    if let Some(form) = input.form() {
        let _ = form.submit();
    }
}

fn property(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap_or_default()
}

fn call(of: &JsValue, method: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let arguments: Array = arguments.iter().collect();
    property(of, method).dyn_into::<Function>()?.apply(of, &arguments)
}

/// A promise is waited for; anything else is what it is.
async fn settled(value: Result<JsValue, JsValue>) -> Result<JsValue, JsValue> {
    Promise::resolve(&value?).into_future().await
}

fn object(entries: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in entries {
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}
