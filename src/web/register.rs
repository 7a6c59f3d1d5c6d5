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
    other_ways::{MailLinks, ProviderLinks, ProviderShown, mailing, redirecting},
    state::{PRODUCT, WebState},
    ui::{Alert, Button, ButtonLink, EntryPage, HiddenField, OrDivider, PostForm},
};
use crate::{
    auth::providers::EMAILPASS,
    flows::{self, Registered, Registration, RegistrationMode, Services, USER},
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
    let next = query.next.as_deref().and_then(OwnPath::parse);
    let newcomer = has_passwords(&state.services)?.then(|| Newcomer::read(&asked.flash, FORM));
    let ways = (mailing(&state.services)?, redirecting(&state.services)?);
    Ok(page(&state, &asked, move || view! { <RegisterPage newcomer=newcomer next=next ways=ways /> }))
}

/// Whether people have passwords at all.
fn has_passwords(services: &Services) -> Result<bool, flows::Error> {
    Ok(flows::providers_of(services, USER)?.iter().any(|provider| provider.identifier == EMAILPASS))
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
fn RegisterPage(
    /// What is typed, where people have passwords.
    newcomer: Option<Newcomer>,
    next: Option<OwnPath>,
    /// Those that mail something, and those that people are sent to.
    ways: (Vec<ProviderShown>, Vec<ProviderShown>),
) -> impl IntoView {
    let login = next.as_ref().map_or_else(|| "/login".to_owned(), |next| format!("/login?next={}", next.in_query()));
    let tab = if newcomer.as_ref().is_some_and(Newcomer::is_refused) {
        "Create an account: that didn't work"
    } else {
        "Create an account"
    };
    let foot = move || view! { <p>"Already have an account? " <a href=login>"Log in"</a></p> };
    let refusal = newcomer.as_ref().and_then(|newcomer| newcomer.refusal.clone());
    let form = newcomer.map(|newcomer| view! { <RegisterForm newcomer=newcomer next=next.clone() /> });
    let (by_mail, elsewhere) = ways;
    let is_divided = form.is_some() && !(by_mail.is_empty() && elsewhere.is_empty());
    let (by_mail_next, goes_on) = (next.clone(), next.clone());
    let by_mail = (!by_mail.is_empty()).then(|| view! { <MailLinks providers=by_mail next=by_mail_next /> });
    view! {
        <EntryPage title="Create an account" product=PRODUCT tab=tab foot=foot>
            {refusal.map(|refusal| view! { <Alert>{refusal}</Alert> })}
            {form}
            {is_divided.then(|| view! { <OrDivider /> })}
            {by_mail}
            <ProviderLinks providers=elsewhere verb="Continue" next=goes_on last_used=None />
        </EntryPage>
    }
}

#[component]
fn RegisterForm(newcomer: Newcomer, next: Option<OwnPath>) -> impl IntoView {
    view! {
        <PostForm action="/api/register">
            <NewcomerFields newcomer=newcomer />
            {next.map(|next| view! { <HiddenField name="next" value=next.as_str() /> })}
            <Button full=true>"Create account"</Button>
        </PostForm>
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
