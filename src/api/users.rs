//! `/admin/users`: what admins do with users, for programs.

mod answers;
mod query;

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Map, Value};

pub use answers::{DeletedUser, EndedSessions, OneUser, SessionAnswer, UserAnswer, UserList, UserSessions};
pub use query::UsersQuery;

use super::{
    body::Body,
    caller::{LoggedIn, Manager},
    error::ApiError,
    fields::Fields,
    params::Params,
    path_id::PathId,
    values::{Metadata, Name, Picture},
};
use crate::{
    events::Scope,
    flows::{self, UserChanges, Vouched},
    shared::{Change, EmailAddress, Role, UserId},
    users::{self, Profile},
    web::state::WebState,
};

/// What may follow the address of one user.
#[derive(Debug, Default, Deserialize)]
pub struct UserQuery {
    /// Which fields of the user are answered.
    pub fields: Option<Fields>,
}

/// A user that is to be created; they get a link by which they choose a password.
#[derive(Debug, Deserialize)]
pub struct NewUserBody {
    /// The address; it counts as verified.
    pub email: EmailAddress,
    /// The first name.
    pub first_name: Option<Name>,
    /// The last name.
    pub last_name: Option<Name>,
    /// The role; a member's unless it is named.
    pub role: Option<Role>,
    /// What the application keeps with the user.
    pub metadata: Option<Metadata>,
}

/// What is changed about a user. What is left out stays, `null` takes away.
#[derive(Debug, Deserialize)]
pub struct UserChangesBody {
    /// The first name.
    #[serde(default)]
    pub first_name: Change<Name>,
    /// The last name.
    #[serde(default)]
    pub last_name: Change<Name>,
    /// Where a picture is: an `http` or `https` URL.
    #[serde(default)]
    pub avatar_url: Change<Picture>,
    /// The role.
    pub role: Option<Role>,
    /// What the application keeps with the user; replaces what was there as a whole.
    #[serde(default)]
    pub metadata: Change<Metadata>,
}

/// Nothing at all.
#[derive(Debug, Deserialize)]
pub struct Nothing {}

/// `GET /admin/users`: one page of users, and how many there are in all.
///
/// # Errors
/// 401, 403; 400 for a parameter that is not known or makes no sense.
pub async fn list(
    State(state): State<WebState>,
    Manager(scope): Manager,
    Params(query): Params<UsersQuery>,
) -> Result<Json<UserList>, ApiError> {
    let shown = query.fields.clone().unwrap_or_default().choose(&UserAnswer::FIELDS)?;
    let (filter, order, page) = (query.filter()?, query.order(), query.page()?);
    let limit = query.limit.unwrap_or_default().0;
    let wanted = (&filter, order, &page);
    let found = match users::list_and_count(&state.services.platform.db, &scope, wanted, limit).await {
        Err(users::Error::UnknownCursor) => return Err(ApiError::invalid_field("after", "there is no such user")),
        other => other?,
    };
    let users = found.users.iter().map(|user| shown.of(&UserAnswer::from(user))).collect::<Result<_, _>>()?;
    let offset = query.offset.unwrap_or_default().0;
    Ok(Json(UserList { users, count: found.count.unwrap_or_default(), offset, limit }))
}

/// `POST /admin/users`: creates a user, to whom a link to set a password is mailed.
///
/// # Errors
/// 401, 403, 400; 422 where a user has the address.
pub async fn create(
    State(state): State<WebState>,
    Manager(scope): Manager,
    Params(query): Params<UserQuery>,
    Body(new): Body<NewUserBody>,
) -> Result<Json<OneUser>, ApiError> {
    let shown = query.fields.unwrap_or_default().choose(&UserAnswer::FIELDS)?;
    let name = |name: Option<Name>| name.and_then(|name| name.0);
    let vouched = Vouched {
        email: new.email,
        profile: Profile { first_name: name(new.first_name), last_name: name(new.last_name) },
        role: new.role.unwrap_or(Role::Member),
        metadata: new.metadata.unwrap_or_default().0,
        is_kept: true,
    };
    let (user, _) = flows::create_without_password(&state.services, &scope, vouched).await?;
    Ok(Json(OneUser { user: shown.of(&UserAnswer::from(&user))? }))
}

/// `GET /admin/users/me`: who asks.
///
/// # Errors
/// 401.
pub async fn me(LoggedIn { user, .. }: LoggedIn, Params(query): Params<UserQuery>) -> Result<Json<OneUser>, ApiError> {
    answer(query, &user)
}

/// `GET /admin/users/{id}`.
///
/// # Errors
/// 401, 403, 404.
pub async fn show(
    State(state): State<WebState>,
    Manager(scope): Manager,
    PathId(id): PathId,
    Params(query): Params<UserQuery>,
) -> Result<Json<OneUser>, ApiError> {
    let user = flows::find_user(&state.services, &scope, &known(&id)?).await.map_err(|error| about(&id, error))?;
    answer(query, &user)
}

/// `POST /admin/users/{id}`: changes a user; all that is asked for, or nothing.
///
/// # Errors
/// 401, 403, 404, 400; `not_allowed` for demoting oneself or the last admin.
pub async fn update(
    State(state): State<WebState>,
    Manager(scope): Manager,
    (PathId(id), Params(query)): (PathId, Params<UserQuery>),
    Body(body): Body<UserChangesBody>,
) -> Result<Json<OneUser>, ApiError> {
    let shown = query.fields.unwrap_or_default().choose(&UserAnswer::FIELDS)?;
    let changes = UserChanges {
        first_name: body.first_name.and_then(|name| name.0),
        last_name: body.last_name.and_then(|name| name.0),
        avatar_url: body.avatar_url.and_then(|url| Some(url.0)),
        metadata: body.metadata.and_then(|metadata| Some(metadata.0)),
        role: body.role,
    };
    let updated = flows::update_user(&state.services, &scope, &known(&id)?, changes).await;
    let user = updated.map_err(|error| about(&id, error))?;
    Ok(Json(OneUser { user: shown.of(&UserAnswer::from(&user))? }))
}

/// `DELETE /admin/users/{id}`: deletes a user with all that belongs to them.
///
/// # Errors
/// 401, 403, 404; `not_allowed` for oneself and for the last admin.
pub async fn delete(
    State(state): State<WebState>,
    Manager(scope): Manager,
    PathId(id): PathId,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<DeletedUser>, ApiError> {
    match flows::delete_user(&state.services, &scope, &known(&id)?).await {
        Err(flows::Error::Yourself) => Err(ApiError::not_allowed("A user cannot delete itself")),
        Err(error) => Err(about(&id, error)),
        Ok(()) => Ok(Json(DeletedUser { id, object: "user", deleted: true })),
    }
}

/// `POST /admin/users/{id}/disable`: turns a user off; their sessions and tokens end.
///
/// # Errors
/// 401, 403, 404; `not_allowed` for oneself and for the last admin.
pub async fn disable(
    State(state): State<WebState>,
    Manager(scope): Manager,
    (PathId(id), Params(Nothing {})): (PathId, Params<Nothing>),
    Body(Nothing {}): Body<Nothing>,
) -> Result<Json<OneUser>, ApiError> {
    let user = known(&id)?;
    flows::disable_user(&state.services, &scope, &user).await.map_err(|error| about(&id, error))?;
    as_they_are(&state, &scope, &user).await
}

/// `POST /admin/users/{id}/enable`: turns a user on again.
///
/// # Errors
/// 401, 403, 404.
pub async fn enable(
    State(state): State<WebState>,
    Manager(scope): Manager,
    (PathId(id), Params(Nothing {})): (PathId, Params<Nothing>),
    Body(Nothing {}): Body<Nothing>,
) -> Result<Json<OneUser>, ApiError> {
    let user = known(&id)?;
    flows::enable_user(&state.services, &scope, &user).await.map_err(|error| about(&id, error))?;
    as_they_are(&state, &scope, &user).await
}

/// `GET /admin/users/{id}/sessions`: where a user is logged in, the last seen first, 200 at most.
///
/// # Errors
/// 401, 403, 404.
pub async fn sessions(
    State(state): State<WebState>,
    Manager(scope): Manager,
    PathId(id): PathId,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<UserSessions>, ApiError> {
    let details = flows::user_details(&state.services, &scope, &known(&id)?).await;
    let details = details.map_err(|error| about(&id, error))?;
    let sessions = details.sessions.iter().map(|session| SessionAnswer::new(session, &scope)).collect();
    Ok(Json(UserSessions { sessions }))
}

/// `DELETE /admin/users/{id}/sessions`: ends all sessions of a user but the one that asks.
///
/// # Errors
/// 401, 403, 404.
pub async fn end_sessions(
    State(state): State<WebState>,
    Manager(scope): Manager,
    PathId(id): PathId,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<EndedSessions>, ApiError> {
    let ended = flows::end_user_sessions(&state.services, &scope, &known(&id)?).await;
    Ok(Json(EndedSessions { count: ended.map_err(|error| about(&id, error))? }))
}

fn answer(query: UserQuery, user: &users::User) -> Result<Json<OneUser>, ApiError> {
    let shown = query.fields.unwrap_or_default().choose(&UserAnswer::FIELDS)?;
    Ok(Json(OneUser { user: shown.of(&UserAnswer::from(user))? }))
}

async fn as_they_are(state: &WebState, scope: &Scope, id: &UserId) -> Result<Json<OneUser>, ApiError> {
    let user = flows::find_user(&state.services, scope, id).await.map_err(|error| about(id.as_str(), error))?;
    answer(UserQuery::default(), &user)
}

/// What can be the id of a user.
fn known(id: &str) -> Result<UserId, ApiError> {
    UserId::parse(id).ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> ApiError {
    ApiError::not_found(format!("User with id: {id} was not found"))
}

fn about(id: &str, error: flows::Error) -> ApiError {
    match error {
        flows::Error::NotFound => not_found(id),
        other => other.into(),
    }
}

/// What an answer shows of a user.
pub type ShownUser = Map<String, Value>;
