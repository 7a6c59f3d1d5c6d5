//! `/admin/invites`: what admins do with invites, for programs; and how a program accepts one for who holds its token.

mod answers;
mod query;

use axum::{
    Json,
    extract::{FromRequest, Request, State},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

pub use answers::{
    DeletedInvite, InviteAnswer, InviteList, InviteWithToken, MailName, OneInvite, OneNewInvite, StateName,
};
pub use query::{InvitesOrder, InvitesQuery};

use super::{
    body::Body,
    caller::{Caller, Manager},
    error::ApiError,
    params::{Params, pairs_of},
    path_id::PathId,
    users::{Nothing, OneUser, UserAnswer},
    values::{InviteLife, Metadata, Name, Note},
};
use crate::{
    events::Scope,
    flows::{self, Claim, Invitation, InviteTerms},
    shared::{EmailAddress, InviteId, Role},
    users::{self, Profile},
    web::state::WebState,
};

/// An invite that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewInvite)]
#[serde(deny_unknown_fields)]
pub struct NewInviteBody {
    /// To whom.
    pub email: EmailAddress,
    /// The role that is promised; a member's unless it is named.
    pub role: Option<Role>,
    /// What the letter adds: a few plain lines.
    pub note: Option<Note>,
    /// How long it lasts: a text such as `7d`, or a number of seconds; from 1 hour to 30 days.
    pub expires_in: Option<InviteLife>,
    /// What the application keeps with the invite.
    pub metadata: Option<Metadata>,
}

/// What an invite is accepted with.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AcceptInvite)]
#[serde(deny_unknown_fields)]
pub struct AcceptBody {
    /// The first name.
    pub first_name: Option<Name>,
    /// The last name.
    pub last_name: Option<Name>,
    /// The address of the account: the invited one. Where `invites.email_match` is `any`, the one that the identity is known
    /// by, and any where it is known by none.
    pub email: Option<EmailAddress>,
}

/// Lists invites.
///
/// One page, and how many there are in all. Each parameter narrows the list.
///
/// # Errors
/// 401, 403; 400 for a parameter that is not known or makes no sense.
#[utoipa::path(get, path = "/admin/invites", operation_id = "list_invites", params(InvitesQuery),
    responses((status = 200, body = InviteList)))]
pub async fn list(
    State(state): State<WebState>,
    Manager(scope): Manager,
    Params(query): Params<InvitesQuery>,
) -> Result<Json<InviteList>, ApiError> {
    let (filter, order, page) = (query.filter(), query.order(), query.page()?);
    let limit = query.limit.unwrap_or_default().0;
    let wanted = (&filter, order, &page);
    let found = match users::list_and_count_invites(&state.services.platform.db, &scope, wanted, limit).await {
        Err(users::Error::UnknownCursor) => return Err(ApiError::invalid_field("after", "there is no such invite")),
        other => other?,
    };
    let invites = found.invites.iter().map(|invite| InviteAnswer::new(invite, scope.now)).collect();
    let offset = query.offset.unwrap_or_default().0;
    Ok(Json(InviteList { invites, count: found.count.unwrap_or_default(), offset, limit }))
}

/// Invites somebody.
///
/// A link is mailed to them. The answer has the secret of the link as `token`, this once.
///
/// # Errors
/// 401, 403, 400, also where a user has the address; 422 where an invite for it is pending.
#[utoipa::path(post, path = "/admin/invites", operation_id = "create_invite", request_body = NewInviteBody,
    responses((status = 200, body = OneNewInvite),
        (status = 400, description = "`User account for following email(s) already exist: {email}`"),
        (status = 422, description = "`This e-mail address is invited already.`")))]
pub async fn create(
    State(state): State<WebState>,
    Manager(scope): Manager,
    Params(Nothing {}): Params<Nothing>,
    Body(new): Body<NewInviteBody>,
) -> Result<Json<OneNewInvite>, ApiError> {
    let terms = InviteTerms {
        role: new.role.unwrap_or(Role::Member),
        note: new.note.and_then(|note| note.0),
        expires_in: new.expires_in.map(|life| life.0),
        metadata: new.metadata.unwrap_or_default().0,
    };
    let text = format!("User account for following email(s) already exist: {}", new.email);
    match flows::invite(&state.services, &scope, Invitation { email: new.email, terms }).await {
        Err(flows::Error::HasAccount) => Err(ApiError::invalid_data(text)),
        Err(error) => Err(error.into()),
        Ok(invited) => with_token(&state, &scope, &invited).await,
    }
}

/// Shows an invite.
///
/// # Errors
/// 401, 403, 404.
#[utoipa::path(get, path = "/admin/invites/{id}", operation_id = "show_invite",
    responses((status = 200, body = OneInvite),
        (status = 404, description = "`Invite with id: {id} was not found`")))]
pub async fn show(
    State(state): State<WebState>,
    Manager(scope): Manager,
    PathId(id): PathId,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<OneInvite>, ApiError> {
    let found = flows::find_invite(&state.services, &scope, &known(&id)?).await.map_err(|error| about(&id, error))?;
    Ok(Json(OneInvite { invite: InviteAnswer::new(&found, scope.now) }))
}

/// Deletes an invite.
///
/// Its links end.
///
/// # Errors
/// 401, 403, 404.
#[utoipa::path(delete, path = "/admin/invites/{id}", operation_id = "delete_invite",
    responses((status = 200, body = DeletedInvite),
        (status = 404, description = "`Invite with id: {id} was not found`")))]
pub async fn delete(
    State(state): State<WebState>,
    Manager(scope): Manager,
    PathId(id): PathId,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<DeletedInvite>, ApiError> {
    let invite = known(&id)?;
    flows::delete_invite(&state.services, &scope, &invite).await.map_err(|error| about(&id, error))?;
    Ok(Json(DeletedInvite { id: invite, object: "invite", deleted: true }))
}

/// Sends an invite again.
///
/// With a new link and a new end. The older links go on to work until one is used. The answer has the secret of the new
/// one as `token`, this once.
///
/// # Errors
/// 401, 403, 404; `not_allowed` for one that was accepted or taken back.
#[utoipa::path(post, path = "/admin/invites/{id}/resend", operation_id = "resend_invite",
    responses((status = 200, body = OneNewInvite),
        (status = 400, description = "`This invite was accepted or taken back.`: `not_allowed`"),
        (status = 404, description = "`Invite with id: {id} was not found`")))]
pub async fn resend(
    State(state): State<WebState>,
    Manager(scope): Manager,
    (PathId(id), Params(Nothing {})): (PathId, Params<Nothing>),
    Body(Nothing {}): Body<Nothing>,
) -> Result<Json<OneNewInvite>, ApiError> {
    let resent = flows::resend_invite(&state.services, &scope, &known(&id)?).await;
    with_token(&state, &scope, &resent.map_err(|error| about(&id, error))?).await
}

/// What may follow the address at which an invite is accepted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `accept` reads for itself")]
struct AcceptQuery {
    /// The secret of the invite's link.
    #[param(example = "vQ8nZ0m5bTqkq2cS3gJv1Q")]
    token: String,
}

/// Accepts an invite.
///
/// Makes the user that was promised, for the identity of the bearer token. A refresh of that token then names the user.
/// Whatever is wrong with an invite or with its token is answered alike.
///
/// # Errors
/// 400 for a body that can't be read and for who has a user already, 429 for who tries too often; 401 for all else.
#[utoipa::path(post, path = "/admin/invites/accept", operation_id = "accept_invite", params(AcceptQuery),
    request_body = AcceptBody,
    responses((status = 200, body = OneUser),
        (status = 400, description = "`The user is already authenticated and cannot accept an invite.`"),
        (status = 429)))]
pub async fn accept(
    State(state): State<WebState>,
    caller: Caller,
    request: Request,
) -> Result<Json<OneUser>, ApiError> {
    let holder = caller.holder.as_ref().ok_or_else(ApiError::not_logged_in)?;
    let (parts, body) = request.into_parts();
    // A token that makes no sense is as good as a wrong one, so it is not read as strictly as other parameters.
    let token = pairs_of(&parts)?.into_iter().find(|(name, _)| name == "token").map(|(_, token)| token);
    let Body(body) = Body::<AcceptBody>::from_request(Request::from_parts(parts, body), &state).await?;
    let name = |name: Option<Name>| name.and_then(|name| name.0);
    let claim = Claim {
        token: token.unwrap_or_default(),
        profile: Profile { first_name: name(body.first_name), last_name: name(body.last_name) },
        email: body.email,
    };
    let accepted = flows::accept_invite_by_identity(&state.services, &caller.scope, (holder, &claim)).await;
    let user = accepted.map_err(refusal)?;
    Ok(Json(OneUser { user: UserAnswer::from(&user) }))
}

/// Nobody is told by a refusal what is wrong with an invite.
fn refusal(error: flows::Error) -> ApiError {
    use flows::Error as Fact;
    match error {
        Fact::InvalidData(_) | Fact::TooManyTries { .. } | Fact::Busy { .. } | Fact::Internal(_) => error.into(),
        _ => ApiError::not_logged_in(),
    }
}

async fn with_token(state: &WebState, scope: &Scope, invited: &flows::Invited) -> Result<Json<OneNewInvite>, ApiError> {
    let found = flows::find_invite(&state.services, scope, &invited.id).await;
    let found = found.map_err(|error| about(invited.id.as_str(), error))?;
    let token = invited.token.expose().to_owned();
    Ok(Json(OneNewInvite { invite: InviteWithToken { invite: InviteAnswer::new(&found, scope.now), token } }))
}

/// What can be the id of an invite.
fn known(id: &str) -> Result<InviteId, ApiError> {
    InviteId::parse(id).ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> ApiError {
    ApiError::not_found(format!("Invite with id: {id} was not found"))
}

fn about(id: &str, error: flows::Error) -> ApiError {
    match error {
        flows::Error::NotFound => not_found(id),
        flows::Error::InviteEnded => ApiError::not_allowed("This invite was accepted or taken back."),
        other => other.into(),
    }
}
