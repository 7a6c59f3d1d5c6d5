//! `/dashboard/invites/{id}`: one invite, and what can be done with it: send again, show a link to hand on, take back,
//! delete. Grave acts say first what they do: the question is a page of its own, by `?confirm=`.

mod view;

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;

use crate::{
    flows::{self, Invited},
    shared::{FormError, InviteId},
    users,
    web::{
        http::{
            error::PageError,
            flash::Done,
            form::{Call, Origin, current_call},
            next::{OwnPath, query_value},
            page::page,
            scope::Manager,
        },
        state::WebState,
    },
};

use view::{InvitePage, Question, Shown};

/// What may follow the address of an invite.
#[derive(Deserialize)]
pub struct InviteQuery {
    confirm: Option<String>,
}

/// `GET /dashboard/invites/{id}`.
///
/// # Errors
/// [`PageError::NotLoggedIn`], [`PageError::Forbidden`], [`PageError::NotFound`].
pub async fn show(
    State(state): State<WebState>,
    manager: Manager,
    Path(id): Path<String>,
    Query(query): Query<InviteQuery>,
) -> Result<Response, PageError> {
    let Manager(logged_in) = manager;
    let id = InviteId::parse(&id).ok_or(PageError::NotFound)?;
    let invite = users::find_invite(&state.services.platform.db, &id).await?.ok_or(PageError::NotFound)?;
    let flash = logged_in.asked.flash.clone();
    let shown = Shown {
        link: flash.typed_in(&shown_by(&id), "link").map(str::to_owned),
        question: query.confirm.as_deref().and_then(Question::parse),
        flash,
        is_mailed: state.services.platform.outbox.is_sent(),
        now: logged_in.asked.scope.now,
    };
    let viewer = logged_in.viewer();
    Ok(page(&state, &logged_in.asked, move || view! { <InvitePage viewer=viewer invite=invite shown=shown /> }))
}

/// Sends an invite again: a new link and a new end. Answers the link where no mail carries it.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the invite.
#[server(endpoint = "resend-invite")]
pub async fn resend_invite(
    /// Which.
    #[server(default)]
    id: String,
) -> Result<String, FormError> {
    let call = current_call()?;
    let Some(id) = InviteId::parse(&id) else { return nowhere(&call) };
    match flows::resend_invite(call.services(), call.scope(), &id).await {
        Ok(_) if call.services().platform.outbox.is_sent() => {
            call.go_on(&address_of(&id), Some(Done::InviteResent)).map(|()| String::new())
        }
        Ok(invited) => show_link(&call, &invited),
        Err(error) => refuse(&call, ("resend-invite", &id), error).map(|()| String::new()),
    }
}

/// Makes another link for an invite and shows it once. Answers the link.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the invite.
#[server(endpoint = "show-invite-link")]
pub async fn show_invite_link(
    /// Which.
    #[server(default)]
    id: String,
) -> Result<String, FormError> {
    let call = current_call()?;
    let Some(id) = InviteId::parse(&id) else { return nowhere(&call) };
    match flows::new_invite_link(call.services(), call.scope(), &id).await {
        Ok(invited) => show_link(&call, &invited),
        Err(error) => refuse(&call, ("show-invite-link", &id), error).map(|()| String::new()),
    }
}

/// Takes an invite back.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the invite.
#[server(endpoint = "revoke-invite")]
pub async fn revoke_invite(
    /// Which.
    #[server(default)]
    id: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let Some(id) = InviteId::parse(&id) else { return nowhere(&call).map(drop) };
    match flows::revoke_invite(call.services(), call.scope(), &id).await {
        Ok(()) => call.go_on(&address_of(&id), Some(Done::InviteRevoked)),
        Err(error) => refuse(&call, ("revoke-invite", &id), error),
    }
}

/// Deletes an invite.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the invite.
#[server(endpoint = "delete-invite")]
pub async fn delete_invite(
    /// Which.
    #[server(default)]
    id: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let Some(id) = InviteId::parse(&id) else { return nowhere(&call).map(drop) };
    match flows::delete_invite(call.services(), call.scope(), &id).await {
        Ok(()) => call.go_on(&OwnPath::known("/dashboard/invites"), Some(Done::InviteDeleted)),
        Err(error) => refuse(&call, ("delete-invite", &id), error),
    }
}

/// Sends a form to the page of the invite, which shows the link once; a script is answered the link.
fn show_link(call: &Call, invited: &Invited) -> Result<String, FormError> {
    let link = call.url(&format!("/link/{}", invited.token.expose()));
    call.tell(&address_of(&invited.id), (&shown_by(&invited.id), [("link", link.clone())]))?;
    Ok(if call.is_form() { String::new() } else { link })
}

/// What a shown link is kept under, so that no other page shows it.
fn shown_by(id: &InviteId) -> String {
    format!("invite-link {id}")
}

fn refuse(call: &Call, (form, id): (&'static str, &InviteId), error: flows::Error) -> Result<(), FormError> {
    call.refuse_for(Origin::new(form, address_of(id).as_str()), error)
}

fn nowhere(call: &Call) -> Result<String, FormError> {
    call.refuse(Origin::new("invite", "/dashboard/invites"), FormError::NotFound).map(|()| String::new())
}

fn address_of(id: &InviteId) -> OwnPath {
    let path = format!("/dashboard/invites/{}", query_value(id.as_str()).replace('/', "%2F"));
    OwnPath::parse(&path).unwrap_or_else(|| OwnPath::known("/dashboard/invites"))
}
