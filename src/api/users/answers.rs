//! What is answered about users. No secret of a provider is anywhere near.

use serde::Serialize;
use serde_json::{Map, Value};

use super::ShownUser;
use crate::{events::Scope, platform::Timestamp, sessions::Session, users::User};

/// A user as programs see one.
#[derive(Clone, Debug, Serialize)]
pub struct UserAnswer {
    /// The id.
    pub id: String,
    /// The e-mail address, in lower case.
    pub email: String,
    /// When the address was proved, if it was.
    pub email_verified_at: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// Where a picture is.
    pub avatar_url: Option<String>,
    /// `admin` or `member`.
    pub role: &'static str,
    /// `active` or `disabled`.
    pub status: &'static str,
    /// What the application keeps with the user.
    pub metadata: Map<String, Value>,
    /// When the user was turned off, if they are.
    pub disabled_at: Option<String>,
    /// When the user last logged in.
    pub last_login_at: Option<String>,
    /// When the user came to exist.
    pub created_at: String,
    /// When the user was last changed.
    pub updated_at: String,
}

impl UserAnswer {
    /// The names of the fields, by which they can be chosen.
    pub const FIELDS: [&'static str; 13] = [
        "id",
        "email",
        "email_verified_at",
        "first_name",
        "last_name",
        "avatar_url",
        "role",
        "status",
        "metadata",
        "disabled_at",
        "last_login_at",
        "created_at",
        "updated_at",
    ];
}

impl From<&User> for UserAnswer {
    fn from(user: &User) -> Self {
        let time = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339);
        Self {
            id: user.id.to_string(),
            email: user.email.to_string(),
            email_verified_at: time(user.email_verified_at),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            avatar_url: user.avatar_url.clone(),
            role: user.role.as_str(),
            status: if user.disabled_at.is_some() { "disabled" } else { "active" },
            metadata: user.metadata.clone(),
            disabled_at: time(user.disabled_at),
            last_login_at: time(user.last_login_at),
            created_at: user.created_at.to_rfc3339(),
            updated_at: user.updated_at.to_rfc3339(),
        }
    }
}

/// One user.
#[derive(Debug, Serialize)]
pub struct OneUser {
    /// The fields that were asked for of a [`UserAnswer`].
    pub user: ShownUser,
}

/// One page of users.
#[derive(Debug, Serialize)]
pub struct UserList {
    /// The users, each with the fields that were asked for of a [`UserAnswer`].
    pub users: Vec<ShownUser>,
    /// How many there are in all, exactly.
    pub count: usize,
    /// How many stand before the page; 0 where it follows a user.
    pub offset: u32,
    /// How many a page has at most.
    pub limit: u32,
}

/// That a user is no more.
#[derive(Debug, Serialize)]
pub struct DeletedUser {
    /// Who it was.
    pub id: String,
    /// `user`.
    pub object: &'static str,
    /// `true`.
    pub deleted: bool,
}

/// Where a user is logged in.
#[derive(Debug, Serialize)]
pub struct UserSessions {
    /// The last seen first.
    pub sessions: Vec<SessionAnswer>,
}

/// One session; its id opens nothing.
#[derive(Debug, Serialize)]
pub struct SessionAnswer {
    /// The id.
    pub id: String,
    /// By which provider the user came in.
    pub provider: String,
    /// The address at log-in.
    pub ip: Option<String>,
    /// The browser or program at log-in.
    pub user_agent: Option<String>,
    /// Whether it is the one that asks.
    pub is_current: bool,
    /// When the user logged in.
    pub created_at: String,
    /// When a request last came, within a few minutes.
    pub last_seen_at: String,
    /// When it ends at the latest.
    pub expires_at: String,
}

impl SessionAnswer {
    /// A session as the one who asks sees it.
    pub fn new(session: &Session, scope: &Scope) -> Self {
        Self {
            id: session.id.to_string(),
            provider: session.provider.to_string(),
            ip: session.ip.clone(),
            user_agent: session.user_agent.clone(),
            is_current: scope.session_id() == Some(&session.id),
            created_at: session.created_at.to_rfc3339(),
            last_seen_at: session.last_seen_at.to_rfc3339(),
            expires_at: session.expires_at.to_rfc3339(),
        }
    }
}

/// How many sessions were ended.
#[derive(Debug, Serialize)]
pub struct EndedSessions {
    /// How many.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::{EmailAddress, Role, UserId};

    #[test]
    fn every_field_can_be_chosen_by_its_name() {
        let at = Timestamp::from_micros(0);
        let user = User {
            id: UserId::new("a"),
            email: EmailAddress::parse("a@b").unwrap(),
            email_verified_at: None,
            first_name: None,
            last_name: None,
            avatar_url: None,
            role: Role::Member,
            metadata: Map::new(),
            disabled_at: None,
            last_login_at: None,
            created_at: at,
            updated_at: at,
        };
        let answer = serde_json::to_value(UserAnswer::from(&user)).unwrap();
        let mut names: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
        let mut known = UserAnswer::FIELDS.to_vec();
        names.sort_unstable();
        known.sort_unstable();
        assert_eq!(names, known);
    }
}
