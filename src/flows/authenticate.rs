//! Authenticate: the way in of programs. They prove who somebody is by a provider, as people do at the log-in page, and
//! pass the same steps; what they get is a bearer token, whose session can be revoked. An identity that has no account
//! gets a token too, with which it can do nothing but accept an invite or, in time, become one.
//!
//! 1. The identity has a user: may they log in now?
//! 2. It has none, accounts of this type are users and anybody may register: the user is created.
//! 3. It has none otherwise: the token names nobody.

use std::sync::OnceLock;

use serde_json::json;
use sqlx::Row;

use super::{
    Error, MailRequest, RegistrationMode, Resumed, Services, USER, authority, create_user,
    login::{Proof, admit, email_in, judge, limit_tries, note_failure, open_session},
    request_mail,
    resume::note_seen,
    services::client_subject,
};
use crate::{
    auth::{self, AuthIdentity, AuthIdentityProviderService, AuthInput, Configured},
    events::{self, Actor, Event, EventKind, Scope, Target},
    platform::{Bucket, Signer, Timestamp, TokenHash, Tx},
    sessions::{self, Claims, NewSession, Opened, Session, TOKEN_LIFETIME},
    shared::{ProviderId, SessionId, UserId},
    users::{self, User},
};

/// Where the columns of the session begin, behind those of the user.
const SESSION_AT: usize = 12;

/// Who wants to come in, and how.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What kind of account it is for.
    pub actor_type: String,
    /// By which provider.
    pub provider: ProviderId,
    /// What came in with the request.
    pub input: AuthInput,
}

/// What a program is answered that was not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// A bearer token.
    Token(String),
    /// The browser must go to a provider first.
    Elsewhere(String),
}

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

/// Proves by a provider who somebody is, and opens a session for a program.
///
/// # Errors
/// As [`super::log_in`], [`Error::UnknownActorType`], [`Error::UnknownProvider`].
pub async fn authenticate(services: &Services, scope: &Scope, ask: &Ask) -> Result<Access, Error> {
    services.provider_of(&ask.actor_type, &ask.provider)?;
    limit_tries(services, scope, &ask.input).await?;
    let answer = match try_to_authenticate(services, scope, (ask, Step::First)).await {
        // Changed since it was proved: another log-in has hashed the password anew, or it is another password now.
        Err(Error::Conflict) => try_to_authenticate(services, scope, (ask, Step::First)).await,
        answer => answer,
    };
    if let (Err(Error::EmailNotVerified { .. }), Some(email)) = (&answer, email_in(&ask.input)) {
        request_mail(services, scope, (MailRequest::ConfirmEmail, &email)).await?;
    }
    answer
}

/// Proves by the second half of a redirect who somebody is, and opens a session for a program.
///
/// # Errors
/// As [`authenticate`].
pub async fn call_back(services: &Services, scope: &Scope, ask: &Ask) -> Result<Access, Error> {
    services.provider_of(&ask.actor_type, &ask.provider)?;
    limit_tries(services, scope, &ask.input).await?;
    try_to_authenticate(services, scope, (ask, Step::Second)).await
}

/// Which half of a way in it is: most have one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    First,
    Second,
}

async fn try_to_authenticate(services: &Services, scope: &Scope, (ask, step): (&Ask, Step)) -> Result<Access, Error> {
    let configured = services.provider_of(&ask.actor_type, &ask.provider)?;
    let identities = services.identities(configured, scope);
    let answer = match step {
        Step::First => configured.provider.authenticate(&ask.input, &identities).await?,
        Step::Second => configured.provider.validate_callback(&ask.input, &identities).await?,
    };
    match judge(answer) {
        Proof::Elsewhere(location) => Ok(Access::Elsewhere(location)),
        Proof::Failed(reason) => {
            note_failure(services, scope, (&ask.provider, &identities, &ask.input)).await?;
            Err(Error::NotProved(reason))
        }
        Proof::Proved(identity) => come_in(services, scope, (&ask.actor_type, identity), &identities).await,
    }
}

/// The providers that accounts of this type may use, in the order of the configuration.
///
/// # Errors
/// [`Error::UnknownActorType`].
pub fn providers_of<'a>(services: &'a Services, actor_type: &str) -> Result<Vec<&'a Configured>, Error> {
    let actor = services.rules.actors.get(actor_type).ok_or(Error::UnknownActorType)?;
    let may_use = |provider: &&Configured| actor.providers.iter().any(|id| id == provider.id.as_str());
    Ok(services.providers.all().iter().filter(may_use).collect())
}

/// Creates an identity and opens a session for it that has no account yet.
///
/// # Errors
/// [`Error::NotProved`] with the provider's text, also where the identity exists; [`Error::Password`],
/// [`Error::InvalidData`], [`Error::RegistrationClosed`], [`Error::DomainNotAllowed`], [`Error::TooManyTries`],
/// [`Error::UnknownActorType`], [`Error::UnknownProvider`].
pub async fn register_identity(services: &Services, scope: &Scope, ask: &Ask) -> Result<Access, Error> {
    let configured = services.provider_of(&ask.actor_type, &ask.provider)?;
    if services.rules.registration.mode == RegistrationMode::Closed {
        return Err(Error::RegistrationClosed);
    }
    let (client, email, limits) = (client_subject(scope), email_in(&ask.input), &services.rules.limits);
    let mut tries = vec![Bucket { name: "register_client", subject: &client, limit: limits.register_per_ip }];
    if let Some(email) = &email {
        tries.push(Bucket { name: "register_account", subject: email.as_str(), limit: limits.register_per_account });
    }
    services.take(scope, &tries).await?;
    let identities = services.identities(configured, scope);
    let identity = match judge(configured.provider.register(&ask.input, &identities).await?) {
        Proof::Proved(identity) => identity,
        Proof::Failed(reason) => return Err(Error::NotProved(reason)),
        Proof::Elsewhere(location) => return Ok(Access::Elsewhere(location)),
    };
    let signer = services.platform.signing_keys.signer(scope.now).await?;
    let mut tx = services.platform.db.begin().await?;
    identities.commit(&mut tx).await?;
    let session = open_for_nobody(services, scope, (&ask.actor_type, &identity), &mut tx).await?;
    let of_session = ((&session.id, session.expires_at), &mut tx);
    let token = issue(services, (&signer, scope.now), (&ask.actor_type, &identity), of_session).await?;
    tx.commit().await?;
    Ok(Access::Token(token))
}

async fn come_in(
    services: &Services,
    scope: &Scope,
    (actor_type, mut identity): (&str, AuthIdentity),
    identities: &AuthIdentityProviderService,
) -> Result<Access, Error> {
    let signer = services.platform.signing_keys.signer(scope.now).await?;
    let mut tx = services.platform.db.begin().await?;
    identities.commit(&mut tx).await?;
    let is_open = services.rules.registration.mode == RegistrationMode::Open;
    if actor_type == USER && identity.actor_id(USER).is_none() && is_open {
        let user = create_user::for_identity(services, scope, &identity, &mut tx).await?;
        identity.app_metadata.insert(format!("{USER}_id"), user.id.to_string());
        if services.rules.registration.requires_verified_email() {
            // They have an account now, which the mail that follows makes theirs.
            tx.commit().await?;
            return Err(Error::EmailNotVerified { user: user.id });
        }
    }
    let user = identity.actor_id(actor_type).filter(|_| actor_type == USER).map(UserId::new);
    let session = match &user {
        Some(user) => {
            // What session a browser sent along is not the program's to end.
            let visitor = scope.acting_as(Actor::Visitor);
            open_session(services, &visitor, (user, &identity, false), &mut tx).await?.session
        }
        None => open_for_nobody(services, scope, (actor_type, &identity), &mut tx).await?,
    };
    let of_session = ((&session.id, session.expires_at), &mut tx);
    let token = issue(services, (&signer, scope.now), (actor_type, &identity), of_session).await?;
    tx.commit().await?;
    Ok(Access::Token(token))
}

/// A session of an identity that has no account of this type.
async fn open_for_nobody(
    services: &Services,
    scope: &Scope,
    (actor_type, identity): (&str, &AuthIdentity),
    tx: &mut Tx,
) -> Result<Opened, Error> {
    let provider = &identity.provider_identity.provider;
    let new = NewSession {
        actor_type: actor_type.to_owned(),
        user_id: None,
        auth_identity_id: identity.id.clone(),
        provider: provider.clone(),
        is_remembered: false,
    };
    let entropy = &services.platform.entropy;
    let session = sessions::open(tx, entropy, scope, (&new, services.rules.lifetime)).await?;
    let details = json!({ "provider": provider.as_str(), "session_id": session.id.as_str(), "actor_type": actor_type });
    let target = Target::AuthIdentity(identity.id.clone());
    events::record(tx, entropy, scope, Event { kind: EventKind::SessionCreated, target, details }).await?;
    Ok(session)
}

/// Issues a token of a session, which it does not outlive.
async fn issue(
    services: &Services,
    (signer, now): (&Signer, Timestamp),
    (actor_type, identity): (&str, &AuthIdentity),
    (session, tx): ((&SessionId, Timestamp), &mut Tx),
) -> Result<String, Error> {
    let (session, session_ends_at) = session;
    let expires_at = now.plus(TOKEN_LIFETIME).min(session_ends_at);
    let claims = Claims {
        actor_id: identity.actor_id(actor_type).unwrap_or_default().to_owned(),
        actor_type: actor_type.to_owned(),
        auth_identity_id: identity.id.to_string(),
        auth_provider: identity.provider_identity.provider.to_string(),
        app_metadata: identity.app_metadata.clone(),
        user_metadata: identity.provider_identity.user_metadata.clone(),
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
    Ok(Some(Holder { actor_type: row.try_get(SESSION_AT + 11)?, user, session }))
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
    let token = issue(services, (&signer, scope.now), (actor_type, &identity), of_session).await?;
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
    admit(services, scope, user, tx).await?;
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
    let account = holder.session.auth_identity_id.as_str();
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
