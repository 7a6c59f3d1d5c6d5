//! `/reset-password`: sets a new password, for who comes from a mailed link. Whoever comes without one is sent to ask for
//! one.

use axum::{extract::State, response::Response};
use leptos::prelude::*;

use super::{
    http::{
        error::PageError,
        flash::Done,
        form::{Origin, current_call},
        next::OwnPath,
        page::page,
        pending::{MaybePending, Pending},
        scope::Asked,
    },
    state::{PRODUCT, WebState},
    ui::{Alert, Button, ButtonKind, ButtonLink, EntryPage, MessagePage, Notice, PostForm},
    words,
};
use crate::{
    flows::{self, PasswordSet},
    islands::PasswordField,
    shared::{Field, FormError},
};

const FORM: &str = "reset-password";

/// `GET /reset-password`.
///
/// # Errors
/// None.
pub async fn show(
    State(state): State<WebState>,
    asked: Asked,
    MaybePending(pending): MaybePending,
) -> Result<Response, PageError> {
    if !matches!(pending, Some(Pending::Password { .. })) {
        if asked.flash.done == Some(Done::PasswordSet) {
            return Ok(page(&state, &asked, move || view! { <IsSet /> }));
        }
        let has_ended = asked.flash.error_of(FORM).is_some();
        return Ok(page(&state, &asked, move || view! { <NoLink has_ended=has_ended /> }));
    }
    let error = asked.flash.error_of(FORM).cloned();
    let notice = words::of_notice(&asked);
    Ok(page(&state, &asked, move || view! { <ResetPage error=error notice=notice /> }))
}

/// Sets a new password by the link that this browser has followed, and logs in where there is an account to log in to.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/reset-password`.
#[server(endpoint = "reset-password")]
pub async fn reset_password(
    /// The password to be set.
    #[server(default)]
    new_password: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let origin = Origin::new(FORM, "/reset-password");
    let Some(Pending::Password { link }) = call.pending().cloned() else {
        return call.refuse(origin, FormError::LinkEnded);
    };
    match flows::set_password_by_link(call.services(), call.scope(), &link, new_password).await {
        Ok(set) => {
            call.end_pending();
            let to = match set {
                PasswordSet::LoggedIn(logged_in) => {
                    call.log_in(&logged_in.session).await?;
                    "/account"
                }
                PasswordSet::LogIn => "/login",
                PasswordSet::Elsewhere => "/reset-password",
            };
            call.go_on(&OwnPath::known(to), Some(Done::PasswordSet))
        }
        Err(flows::Error::NotFound | flows::Error::Conflict) => {
            call.end_pending();
            call.refuse(origin, FormError::LinkEnded)
        }
        Err(error) => call.refuse_for(origin, error),
    }
}

#[component]
fn ResetPage(error: Option<FormError>, notice: Option<String>) -> impl IntoView {
    let refusal = error.as_ref().and_then(words::of_refusal);
    let password_error = words::of_field(error.as_ref(), Field::NewPassword);
    let tab = if error.is_some() { "Set a new password: that didn't work" } else { "Set a new password" };
    // What has just happened says enough, where there is something.
    let lead = notice.is_none().then(|| view! { <p class="lead">"Every other device is logged out."</p> });
    view! {
        <EntryPage title="Set a new password" product=PRODUCT tab=tab>
            {lead}
            {notice.map(|notice| view! { <Notice>{notice}</Notice> })}
            {refusal.map(|refusal| view! { <Alert>{refusal}</Alert> })}
            <PostForm action="/api/reset-password">
                <PasswordField
                    name="new_password".to_owned()
                    label="New password".to_owned()
                    autocomplete="new-password".to_owned()
                    rules=true
                    error=password_error
                    autofocus=true
                />
                <Button full=true>"Set password"</Button>
            </PostForm>
        </EntryPage>
    }
}

#[component]
fn IsSet() -> impl IntoView {
    view! {
        <EntryPage title="Your new password is set" product=PRODUCT lead="Everybody who was logged in with the old one is logged out.">
            <p>"Log in where you asked for the link."</p>
        </EntryPage>
    }
}

#[component]
fn NoLink(has_ended: bool) -> impl IntoView {
    let (title, text) = if has_ended {
        ("This link has ended", "It was used, or its time is over, and your password was not changed by it.")
    } else {
        ("This needs a link", "A new password is set by a link that we mail you, and that works once.")
    };
    view! {
        <MessagePage title=title product=PRODUCT text=text>
            <ButtonLink href="/forgot-password">"Ask for a link"</ButtonLink>
            <ButtonLink href="/login" kind=ButtonKind::Quiet>"Log in"</ButtonLink>
        </MessagePage>
    }
}
