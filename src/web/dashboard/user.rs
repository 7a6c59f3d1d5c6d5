//! `/dashboard/users/{id}`: one user, how they come in and where they are logged in; turn off and on, change the role,
//! end sessions, delete. Grave acts say first what they do: the question is a page of its own, by `?confirm=`.

mod view;

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;

use crate::{
    flows,
    shared::{EmailAddress, Field, FormError, Problem, Role, UserId},
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

use view::{Question, Shown, UserPage};

/// What may follow the address of a user.
#[derive(Deserialize)]
pub struct UserQuery {
    confirm: Option<String>,
}

/// `GET /dashboard/users/{id}`.
///
/// # Errors
/// [`PageError::NotLoggedIn`], [`PageError::Forbidden`], [`PageError::NotFound`].
pub async fn show(
    State(state): State<WebState>,
    manager: Manager,
    Path(id): Path<String>,
    Query(query): Query<UserQuery>,
) -> Result<Response, PageError> {
    let Manager(logged_in) = manager;
    let id = UserId::parse(&id).ok_or(PageError::NotFound)?;
    let details = flows::user_details(&state.services, &logged_in.asked.scope, &id).await?;
    let shown = Shown {
        question: query.confirm.as_deref().and_then(Question::parse),
        flash: logged_in.asked.flash.clone(),
        scope: logged_in.asked.scope.clone(),
    };
    let viewer = logged_in.viewer();
    Ok(page(&state, &logged_in.asked, move || view! { <UserPage viewer=viewer details=details shown=shown /> }))
}

/// Turns a user off.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the user.
#[server(endpoint = "disable-user")]
pub async fn disable_user(
    /// Whose, or which.
    #[server(default)]
    id: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let Some(id) = UserId::parse(&id) else { return call.refuse(nowhere(), FormError::NotFound) };
    let answer = flows::disable_user(call.services(), call.scope(), &id).await.map(Done::UserDisabled);
    finish(&call, "disable-user", &id, answer)
}

/// Turns a user on again.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the user.
#[server(endpoint = "enable-user")]
pub async fn enable_user(
    /// Whose, or which.
    #[server(default)]
    id: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let Some(id) = UserId::parse(&id) else { return call.refuse(nowhere(), FormError::NotFound) };
    let answer = flows::enable_user(call.services(), call.scope(), &id).await.map(|()| Done::UserEnabled);
    finish(&call, "enable-user", &id, answer)
}

/// Gives a user another role.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the user.
#[server(endpoint = "change-role")]
pub async fn change_role(
    /// Whose, or which.
    #[server(default)]
    id: String,
    /// The role to be given.
    #[server(default)]
    role: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let Some(id) = UserId::parse(&id) else { return call.refuse(nowhere(), FormError::NotFound) };
    let Ok(role) = role.parse::<Role>() else {
        let origin = Origin::new("change-role", address_of(&id));
        return call.refuse(origin, FormError::Invalid { field: Field::Role, problem: Problem::Invalid });
    };
    let answer = flows::change_role(call.services(), call.scope(), &id, role).await.map(|()| Done::RoleChanged);
    finish(&call, "change-role", &id, answer)
}

/// Ends all sessions of a user.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the user.
#[server(endpoint = "end-user-sessions")]
pub async fn end_user_sessions(
    /// Whose, or which.
    #[server(default)]
    id: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let Some(id) = UserId::parse(&id) else { return call.refuse(nowhere(), FormError::NotFound) };
    let answer = flows::end_user_sessions(call.services(), call.scope(), &id).await.map(Done::SessionsEnded);
    finish(&call, "end-user-sessions", &id, answer)
}

/// Deletes a user whose e-mail address was typed to confirm it.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the question.
#[server(endpoint = "delete-user")]
pub async fn delete_user(
    /// Whose, or which.
    #[server(default)]
    id: String,
    /// The e-mail address, typed to confirm.
    #[server(default)]
    confirm: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let Some(id) = UserId::parse(&id) else { return call.refuse(nowhere(), FormError::NotFound) };
    let question = format!("{}?confirm=delete", address_of(&id));
    let origin = Origin::new("delete-user", question).keep("confirm", &confirm);
    let details = match flows::user_details(call.services(), call.scope(), &id).await {
        Ok(details) => details,
        Err(error) => return call.refuse_for(origin, error),
    };
    if EmailAddress::parse(&confirm).as_ref() != Ok(&details.user.email) {
        return call.refuse(origin, FormError::Invalid { field: Field::Confirm, problem: Problem::Invalid });
    }
    match flows::delete_user(call.services(), call.scope(), &id).await {
        Ok(()) => call.go_on(&OwnPath::known("/dashboard/users"), Some(Done::UserDeleted)),
        Err(error) => call.refuse_for(origin, error),
    }
}

fn finish(call: &Call, form: &'static str, id: &UserId, answer: Result<Done, flows::Error>) -> Result<(), FormError> {
    let address = address_of(id);
    match answer {
        Ok(done) => {
            call.go_on(&OwnPath::parse(&address).unwrap_or_else(|| OwnPath::known("/dashboard/users")), Some(done))
        }
        Err(error) => call.refuse_for(Origin::new(form, address), error),
    }
}

/// Where a form goes back to that names nobody.
fn nowhere() -> Origin {
    Origin::new("user", "/dashboard/users")
}

fn address_of(id: &UserId) -> String {
    format!("/dashboard/users/{}", query_value(id.as_str()).replace('/', "%2F"))
}
