//! Users of whom nothing is kept: a provider has said who they are. No user, no identity and no link is written, only the
//! session and its event. They have no role, and nothing of Latchkey's own but the door: pages and answers that need an
//! account stay closed. Whom the embedding application looks after is taken as they are; guests of a provider that people
//! are sent to pass what everybody passes who has no account yet.

use serde_json::{Map, Value, json};

use super::{Error, Services, USER, create_user, resolve_user};
use crate::{
    auth::{AuthIdentity, Configured, Flow},
    events::{self, Event, EventKind, Scope, Target},
    platform::Tx,
    sessions::{self, NewSession, Opened, Session},
    shared::{AuthIdentityId, ExternalUser, ProviderId, UserId},
    users,
};

/// Somebody who is logged in and has no account here.
#[derive(Clone, Debug, PartialEq)]
pub struct Guest {
    /// Who they are, as the application says.
    pub user: ExternalUser,
    /// Their session.
    pub session: Session,
}

/// Somebody whom a provider has named, and of whom nothing is to be kept.
pub(super) struct Outsider {
    /// Whom it has named.
    pub user: ExternalUser,
    /// What it has proved of them, where it has told more than whom.
    pub proved: Option<AuthIdentity>,
}

impl Outsider {
    /// What the provider knows them by.
    pub fn known_by(&self) -> &str {
        self.proved.as_ref().map_or(&self.user.id, |proved| &proved.provider_identity.entity_id)
    }

    /// What the provider says of them.
    pub fn profile(&self) -> Map<String, Value> {
        let told = self.proved.as_ref().map(|proved| proved.provider_identity.user_metadata.clone());
        told.unwrap_or_else(|| metadata_of(&self.user))
    }
}

/// Whom a session is for, if they may come in.
///
/// 1. They have typed something: the embedding application answers for its user, who is taken as they are.
/// 2. They were sent elsewhere: registration is open, where only some domains may register theirs is proved to be one of
///    these, and the hook does not refuse them; the user whom it names takes their place.
///
/// # Errors
/// [`Error::RegistrationClosed`], [`Error::DomainNotAllowed`], [`Error::Refused`].
pub(super) async fn admit(
    services: &Services,
    configured: &Configured,
    (actor_type, outsider): (&str, Outsider),
) -> Result<ExternalUser, Error> {
    if configured.flow == Flow::Credentials {
        return Ok(outsider.user);
    }
    create_user::may_visit(services, outsider.proved.as_ref())?;
    // As where there are accounts: the hook is about people.
    if actor_type != USER {
        return Ok(outsider.user);
    }
    let named = resolve_user::ask_about_guest(services, configured, &outsider).await?;
    Ok(named.unwrap_or(outsider.user))
}

/// Lets a person in of whom nothing is kept.
pub(super) async fn come_in(
    services: &Services,
    scope: &Scope,
    configured: &Configured,
    (outsider, is_remembered): (Outsider, bool),
) -> Result<Opened, Error> {
    let user = admit(services, configured, (USER, outsider)).await?;
    let entry = Entry { user: &user, provider: &configured.id, actor_type: USER, is_remembered };
    let mut tx = services.platform.db.begin_relaxed().await?;
    let opened = open_session(services, scope, &entry, &mut tx).await?;
    tx.commit().await?;
    Ok(opened)
}

/// How an external user comes in.
pub(super) struct Entry<'a> {
    pub user: &'a ExternalUser,
    pub provider: &'a ProviderId,
    pub actor_type: &'a str,
    pub is_remembered: bool,
}

/// Opens a session for an external user. One who would be taken for an account that is kept here, which may be turned off,
/// does not come in.
pub(super) async fn open_session(
    services: &Services,
    scope: &Scope,
    entry: &Entry<'_>,
    tx: &mut Tx,
) -> Result<Opened, Error> {
    entry.user.check().map_err(Error::internal)?;
    if users::exists(tx, &UserId::new(entry.user.id.as_str())).await? {
        tracing::error!(provider = %entry.provider, id = entry.user.id, "an external user has the id of an account");
        return Err(Error::NotProved("Authentication failed".to_owned()));
    }
    let new = NewSession {
        actor_type: entry.actor_type.to_owned(),
        user_id: None,
        external_user: Some(entry.user.clone()),
        auth_identity_id: AuthIdentityId::new(""),
        provider: entry.provider.clone(),
        is_remembered: entry.is_remembered,
    };
    let entropy = &services.platform.entropy;
    let session = sessions::open(tx, entropy, scope, (&new, services.rules.lifetime)).await?;
    let details = json!({
        "provider": entry.provider.as_str(),
        "session_id": session.id.as_str(),
        "actor_type": entry.actor_type,
        "external_id": entry.user.id,
    });
    let event = Event { kind: EventKind::SessionCreated, target: Target::Session(session.id.clone()), details };
    events::record(tx, entropy, scope, event).await?;
    Ok(session)
}

/// What a token says of an external user: what the application has said.
pub(super) fn metadata_of(user: &ExternalUser) -> Map<String, Value> {
    let known = [("email", &user.email), ("name", &user.name), ("picture", &user.image)];
    known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?)))).collect()
}
