//! Who asks, from where and when: the first thing that every domain call wants to know, and what an event records.
//! A scope grants nothing by itself; each call asks it for the right that it needs.

use std::net::IpAddr;

use crate::{
    platform::Timestamp,
    shared::{Role, SessionId, UserId},
};

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A visitor who has not logged in.
    Visitor,
    /// A user, by one of their sessions.
    User {
        /// The user.
        id: UserId,
        /// The role when the request came in; a flow that writes asks again.
        role: Role,
        /// The session that the request came with.
        session: SessionId,
    },
    /// The operator at the command line, who owns the machine and so may do everything.
    Operator,
}

/// From where somebody acts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// The address, read through trusted proxies only.
    pub ip: Option<IpAddr>,
    /// What the browser says of itself, cut to 300 characters.
    pub user_agent: Option<String>,
    /// The id of the request in the log.
    pub request_id: String,
}

/// Who asks, from where and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Who.
    pub actor: Actor,
    /// From where.
    pub client: Client,
    /// When: one request happens at one time.
    pub now: Timestamp,
}

impl Scope {
    /// The operator at the command line.
    pub fn operator(now: Timestamp) -> Self {
        Self { actor: Actor::Operator, client: Client::default(), now }
    }

    /// The same request, by somebody who has just proved who they are.
    #[must_use]
    pub fn acting_as(&self, actor: Actor) -> Self {
        Self { actor, client: self.client.clone(), now: self.now }
    }

    /// Whether the actor may see and change the accounts of others.
    pub fn may_manage_users(&self) -> bool {
        match &self.actor {
            Actor::Visitor => false,
            Actor::User { role, .. } => role.may_manage_users(),
            Actor::Operator => true,
        }
    }

    /// The user who acts, if one does.
    pub fn user_id(&self) -> Option<&UserId> {
        match &self.actor {
            Actor::User { id, .. } => Some(id),
            Actor::Visitor | Actor::Operator => None,
        }
    }

    /// The session that acts, if one does.
    pub fn session_id(&self) -> Option<&SessionId> {
        match &self.actor {
            Actor::User { session, .. } => Some(session),
            Actor::Visitor | Actor::Operator => None,
        }
    }

    /// Whether the actor is this user.
    pub fn is(&self, user: &UserId) -> bool {
        self.user_id() == Some(user)
    }
}
