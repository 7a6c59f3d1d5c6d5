//! `/admin/users`: what admins do with users, for programs.

mod answers;
mod query;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

pub use answers::{
    DeletedUser, EndedSessions, OneShownUser, OneUser, SessionAnswer, StatusName, UserAnswer, UserList, UserSessions,
};
pub use query::{UserOrder, UsersQuery};

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
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UserQuery {
    /// Which fields of the user are answered: `email,role` these and the id, `-metadata` all but that.
    pub fields: Option<Fields>,
}

/// A user that is to be created; they get a link by which they choose a password.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewUser)]
#[serde(deny_unknown_fields)]
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
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UserChanges)]
#[serde(deny_unknown_fields)]
pub struct UserChangesBody {
    /// The first name.
    #[serde(default)]
    #[schema(value_type = Option<Name>)]
    pub first_name: Change<Name>,
    /// The last name.
    #[serde(default)]
    #[schema(value_type = Option<Name>)]
    pub last_name: Change<Name>,
    /// Where a picture is: an `http` or `https` URL.
    #[serde(default)]
    #[schema(value_type = Option<Picture>)]
    pub avatar_url: Change<Picture>,
    /// The role.
    pub role: Option<Role>,
    /// What the application keeps with the user; replaces what was there as a whole.
    #[serde(default)]
    #[schema(value_type = Option<Metadata>)]
    pub metadata: Change<Metadata>,
}

/// Nothing at all.
#[derive(Debug, Deserialize)]
pub struct Nothing {}

/// Lists users.
///
/// One page, and how many there are in all. Each parameter narrows the list. `offset` counts; `after` misses nobody
/// while others come.
///
/// # Errors
/// 401, 403; 400 for a parameter that is not known or makes no sense.
#[utoipa::path(get, path = "/admin/users", operation_id = "list_users", params(UsersQuery),
    responses((status = 200, body = UserList)))]
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
    let users = found.users.iter().map(|user| shown.of(&UserAnswer::from(user)).map(ShownUser));
    let users = users.collect::<Result<_, _>>()?;
    let offset = query.offset.unwrap_or_default().0;
    Ok(Json(UserList { users, count: found.count.unwrap_or_default(), offset, limit }))
}

/// Creates a user.
///
/// Their address counts as verified. A link by which they set a password is mailed to them; it waits at
/// `/dashboard/mail` where no mail leaves.
///
/// # Errors
/// 401, 403, 400; 422 where a user has the address.
#[utoipa::path(post, path = "/admin/users", operation_id = "create_user", params(UserQuery), request_body = NewUserBody,
    responses((status = 200, body = OneShownUser),
        (status = 422, description = "`A user with this e-mail address exists.`")))]
pub async fn create(
    State(state): State<WebState>,
    Manager(scope): Manager,
    Params(query): Params<UserQuery>,
    Body(new): Body<NewUserBody>,
) -> Result<Json<OneShownUser>, ApiError> {
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
    Ok(Json(OneShownUser { user: ShownUser(shown.of(&UserAnswer::from(&user))?) }))
}

/// Shows the user who asks.
///
/// # Errors
/// 401.
#[utoipa::path(get, path = "/admin/users/me", operation_id = "show_me", params(UserQuery),
    responses((status = 200, body = OneShownUser)))]
pub async fn me(
    LoggedIn { user, .. }: LoggedIn,
    Params(query): Params<UserQuery>,
) -> Result<Json<OneShownUser>, ApiError> {
    answer(query, &user)
}

/// Shows a user.
///
/// # Errors
/// 401, 403, 404.
#[utoipa::path(get, path = "/admin/users/{id}", operation_id = "show_user", params(UserQuery),
    responses((status = 200, body = OneShownUser),
        (status = 404, description = "`User with id: {id} was not found`")))]
pub async fn show(
    State(state): State<WebState>,
    Manager(scope): Manager,
    PathId(id): PathId,
    Params(query): Params<UserQuery>,
) -> Result<Json<OneShownUser>, ApiError> {
    let user = flows::find_user(&state.services, &scope, &known(&id)?).await.map_err(|error| about(&id, error))?;
    answer(query, &user)
}

/// Changes a user.
///
/// All that is asked for is done, or nothing. Whoever loses or gains the role of an admin is logged out everywhere.
///
/// # Errors
/// 401, 403, 404, 400; `not_allowed` for demoting oneself or the last admin.
#[utoipa::path(post, path = "/admin/users/{id}", operation_id = "update_user", params(UserQuery),
    request_body = UserChangesBody,
    responses((status = 200, body = OneShownUser),
        (status = 400, description = "`A user cannot do this to itself`, nor take the last admin's role: `not_allowed`"),
        (status = 404, description = "`User with id: {id} was not found`")))]
pub async fn update(
    State(state): State<WebState>,
    Manager(scope): Manager,
    (PathId(id), Params(query)): (PathId, Params<UserQuery>),
    Body(body): Body<UserChangesBody>,
) -> Result<Json<OneShownUser>, ApiError> {
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
    Ok(Json(OneShownUser { user: ShownUser(shown.of(&UserAnswer::from(&user))?) }))
}

/// Deletes a user.
///
/// All that belongs to them goes as well; their address may register again, and is somebody new then.
///
/// # Errors
/// 401, 403, 404; `not_allowed` for oneself and for the last admin.
#[utoipa::path(delete, path = "/admin/users/{id}", operation_id = "delete_user",
    responses((status = 200, body = DeletedUser),
        (status = 400, description = "`A user cannot delete itself`, nor the last admin: `not_allowed`"),
        (status = 404, description = "`User with id: {id} was not found`")))]
pub async fn delete(
    State(state): State<WebState>,
    Manager(scope): Manager,
    PathId(id): PathId,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<DeletedUser>, ApiError> {
    let user = known(&id)?;
    match flows::delete_user(&state.services, &scope, &user).await {
        Err(flows::Error::Yourself) => Err(ApiError::not_allowed("A user cannot delete itself")),
        Err(error) => Err(about(&id, error)),
        Ok(()) => Ok(Json(DeletedUser { id: user, object: "user", deleted: true })),
    }
}

/// Turns a user off.
///
/// Their sessions and tokens end.
///
/// # Errors
/// 401, 403, 404; `not_allowed` for oneself and for the last admin.
#[utoipa::path(post, path = "/admin/users/{id}/disable", operation_id = "disable_user",
    responses((status = 200, body = OneUser),
        (status = 400, description = "`A user cannot do this to itself`, nor to the last admin: `not_allowed`"),
        (status = 404, description = "`User with id: {id} was not found`")))]
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

/// Turns a user on again.
///
/// # Errors
/// 401, 403, 404.
#[utoipa::path(post, path = "/admin/users/{id}/enable", operation_id = "enable_user",
    responses((status = 200, body = OneUser),
        (status = 404, description = "`User with id: {id} was not found`")))]
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

/// Lists the sessions of a user.
///
/// The last seen first, 200 at most.
///
/// # Errors
/// 401, 403, 404.
#[utoipa::path(get, path = "/admin/users/{id}/sessions", operation_id = "list_sessions",
    responses((status = 200, body = UserSessions),
        (status = 404, description = "`User with id: {id} was not found`")))]
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

/// Ends the sessions of a user.
///
/// All but the one that asks.
///
/// # Errors
/// 401, 403, 404.
#[utoipa::path(delete, path = "/admin/users/{id}/sessions", operation_id = "end_sessions",
    responses((status = 200, body = EndedSessions),
        (status = 404, description = "`User with id: {id} was not found`")))]
pub async fn end_sessions(
    State(state): State<WebState>,
    Manager(scope): Manager,
    PathId(id): PathId,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<EndedSessions>, ApiError> {
    let ended = flows::end_user_sessions(&state.services, &scope, &known(&id)?).await;
    Ok(Json(EndedSessions { count: ended.map_err(|error| about(&id, error))? }))
}

fn answer(query: UserQuery, user: &users::User) -> Result<Json<OneShownUser>, ApiError> {
    let shown = query.fields.unwrap_or_default().choose(&UserAnswer::FIELDS)?;
    Ok(Json(OneShownUser { user: ShownUser(shown.of(&UserAnswer::from(user))?) }))
}

async fn as_they_are(state: &WebState, scope: &Scope, id: &UserId) -> Result<Json<OneUser>, ApiError> {
    let user = flows::find_user(&state.services, scope, id).await.map_err(|error| about(id.as_str(), error))?;
    Ok(Json(OneUser { user: UserAnswer::from(&user) }))
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

/// What an answer shows of a user: all fields, or those that were asked for; the id always.
#[derive(Debug, Serialize)]
pub struct ShownUser(pub Map<String, Value>);
