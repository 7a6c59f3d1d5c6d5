//! `/forgot-password`: always the same answer, in the same time, whoever it is for.

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
    let email = typed.unwrap_or_default().to_owned();
    Ok(page(&state, &asked, move || view! { <ForgotPage is_sent=is_sent email=email error=error /> }))
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

#[component]
fn ForgotPage(is_sent: bool, email: String, error: Option<FormError>) -> impl IntoView {
    let lead = if is_sent {
        "Type your address, and we mail you a link to set a new one."
    } else {
        "This site sends no mail itself. Type your address, then ask an administrator for your link."
    };
    let refusal = error.as_ref().and_then(words::of_refusal);
    let email_error = words::of_field(error.as_ref(), Field::Email);
    let tab = if error.is_some() { "Forgot password: that didn't work" } else { "Forgot password" };
    let foot = || view! { <p>"Remembered it? " <a href="/login">"Log in"</a></p> };
    view! {
        <EntryPage title="Forgot password?" product=PRODUCT tab=tab lead=lead foot=foot>
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
                <Button full=true>{if is_sent { "Mail me a link" } else { "Continue" }}</Button>
            </PostForm>
        </EntryPage>
    }
}
