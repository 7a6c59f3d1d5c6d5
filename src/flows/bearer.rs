//! Bearer tokens: each names whom its session is for, and ends with it. Who has one gets another, or a cookie of the same
//! session; a token of an identity that has got a user meanwhile becomes the user's.

use std::{collections::BTreeMap, sync::OnceLock};

use serde_json::{Map, Value, json};
use sqlx::Row;

use super::{
    Error, Guest, Resumed, Services, USER, authority, external_user, login::admit, resume::note_seen,
    services::client_subject,
};
use crate::{
    auth::{self, AuthIdentity},
    events::{self, Event, EventKind, Scope},
    platform::{Bucket, Signer, Timestamp, TokenHash, Tx},
    sessions::{self, Claims, Opened, Session, TOKEN_LIFETIME},
    shared::{ExternalUser, ProviderId, SessionId, UserId},
    users::{self, User},
};

/// Where the columns of the session begin, behind those of the user.
const SESSION_AT: usize = 12;

/// Who is behind a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Holder {
    /// What kind of account it is for.
    pub actor_type: String,
    /// The user, where there is one.
    pub user: Option<User>,
    /// The session.
    pub session: Session,
}

impl From<&Resumed> for Holder {
    fn from(resumed: &Resumed) -> Self {
        Self { actor_type: USER.to_owned(), user: Some(resumed.user.clone()), session: resumed.session.clone() }
    }
}

impl From<&Guest> for Holder {
    fn from(guest: &Guest) -> Self {
        Self { actor_type: USER.to_owned(), user: None, session: guest.session.clone() }
    }
}

/// Whom a token names.
pub(super) struct Subject {
    actor_id: String,
    actor_type: String,
    auth_identity_id: String,
    auth_provider: String,
    app_metadata: BTreeMap<String, String>,
    user_metadata: Map<String, Value>,
}

impl Subject {
    pub(super) fn of_identity(actor_type: &str, identity: &AuthIdentity) -> Self {
        Self {
            actor_id: identity.actor_id(actor_type).unwrap_or_default().to_owned(),
            actor_type: actor_type.to_owned(),
            auth_identity_id: identity.id.to_string(),
            auth_provider: identity.provider_identity.provider.to_string(),
            app_metadata: identity.app_metadata.clone(),
            user_metadata: identity.provider_identity.user_metadata.clone(),
        }
    }

    pub(super) fn of_external(actor_type: &str, user: &ExternalUser, provider: &ProviderId) -> Self {
        Self {
            actor_id: user.id.clone(),
            actor_type: actor_type.to_owned(),
            auth_identity_id: String::new(),
            auth_provider: provider.to_string(),
            app_metadata: BTreeMap::new(),
            user_metadata: external_user::metadata_of(user),
        }
    }
}

/// Issues a token of a session, which it does not outlive.
pub(super) async fn issue(
    services: &Services,
    (signer, now): (&Signer, Timestamp),
    subject: Subject,
    (session, tx): ((&SessionId, Timestamp), &mut Tx),
) -> Result<String, Error> {
    let (session, session_ends_at) = session;
    let expires_at = now.plus(TOKEN_LIFETIME).min(session_ends_at);
    let claims = Claims {
        actor_id: subject.actor_id,
        actor_type: subject.actor_type,
        auth_identity_id: subject.auth_identity_id,
        auth_provider: subject.auth_provider,
        app_metadata: subject.app_metadata,
        user_metadata: subject.user_metadata,
        iat: now.as_micros().div_euclid(1_000_000),
        exp: expires_at.as_micros().div_euclid(1_000_000),
        jti: services.platform.entropy.uuid_v7(now),
    };
    let token = signer.sign(&serde_json::to_vec(&claims).map_err(Error::internal)?);
    sessions::keep_token(tx, session, (&token, expires_at)).await?;
    Ok(token)
}

/// Who is behind a bearer token, if its session lives and its user may log in.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn resume_bearer(services: &Services, token: &str, now: Timestamp) -> Result<Option<Holder>, Error> {
    static SQL: OnceLock<String> = OnceLock::new();
    let sql = SQL.get_or_init(|| {
        format!(
            "SELECT {}, {}, s.actor_type FROM bearer_tokens t JOIN sessions s ON s.id = t.session_id
             LEFT JOIN users u ON u.id = s.user_id
             WHERE t.token_hash = $1 AND t.expires_at > $2 AND s.expires_at > $2 AND s.last_seen_at > $3
             AND u.disabled_at IS NULL AND (u.id IS NOT NULL OR s.user_id = '')",
            users::USER_COLUMNS,
            sessions::session_columns()
        )
    });
    let hash = TokenHash::of(token.as_bytes());
    let query = sqlx::query(sql.as_str())
        .bind(hash.as_str())
        .bind(now.as_micros())
        .bind(now.minus(services.rules.lifetime.idle).as_micros());
    let Some(row) = services.platform.db.fetch_swiftly(query).await? else { return Ok(None) };
    let session = sessions::session_from_row(&row, SESSION_AT)?;
    note_seen(services, &session, now).await;
    let has_user = row.try_get::<Option<String>, _>(0)?.is_some();
    let user = has_user.then(|| users::user_from_row(&row)).transpose()?;
    Ok(Some(Holder { actor_type: row.try_get(SESSION_AT + 12)?, user, session }))
}

/// Issues another token to who has a live one, in words that are true now: the session of an identity that has got a user
/// meanwhile becomes the user's, who sees it from then on, and passes what everybody passes who logs in.
///
/// # Errors
/// [`Error::Unauthorized`] if the session has ended, [`Error::Disabled`], [`Error::EmailNotVerified`],
/// [`Error::TooManyTries`].
pub async fn refresh_token(services: &Services, scope: &Scope, holder: &Holder) -> Result<String, Error> {
    limit_holder(services, scope, holder).await?;
    let signer = services.platform.signing_keys.signer(scope.now).await?;
    let mut tx = services.platform.db.begin().await?;
    let Holder { actor_type, session, .. } = holder;
    if let Some(user) = &session.external_user {
        if !sessions::is_alive(&mut tx, &session.id).await? {
            return Err(Error::Unauthorized);
        }
        let subject = Subject::of_external(actor_type, user, &session.provider);
        let of_session = ((&session.id, session.expires_at), &mut tx);
        let token = issue(services, (&signer, scope.now), subject, of_session).await?;
        tx.commit().await?;
        return Ok(token);
    }
    let identity = auth::get_identity(&mut tx, &session.auth_identity_id, &session.provider).await?;
    let identity = identity.ok_or(Error::Unauthorized)?;
    let user = identity.actor_id(USER).filter(|_| actor_type == USER && holder.user.is_none()).map(UserId::new);
    // Before the session, as everybody holds them.
    if let Some(user) = &user {
        authority::hold_user(&mut tx, user).await?;
    }
    if !sessions::is_alive(&mut tx, &session.id).await? {
        return Err(Error::Unauthorized);
    }
    if let Some(user) = user {
        give_session(services, scope, (session, &user), &mut tx).await?;
    }
    let of_session = ((&session.id, session.expires_at), &mut tx);
    let subject = Subject::of_identity(actor_type, &identity);
    let token = issue(services, (&signer, scope.now), subject, of_session).await?;
    tx.commit().await?;
    Ok(token)
}

/// Makes a session that was nobody's that of a user, if they may log in now.
async fn give_session(
    services: &Services,
    scope: &Scope,
    (session, user): (&Session, &UserId),
    tx: &mut Tx,
) -> Result<(), Error> {
    admit(services, scope, (user, Vec::new()), tx).await?;
    if sessions::give_to(tx, &session.id, user).await? {
        let details = json!({ "provider": session.provider.as_str(), "session_id": session.id.as_str() });
        let event = Event::about_user(EventKind::SessionCreated, user).with(details);
        events::record(tx, &services.platform.entropy, scope, event).await?;
    }
    Ok(())
}

/// What those may ask for who have a session costs a little, so it is counted as log-ins are, apart from them.
async fn limit_holder(services: &Services, scope: &Scope, holder: &Holder) -> Result<(), Error> {
    let (client, limits) = (client_subject(scope), &services.rules.limits);
    // Users who live elsewhere have no identity here; each of their sessions counts for itself.
    let account = match holder.session.auth_identity_id.as_str() {
        "" => holder.session.id.as_str(),
        identity => identity,
    };
    let tries = [
        Bucket { name: "token_client", subject: &client, limit: limits.log_in_per_ip },
        Bucket { name: "token_account", subject: account, limit: limits.log_in_per_account_anywhere },
    ];
    services.take(scope, &tries).await
}

/// Gives the browser that has a bearer token a cookie of the same session.
///
/// # Errors
/// [`Error::Unauthorized`] if the session has ended, [`Error::TooManyTries`].
pub async fn give_cookie(services: &Services, scope: &Scope, holder: &Holder) -> Result<Opened, Error> {
    limit_holder(services, scope, holder).await?;
    let mut tx = services.platform.db.begin().await?;
    let session = &holder.session;
    let key = sessions::give_key(&mut tx, &services.platform.entropy, &session.id).await?;
    let key = key.ok_or(Error::Unauthorized)?;
    tx.commit().await?;
    Ok(Opened { key, id: session.id.clone(), expires_at: session.expires_at, is_remembered: false })
}
