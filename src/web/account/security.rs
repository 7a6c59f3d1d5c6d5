//! `/account/security`: change the password, and look after one's passkeys. A new password takes the current one, and logs
//! out everywhere else.

pub mod passkeys;

use axum::{extract::State, response::Response};
use leptos::prelude::*;

use crate::{
    flows,
    islands::PasswordField,
    shared::{Field, FormError, Problem},
    web::{
        http::{
            error::PageError,
            flash::{Done, Flash},
            form::{Origin, current_call},
            next::OwnPath,
            page::page,
            scope::LoggedIn,
        },
        state::{PRODUCT, WebState},
        ui::{AccountEntry, AccountPage, Alert, Button, ButtonKind, ButtonLink, Notice, PostForm, Section, Viewer},
        words,
    },
};

use passkeys::{PasskeyList, Passkeys};

const FORM: &str = "change-password";

/// `GET /account/security`.
///
/// # Errors
/// [`PageError::NotLoggedIn`].
pub async fn show(State(state): State<WebState>, logged_in: LoggedIn) -> Result<Response, PageError> {
    let viewer = logged_in.viewer();
    let flash = logged_in.asked.flash.clone();
    let has_password = flows::has_password(&state.services, &logged_in.resumed.user.id).await?;
    let passkeys = PasskeyList::of(&state, &logged_in.asked).await?;
    let view = move || {
        view! { <SecurityPage viewer=viewer flash=flash has_password=has_password passkeys=passkeys /> }
    };
    Ok(page(&state, &logged_in.asked, view))
}

/// Changes the password of the one who asks.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/account/security`.
#[server(endpoint = "change-password")]
pub async fn change_password(
    /// The password.
    #[server(default)]
    password: String,
    /// The password to be set.
    #[server(default)]
    new_password: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let origin = Origin::new(FORM, "/account/security");
    let asking = match call.resumed() {
        Ok(asking) => asking.clone(),
        Err(error) => return call.refuse(origin, error),
    };
    match flows::change_password(call.services(), call.scope(), &asking, (password, new_password)).await {
        Ok((logged_in, ended)) => {
            call.log_in(&logged_in.session).await?;
            call.go_on(&OwnPath::known("/account/security"), Some(Done::PasswordChanged(ended)))
        }
        Err(flows::Error::NotProved(_)) => {
            call.refuse(origin, FormError::Invalid { field: Field::Password, problem: Problem::WrongPassword })
        }
        Err(error) => call.refuse_for(origin, error),
    }
}

#[component]
fn SecurityPage(viewer: Viewer, flash: Flash, has_password: bool, passkeys: Option<PasskeyList>) -> impl IntoView {
    let error = flash.error_of(FORM).cloned();
    let refusal = flash.error.as_ref().and_then(words::of_refusal);
    let password = if has_password {
        view! { <NewPassword error=error /> }.into_any()
    } else {
        view! { <NoPassword /> }.into_any()
    };
    view! {
        <AccountPage title="Security" product=PRODUCT viewer=viewer entry=AccountEntry::Security>
            {flash.done.map(|done| view! { <Notice>{words::of_done(done)}</Notice> })}
            {refusal.map(|refusal| view! { <Alert>{refusal}</Alert> })}
            {password}
            {passkeys.map(|passkeys| view! { <Passkeys list=passkeys /> })}
        </AccountPage>
    }
}

/// For who has come in by another provider alone.
#[component]
fn NoPassword() -> impl IntoView {
    view! {
        <Section title="Password" lead="Your account has none: you log in by another way.">
            <ButtonLink href="/forgot-password" kind=ButtonKind::Quiet>"Set one by mail"</ButtonLink>
        </Section>
    }
}

#[component]
fn NewPassword(error: Option<FormError>) -> impl IntoView {
    let [current_error, new_error] =
        [Field::Password, Field::NewPassword].map(|field| words::of_field(error.as_ref(), field));
    view! {
            <Section title="Password" lead="Changing it logs you out on every other device.">
                <PostForm action="/api/change-password">
                    <PasswordField
                        name="password".to_owned()
                        label="Current password".to_owned()
                        autocomplete="current-password".to_owned()
                        rules=false
                        error=current_error
                    />
                    <PasswordField
                        name="new_password".to_owned()
                        label="New password".to_owned()
                        autocomplete="new-password".to_owned()
                        rules=true
                        error=new_error
                    />
                    <Button>"Change password"</Button>
                </PostForm>
            </Section>
    }
}
