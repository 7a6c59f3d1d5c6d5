//! `/register`: names, e-mail, password. Where registration is not open it says so, and what to do. Where mails are sent,
//! everybody is told to look for one; else an address that is taken is not told apart from other refusals.

#![expect(clippy::too_many_arguments, reason = "a server function takes the fields of its form")]

use axum::{
    extract::{Query, State},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    http::{
        error::PageError,
        form::{Origin, current_call},
        next::OwnPath,
        page::page,
        pending::{Awaited, Pending},
        scope::Asked,
    },
    newcomer::{Newcomer, NewcomerFields, keep, read_email, read_profile},
    other_ways::{ProviderLinks, ProviderShown, redirecting},
    state::{PRODUCT, WebState},
    ui::{Alert, Button, ButtonLink, EntryPage, HiddenField, OrDivider, PostForm},
};
use crate::{
    flows::{self, Registered, Registration, RegistrationMode},
    shared::FormError,
};

const FORM: &str = "register";

/// What may follow `/register` in the address.
#[derive(Deserialize)]
pub struct RegisterQuery {
    next: Option<String>,
}

/// `GET /register`.
///
/// # Errors
/// [`PageError`] where the layers around it are missing.
pub async fn show(
    State(state): State<WebState>,
    asked: Asked,
    Query(query): Query<RegisterQuery>,
) -> Result<Response, PageError> {
    let mode = state.services.rules.registration.mode;
    if mode != RegistrationMode::Open {
        return Ok(page(&state, &asked, move || view! { <NotOpen mode=mode /> }));
    }
    let newcomer = Newcomer::read(&asked.flash, FORM);
    let next = query.next.as_deref().and_then(OwnPath::parse);
    let elsewhere = redirecting(&state.services)?;
    Ok(page(&state, &asked, move || view! { <RegisterPage newcomer=newcomer next=next elsewhere=elsewhere /> }))
}

/// Registers a person and logs them in.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/register`.
#[server(endpoint = "register")]
pub async fn register(
    /// The first name.
    #[server(default)]
    first_name: String,
    /// The last name.
    #[server(default)]
    last_name: String,
    /// The e-mail address.
    #[server(default)]
    email: String,
    /// The password.
    #[server(default)]
    password: String,
    /// Where to go on: a path of this site.
    #[server(default)]
    next: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let next = OwnPath::parse(&next);
    let back =
        next.as_ref().map_or_else(|| "/register".to_owned(), |next| format!("/register?next={}", next.in_query()));
    let origin = keep(Origin::new(FORM, back), [&first_name, &last_name, &email]);
    let read = read_profile(&first_name, &last_name).and_then(|profile| Ok((profile, read_email(&email)?)));
    let (profile, email) = match read {
        Ok(read) => read,
        Err(error) => return call.refuse(origin, error),
    };
    let address = email.clone();
    let registered_here = call.pending().and_then(|pending| pending.registered_as(&email)).cloned();
    let new = Registration { email, password, profile, registered_here };
    match flows::register(call.services(), call.scope(), new).await {
        Ok(Registered::LoggedIn(logged_in)) => {
            call.log_in(&logged_in.session).await?;
            call.go_on(&next.unwrap_or_else(|| OwnPath::known("/account")), None)
        }
        Ok(Registered::MailSent { user }) => {
            call.set_pending(&Pending::mail(Awaited::Confirmation { user }, address, call.scope().now));
            call.go_on(&OwnPath::known("/link"), None)
        }
        Err(error) => call.refuse_for(origin, error),
    }
}

#[component]
fn RegisterPage(newcomer: Newcomer, next: Option<OwnPath>, elsewhere: Vec<ProviderShown>) -> impl IntoView {
    let login = next.as_ref().map_or_else(|| "/login".to_owned(), |next| format!("/login?next={}", next.in_query()));
    let tab = if newcomer.is_refused() { "Create an account: that didn't work" } else { "Create an account" };
    let foot = move || view! { <p>"Already have an account? " <a href=login>"Log in"</a></p> };
    let refusal = newcomer.refusal.clone();
    let (goes_on, has_other_ways) = (next.clone(), !elsewhere.is_empty());
    view! {
        <EntryPage title="Create an account" product=PRODUCT tab=tab foot=foot>
            {refusal.map(|refusal| view! { <Alert>{refusal}</Alert> })}
            <PostForm action="/api/register">
                <NewcomerFields newcomer=newcomer />
                {next.map(|next| view! { <HiddenField name="next" value=next.as_str() /> })}
                <Button full=true>"Create account"</Button>
            </PostForm>
            {has_other_ways.then(|| view! { <OrDivider /> })}
            <ProviderLinks providers=elsewhere verb="Continue" next=goes_on last_used=None />
        </EntryPage>
    }
}

#[component]
fn NotOpen(mode: RegistrationMode) -> impl IntoView {
    let lead = match mode {
        RegistrationMode::InviteOnly => {
            "Accounts here are by invitation. If you expect one, ask whoever runs this site for an invite."
        }
        RegistrationMode::Open | RegistrationMode::Closed => {
            "Nobody can create an account here. Ask whoever runs this site to make one for you."
        }
    };
    view! {
        <EntryPage title="Registration is not open" product=PRODUCT lead=lead>
            <ButtonLink href="/login" full=true>"Log in"</ButtonLink>
        </EntryPage>
    }
}
