//! `/forgot-password`: always the same answer, in the same time, whoever it is for. Who is logged in and has no password
//! yet comes here to set one.

use axum::{extract::State, response::Response};
use leptos::prelude::*;

use super::{
    http::{
        error::PageError,
        form::{Origin, current_call},
        next::OwnPath,
        page::page,
        pending::{Awaited, Pending},
        scope::Asked,
    },
    newcomer::read_email,
    state::{PRODUCT, WebState},
    ui::{Alert, Button, EntryPage, PostForm, TextField},
    words,
};
use crate::{
    flows::{self, MailRequest},
    shared::{Field, FormError},
};

const FORM: &str = "forgot-password";

/// `GET /forgot-password`.
///
/// # Errors
/// None.
pub async fn show(State(state): State<WebState>, asked: Asked) -> Result<Response, PageError> {
    let is_sent = state.services.platform.outbox.is_sent();
    let error = asked.flash.error_of(FORM).cloned();
    let typed = asked.flash.typed_in(FORM, "email").or_else(|| asked.flash.typed_in("login", "email"));
    let viewer = asked.resumed.as_ref().map(|resumed| resumed.user.email.as_str());
    let (email, texts) = (typed.or(viewer).unwrap_or_default().to_owned(), texts(viewer.is_some(), is_sent));
    Ok(page(&state, &asked, move || view! { <ForgotPage texts=texts email=email error=error /> }))
}

/// Asks for a link to set a new password.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/forgot-password`.
#[server(endpoint = "forgot-password")]
pub async fn forgot_password(
    /// The e-mail address.
    #[server(default)]
    email: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let origin = Origin::new(FORM, "/forgot-password").keep("email", &email);
    let address = match read_email(&email) {
        Ok(address) => address,
        Err(error) => return call.refuse(origin, error),
    };
    match flows::request_mail(call.services(), call.scope(), (MailRequest::ResetPassword, &address)).await {
        Ok(()) => {
            call.set_pending(&Pending::mail(Awaited::NewPassword, address, call.scope().now));
            call.go_on(&OwnPath::known("/link"), None)
        }
        Err(error) => call.refuse_for(origin, error),
    }
}

/// What the page says.
struct Texts {
    title: &'static str,
    tab: &'static str,
    lead: &'static str,
    button: &'static str,
    /// A question under the card, where the way on from it leads, and its words.
    foot: (&'static str, &'static str, &'static str),
}

fn texts(is_logged_in: bool, is_sent: bool) -> Texts {
    let (title, tab, foot) = if is_logged_in {
        ("Set a password", "Set a password", ("", "/account", "Back to your account"))
    } else {
        ("Forgot password?", "Forgot password", ("Remembered it? ", "/login", "Log in"))
    };
    let lead = match (is_logged_in, is_sent) {
        (true, true) => "We mail you a link to set one. It works once.",
        (true, false) => "This site sends no mail itself. Go on, then ask an administrator for your link.",
        (false, true) => "Type your address, and we mail you a link to set a new one.",
        (false, false) => "This site sends no mail itself. Type your address, then ask an administrator for your link.",
    };
    Texts { title, tab, lead, button: if is_sent { "Mail me a link" } else { "Continue" }, foot }
}

#[component]
fn ForgotPage(texts: Texts, email: String, error: Option<FormError>) -> impl IntoView {
    let Texts { title, tab, lead, button, foot: (question, href, way_on) } = texts;
    let refusal = error.as_ref().and_then(words::of_refusal);
    let email_error = words::of_field(error.as_ref(), Field::Email);
    let tab = if error.is_some() { format!("{tab}: that didn't work") } else { tab.to_owned() };
    let foot = move || view! { <p>{question}<a href=href>{way_on}</a></p> };
    view! {
        <EntryPage title=title product=PRODUCT tab=tab lead=lead foot=foot>
            {refusal.map(|refusal| view! { <Alert>{refusal}</Alert> })}
            <PostForm action="/api/forgot-password">
                <TextField
                    name="email"
                    label="E-mail"
                    kind="email"
                    autocomplete="username"
                    value=email
                    error=email_error
                    required=true
                    autofocus=true
                />
                <Button full=true>{button}</Button>
            </PostForm>
        </EntryPage>
    }
}
