//! What is answered about users. No secret of a provider is anywhere near.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ShownUser;
use crate::{
    api::values::Metadata,
    events::Scope,
    platform::Timestamp,
    sessions::Session,
    shared::{EmailAddress, ProviderId, Role, SessionId, UserId},
    users::User,
};

/// A user as programs see one.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserAnswer {
    /// The id.
    pub id: UserId,
    /// The e-mail address, in lower case.
    pub email: EmailAddress,
    /// When the address was proved, if it was.
    pub email_verified_at: Option<Timestamp>,
    /// The first name.
    #[schema(example = "Ada")]
    pub first_name: Option<String>,
    /// The last name.
    #[schema(example = "Lovelace")]
    pub last_name: Option<String>,
    /// Where a picture is.
    #[schema(example = "https://example.org/ada.png")]
    pub avatar_url: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Whether they may log in.
    pub status: StatusName,
    /// What the application keeps with the user.
    pub metadata: Metadata,
    /// When the user was turned off, if they are.
    pub disabled_at: Option<Timestamp>,
    /// When the user last logged in.
    pub last_login_at: Option<Timestamp>,
    /// When the user came to exist.
    pub created_at: Timestamp,
    /// When the user was last changed.
    pub updated_at: Timestamp,
}

/// Whether a user may log in.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UserStatus)]
pub enum StatusName {
    /// May log in.
    Active,
    /// Was turned off.
    Disabled,
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
        Self {
            id: user.id.clone(),
            email: user.email.clone(),
            email_verified_at: user.email_verified_at,
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            avatar_url: user.avatar_url.clone(),
            role: user.role,
            status: if user.disabled_at.is_some() { StatusName::Disabled } else { StatusName::Active },
            metadata: Metadata(user.metadata.clone()),
            disabled_at: user.disabled_at,
            last_login_at: user.last_login_at,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// The user.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneUser {
    /// The user.
    pub user: UserAnswer,
}

/// The user, with the fields that were asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneShownUser {
    /// The user.
    pub user: ShownUser,
}

/// One page of users.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserList {
    /// The users, each with the fields that were asked for.
    pub users: Vec<ShownUser>,
    /// How many there are in all, exactly.
    #[schema(example = 1)]
    pub count: usize,
    /// How many stand before the page; 0 where it follows a user.
    #[schema(example = 0)]
    pub offset: u32,
    /// How many a page has at most.
    #[schema(example = 50)]
    pub limit: u32,
}

/// The user is no more.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeletedUser {
    /// Who it was.
    pub id: UserId,
    /// `user`.
    #[schema(example = "user")]
    pub object: &'static str,
    /// `true`.
    #[schema(example = true)]
    pub deleted: bool,
}

/// Where the user is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserSessions {
    /// The last seen first.
    pub sessions: Vec<SessionAnswer>,
}

/// One session; its id opens nothing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionAnswer {
    /// The id.
    pub id: SessionId,
    /// By which provider the user came in.
    pub provider: ProviderId,
    /// The address at log-in.
    #[schema(example = "192.0.2.7")]
    pub ip: Option<String>,
    /// The browser or program at log-in.
    #[schema(example = "curl/8.14.1")]
    pub user_agent: Option<String>,
    /// Whether it is the one that asks.
    #[schema(example = false)]
    pub is_current: bool,
    /// When the user logged in.
    pub created_at: Timestamp,
    /// When a request last came, within a few minutes.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

impl SessionAnswer {
    /// A session as the one who asks sees it.
    pub fn new(session: &Session, scope: &Scope) -> Self {
        Self {
            id: session.id.clone(),
            provider: session.provider.clone(),
            ip: session.ip.clone(),
            user_agent: session.user_agent.clone(),
            is_current: scope.session_id() == Some(&session.id),
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            expires_at: session.expires_at,
        }
    }
}

/// How many sessions were ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedSessions {
    /// How many.
    #[schema(example = 2)]
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

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
