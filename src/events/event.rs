//! Events as rows. The kinds are a closed list, so that whoever reads them can rely on their names; details are small
//! JSON objects without secrets.

use serde_json::Value;

use super::{Actor, Scope};
use crate::{
    platform::{Entropy, Tx, Write, write_together},
    shared::{AuthIdentityId, InviteId, SessionId, UserId},
};

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A user came to exist.
    UserCreated,
    /// A profile was changed.
    UserUpdated,
    /// A user was turned off.
    UserDisabled,
    /// A user was turned on again.
    UserEnabled,
    /// A user was deleted.
    UserDeleted,
    /// A user got another role.
    UserRoleChanged,
    /// Somebody logged in.
    SessionCreated,
    /// Sessions were ended by a person.
    SessionRevoked,
    /// Somebody failed to prove who they are.
    AuthFailed,
    /// A password was set or changed.
    AuthPasswordChanged,
    /// Somebody said to have forgotten a password.
    AuthPasswordResetRequested,
    /// An e-mail address was proved.
    AuthEmailVerified,
    /// An account got one more way in, at another provider.
    IdentityLinked,
    /// An account lost a way in.
    IdentityUnlinked,
    /// Somebody was invited.
    InviteCreated,
    /// An invite got a new link and a new end.
    InviteResent,
    /// An invite became an account.
    InviteAccepted,
    /// An invite was taken back.
    InviteRevoked,
    /// An invite was deleted.
    InviteDeleted,
}

impl EventKind {
    /// All of them, as a person looks for them.
    pub const ALL: [Self; 19] = [
        Self::SessionCreated,
        Self::SessionRevoked,
        Self::AuthFailed,
        Self::AuthPasswordChanged,
        Self::AuthPasswordResetRequested,
        Self::AuthEmailVerified,
        Self::IdentityLinked,
        Self::IdentityUnlinked,
        Self::UserCreated,
        Self::UserUpdated,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::UserDeleted,
        Self::UserRoleChanged,
        Self::InviteCreated,
        Self::InviteResent,
        Self::InviteAccepted,
        Self::InviteRevoked,
        Self::InviteDeleted,
    ];

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The name under which it is stored and spoken of.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserCreated => "user.created",
            Self::UserUpdated => "user.updated",
            Self::UserDisabled => "user.disabled",
            Self::UserEnabled => "user.enabled",
            Self::UserDeleted => "user.deleted",
            Self::UserRoleChanged => "user.role_changed",
            Self::SessionCreated => "session.created",
            Self::SessionRevoked => "session.revoked",
            Self::AuthFailed => "auth.failed",
            Self::AuthPasswordChanged => "auth.password_changed",
            Self::AuthPasswordResetRequested => "auth.password_reset_requested",
            Self::AuthEmailVerified => "auth.email_verified",
            Self::IdentityLinked => "identity.linked",
            Self::IdentityUnlinked => "identity.unlinked",
            Self::InviteCreated => "invite.created",
            Self::InviteResent => "invite.resent",
            Self::InviteAccepted => "invite.accepted",
            Self::InviteRevoked => "invite.revoked",
            Self::InviteDeleted => "invite.deleted",
        }
    }
}

/// Whom or what an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A user.
    User(UserId),
    /// A session.
    Session(SessionId),
    /// An invite.
    Invite(InviteId),
    /// An auth identity that has no user yet.
    AuthIdentity(AuthIdentityId),
    /// Nobody that Latchkey knows.
    Unknown,
}

impl Target {
    fn columns(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::User(id) => ("user", Some(id.as_str())),
            Self::Session(id) => ("session", Some(id.as_str())),
            Self::Invite(id) => ("invite", Some(id.as_str())),
            Self::AuthIdentity(id) => ("auth_identity", Some(id.as_str())),
            Self::Unknown => ("unknown", None),
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// To whom.
    pub target: Target,
    /// More about it: a JSON object without secrets.
    pub details: Value,
}

impl Event {
    /// An event about a user, without details.
    pub fn about_user(kind: EventKind, user: &UserId) -> Self {
        Self { kind, target: Target::User(user.clone()), details: Value::Object(serde_json::Map::new()) }
    }

    /// An event about an invite, without details.
    pub fn about_invite(kind: EventKind, invite: &InviteId) -> Self {
        Self { kind, target: Target::Invite(invite.clone()), details: Value::Object(serde_json::Map::new()) }
    }

    /// The same event with details.
    #[must_use]
    pub fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }
}

/// Whether anything has ever happened to a user, also to one who is gone.
///
/// # Errors
/// What the database says.
pub async fn has_happened_to(tx: &mut Tx, user: &UserId) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("SELECT 1 FROM events WHERE target_id = $1 AND target_type = $2 LIMIT 1")
        .bind(user.as_str())
        .bind("user")
        .fetch_optional(&mut **tx)
        .await?;
    Ok(row.is_some())
}

/// Writes an event into the transaction of the change that it reports. Where there are endpoints to tell of it, that is
/// noted with it; who is told is found out afterwards, off the request path.
///
/// # Errors
/// What the database says.
pub async fn record(tx: &mut Tx, entropy: &Entropy, scope: &Scope, event: Event) -> Result<(), sqlx::Error> {
    write_together(tx, vec![record_with(entropy, scope, &event)]).await
}

/// The same as a write that goes to the database together with others.
pub fn record_with(entropy: &Entropy, scope: &Scope, event: &Event) -> Write {
    let (actor_type, actor_id) = match &scope.actor {
        Actor::Visitor => ("visitor", None),
        Actor::User { id, .. } => ("user", Some(id.to_string())),
        Actor::Operator => ("operator", None),
    };
    let (target_type, target_id) = event.target.columns();
    Write::new(
        "INSERT INTO events (id, at, kind, actor_type, actor_id, target_type, target_id, ip, user_agent, request_id, details,
             to_tell)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
             (SELECT 1 FROM webhook_endpoints WHERE gone_at IS NULL LIMIT 1))",
    )
    .text(entropy.uuid_v7(scope.now))
    .number(scope.now.as_micros())
    .text(event.kind.as_str())
    .text(actor_type)
    .maybe_text(actor_id)
    .text(target_type)
    .maybe_text(target_id.map(str::to_owned))
    .maybe_text(scope.client.ip.map(|ip| ip.to_string()))
    .maybe_text(scope.client.user_agent.clone())
    .maybe_text(Some(scope.client.request_id.clone()).filter(|id| !id.is_empty()))
    .text(event.details.to_string())
}
