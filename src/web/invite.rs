//! `/invite/{token}`: who invites, as what, and what is still needed. Opening it changes nothing, since mail scanners open
//! every link; the button does. Every state has a page that says why and how to go on.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use leptos::prelude::*;

use super::{
    http::{
        error::PageError,
        flash::{Done, Flash},
        form::{Origin, current_call},
        next::{OwnPath, query_value},
        page::page,
        scope::Asked,
    },
    newcomer::read_profile,
    other_ways::{ProviderForms, ProviderShown, keeping, mailing},
    state::{PRODUCT, WebState},
    ui::{
        Alert, Button, ButtonKind, ButtonLink, EntryPage, HiddenField, MessagePage, Notice, OrDivider, PostForm,
        ProviderButton, TextField,
    },
    words,
};
use crate::{
    flows::{self, Acceptance, Errand, InviteStanding, Journey},
    islands::PasswordField,
    shared::{Field, FormError, ProviderId},
    users::Invite,
};

/// The name of the form, as its server function is called.
const FORM: &str = "accept-invite";

/// `GET /invite/{token}`.
///
/// # Errors
/// [`PageError::Internal`] if the database fails.
pub async fn show(
    State(state): State<WebState>,
    asked: Asked,
    Path(token): Path<String>,
) -> Result<Response, PageError> {
    let (standing, invite) = flows::view_invite(&state.services, &asked.scope, &token).await?;
    let flash = asked.flash.clone();
    let logged_in_as = asked.resumed.as_ref().map(|resumed| resumed.user.email.to_string());
    let elsewhere = keeping(&state.services)?;
    let by_mail = mailing(&state.services)?.into_iter().next();
    let mut response = page(&state, &asked, move || {
        match invite {
        Some(invite) => {
            view! { <Standing standing=standing promised=Promised { invite, token, logged_in_as, by_mail, elsewhere, flash } /> }
                .into_any()
        }
        None => view! { <Ended standing=standing token=token flash=flash /> }.into_any(),
    }
    });
    *response.status_mut() = status_of(standing);
    Ok(response)
}

fn status_of(standing: InviteStanding) -> StatusCode {
    match standing {
        InviteStanding::Unknown => StatusCode::NOT_FOUND,
        InviteStanding::Expired | InviteStanding::Revoked | InviteStanding::Accepted | InviteStanding::InviterGone => {
            StatusCode::GONE
        }
        InviteStanding::Closed | InviteStanding::Disabled => StatusCode::FORBIDDEN,
        InviteStanding::WrongAccount | InviteStanding::LogIn | InviteStanding::Own | InviteStanding::Ready => {
            StatusCode::OK
        }
    }
}

/// Accepts an invite: by a new password, or by a click of the one who is logged in and has the address.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the invite, which says how it stands.
#[server(endpoint = "accept-invite")]
pub async fn accept_invite(
    /// The secret of the link.
    #[server(default)]
    token: String,
    /// The first name.
    #[server(default)]
    first_name: String,
    /// The last name.
    #[server(default)]
    last_name: String,
    /// The password to be set.
    #[server(default)]
    password: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let (services, scope) = (call.services(), call.scope());
    let origin = Origin::new(FORM, address_of(&token)).keep("first_name", &first_name).keep("last_name", &last_name);
    if let (Ok(resumed), true) = (call.resumed(), password.is_empty()) {
        return match flows::raise_by_invite(services, scope, (resumed, &token)).await {
            Ok(opened) => {
                if let Some(opened) = opened {
                    call.log_in(&opened).await?;
                }
                call.go_on(&OwnPath::known("/account"), Some(Done::InviteAccepted))
            }
            Err(error) => call.refuse_for(origin, error),
        };
    }
    let profile = match read_profile(&first_name, &last_name) {
        Ok(profile) => profile,
        Err(error) => return call.refuse(origin, error),
    };
    match flows::accept_invite(services, scope, &Acceptance { token, profile, password }).await {
        Ok(logged_in) => {
            call.log_in(&logged_in.session).await?;
            call.go_on(&OwnPath::known("/account"), Some(Done::InviteAccepted))
        }
        Err(error) => call.refuse_for(origin, error),
    }
}

/// Sends the browser to a provider, whose account becomes the way in of the invited person when it comes back. By a provider
/// that proves by mail who somebody is, they are in at once: the link of the invite was mailed.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the invite, which says how it stands.
#[server(endpoint = "accept-invite-with")]
pub async fn accept_invite_with(
    /// The secret of the link.
    #[server(default)]
    token: String,
    /// The id of the provider.
    #[server(default)]
    provider: String,
    /// The first name.
    #[server(default)]
    first_name: String,
    /// The last name.
    #[server(default)]
    last_name: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let origin = Origin::new(FORM, address_of(&token)).keep("first_name", &first_name).keep("last_name", &last_name);
    if let Err(error) = read_profile(&first_name, &last_name) {
        return call.refuse(origin, error);
    }
    let newcomer = flows::Newcomer { token, first_name: Some(first_name), last_name: Some(last_name) };
    let provider = ProviderId::new(provider);
    if mailing(call.services()).is_ok_and(|all| all.iter().any(|known| known.id == provider.as_str())) {
        return match flows::accept_invite_by_mail(call.services(), call.scope(), (&provider, &newcomer)).await {
            Ok(logged_in) => {
                call.log_in(&logged_in.session).await?;
                call.remember_way(&provider);
                call.go_on(&OwnPath::known("/account"), Some(Done::InviteAccepted))
            }
            Err(error) => call.refuse_for(origin, error),
        };
    }
    let journey = Journey { errand: Errand::AcceptInvite(newcomer), next: Some("/account".to_owned()) };
    match call.send_away(&provider, &journey).await {
        Ok(()) => Ok(()),
        Err(flows::Error::NotProved(_) | flows::Error::UnknownProvider) => {
            call.refuse(origin, FormError::ProviderFailed)
        }
        Err(error) => call.refuse_for(origin, error),
    }
}

/// Asks whoever invited for another invite; the answer is the same whatever comes of it.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the invite.
#[server(endpoint = "ask-for-invite")]
pub async fn ask_for_invite(
    /// The secret of the link that has ended.
    #[server(default)]
    token: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let back = address_of(&token);
    match flows::ask_for_invite(call.services(), call.scope(), &token).await {
        Ok(()) => {
            let to = OwnPath::parse(&back).unwrap_or_else(|| OwnPath::known("/login"));
            call.go_on(&to, Some(Done::InviteAskedFor))
        }
        Err(error) => call.refuse_for(Origin::new("ask-for-invite", back), error),
    }
}

fn address_of(token: &str) -> String {
    format!("/invite/{}", query_value(token).replace('/', "%2F"))
}

/// An invite that is shown, and to whom.
struct Promised {
    invite: Invite,
    token: String,
    logged_in_as: Option<String>,
    /// By which they come in without a password.
    by_mail: Option<ProviderShown>,
    elsewhere: Vec<ProviderShown>,
    flash: Flash,
}

#[component]
fn WithoutPassword(provider: ProviderShown, token: String) -> impl IntoView {
    view! {
        <div class="ways">
            <PostForm action="/api/accept-invite-with">
                <HiddenField name="token" value=token />
                <HiddenField name="provider" value=provider.id />
                <ProviderButton mark=provider.mark text="Accept without a password" full=true />
            </PostForm>
        </div>
    }
}

#[component]
fn Standing(standing: InviteStanding, promised: Promised) -> AnyView {
    let Promised { invite, token, logged_in_as, by_mail, elsewhere, flash } = promised;
    let here = address_of(&token);
    let tried = elsewhere.iter().find(|provider| flash.typed_in(FORM, "provider") == Some(provider.id.as_str()));
    let tried = tried.map(|provider| provider.name.clone());
    let error = flash.error_of(FORM).and_then(|error| words::of_provider_refusal(error, tried.as_deref()));
    let log_in = format!("/login?next={}", query_value(&here));
    let email = invite.email.to_string();
    let content = match standing {
        InviteStanding::Ready => {
            let has_other_ways = !elsewhere.is_empty() || by_mail.is_some();
            let (fields, secret) = (vec![("token", token.clone())], token.clone());
            let by_mail = by_mail.map(|provider| view! { <WithoutPassword provider=provider token=secret /> });
            view! {
                <NewcomerForm invite=invite.clone() token=token flash=flash />
                {has_other_ways.then(|| view! { <OrDivider /> })}
                {by_mail}
                <ProviderForms providers=elsewhere action="/api/accept-invite-with" verb="Accept" fields=fields />
            }
            .into_any()
        }
        InviteStanding::Own => view! {
            <PostForm action="/api/accept-invite">
                <HiddenField name="token" value=token />
                <Button full=true>"Accept invite"</Button>
            </PostForm>
        }
        .into_any(),
        InviteStanding::LogIn => view! {
            <p>"There is an account with " <bdi>{email}</bdi> " already. Log in to accept."</p>
            <ButtonLink href=log_in full=true>"Log in"</ButtonLink>
        }
        .into_any(),
        InviteStanding::WrongAccount => {
            let another = format!("/login?use=another&next={}", query_value(&here));
            view! {
                <Alert>
                    "This invite is for " <bdi>{email}</bdi> ", and you're logged in as "
                    <bdi>{logged_in_as.unwrap_or_default()}</bdi> "."
                </Alert>
                <PostForm action="/api/logout">
                    <HiddenField name="next" value=here />
                    <Button full=true>"Log out and go on"</Button>
                </PostForm>
                <ButtonLink href=another kind=ButtonKind::Quiet full=true>"Use another account"</ButtonLink>
            }
            .into_any()
        }
        InviteStanding::Disabled => view! {
            <Alert>"The account with this address is turned off. Ask whoever invited you to turn it on again."</Alert>
        }
        .into_any(),
        _ => view! {
            <Alert>"Nobody can accept an invite here now. Ask whoever invited you for an account."</Alert>
        }
        .into_any(),
    };
    view! {
        <EntryPage title="You're invited" product=PRODUCT lead=lead_of(&invite)>
            {error.map(|error| view! { <Alert>{error}</Alert> })}
            {invite.note.map(|note| view! { <p class="said"><bdi>{note}</bdi></p> })}
            {content}
        </EntryPage>
    }
    .into_any()
}

fn lead_of(invite: &Invite) -> String {
    let role = words::of_role(invite.role);
    match invite.inviter.as_ref().and_then(|inviter| inviter.name.as_ref()) {
        // Isolated, so that a name can't turn the words around it (Unicode UAX #9).
        Some(name) => format!("\u{2068}{name}\u{2069} invited you to {PRODUCT} as {role}."),
        None => format!("You're invited to {PRODUCT} as {role}."),
    }
}

#[component]
fn NewcomerForm(invite: Invite, token: String, flash: Flash) -> impl IntoView {
    let [first_name, last_name] =
        ["first_name", "last_name"].map(|field| flash.typed_in(FORM, field).unwrap_or_default().to_owned());
    let [wrong_first, wrong_last, wrong_password] = [Field::FirstName, Field::LastName, Field::NewPassword]
        .map(|field| words::of_field(flash.error_of(FORM), field));
    view! {
        <PostForm action="/api/accept-invite">
            <HiddenField name="token" value=token />
            <TextField
                name="email"
                label="E-mail"
                kind="email"
                autocomplete="username"
                value=invite.email.to_string()
                readonly=true
            />
            <TextField
                name="first_name"
                label="First name"
                autocomplete="given-name"
                value=first_name
                error=wrong_first
                optional=true
                autofocus=true
            />
            <TextField
                name="last_name"
                label="Last name"
                autocomplete="family-name"
                value=last_name
                error=wrong_last
                optional=true
            />
            <PasswordField
                name="password".to_owned()
                label="Password".to_owned()
                autocomplete="new-password".to_owned()
                rules=true
                error=wrong_password
                email_field="email".to_owned()
            />
            <Button full=true>"Accept invite"</Button>
        </PostForm>
    }
}

#[component]
fn Ended(standing: InviteStanding, token: String, flash: Flash) -> AnyView {
    let (title, text) = match standing {
        InviteStanding::Expired => ("This invite has expired", "Its time is over. You can ask for a new one."),
        InviteStanding::Revoked => {
            ("This invite was taken back", "It can't be accepted any more. You can ask for a new one.")
        }
        InviteStanding::Accepted => {
            ("This invite was accepted", "It works once. Log in with the account that it made.")
        }
        InviteStanding::InviterGone => (
            "This invite is no longer valid",
            "Whoever sent it can't invite people any more. Ask somebody who runs this site for a new one.",
        ),
        _ => (
            "This link doesn't work",
            "There is no such invite, or it is gone. Check that the link is whole, or ask for a new invite.",
        ),
    };
    let may_ask = matches!(standing, InviteStanding::Expired | InviteStanding::Revoked);
    let asked = flash.done.map(words::of_done);
    view! {
        <MessagePage title=title product=PRODUCT text=text>
            {asked.map(|asked| view! { <Notice>{asked}</Notice> })}
            {may_ask
                .then(|| {
                    view! {
                        <PostForm action="/api/ask-for-invite" inline=true>
                            <HiddenField name="token" value=token />
                            <Button>"Ask for a new one"</Button>
                        </PostForm>
                    }
                })}
            <ButtonLink href="/login" kind=ButtonKind::Quiet>"Log in"</ButtonLink>
        </MessagePage>
    }
    .into_any()
}
