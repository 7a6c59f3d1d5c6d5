//! Users whom the embedding application looks after: a provider has said who they are, and they are taken as they are. No
//! user, no identity and no link is written, only the session and its event. They have no role, and nothing of Latchkey's
//! own but the door: pages and answers that need an account stay closed.

use serde_json::{Map, Value, json};

use super::{Error, Services};
use crate::{
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
