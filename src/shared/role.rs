//! Roles: what a user may do. A page asks for a right, never for a role's name.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a user is in the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Manages users and invites.
    Admin,
    /// Looks after their own account.
    Member,
}

/// The text names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown role, expected one of: admin, member")]
pub struct UnknownRole;

impl Role {
    /// Every role, the mightiest first.
    pub const ALL: [Self; 2] = [Self::Admin, Self::Member];

    /// The name under which it is stored and spoken of.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// Whether it may more than another.
    pub fn is_mightier_than(self, other: Self) -> bool {
        let rank = |role| Self::ALL.into_iter().position(|known| known == role);
        rank(self) < rank(other)
    }

    /// Whether it may see and change the accounts of others.
    pub fn may_manage_users(self) -> bool {
        match self {
            Self::Admin => true,
            Self::Member => false,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}
