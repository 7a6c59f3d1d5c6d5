//! Letters: everything that Latchkey writes to people, as facts; the words are those of the job that sends them, the
//! subjects excepted, which stay readable in the outbox. A letter is put into the outbox in the transaction of what it
//! speaks of, and it goes to one address, never to one that a request names beside it.

use serde::{Deserialize, Serialize};

use super::{Error, Services};
use crate::{
    events::Scope,
    platform::{Issued, NewMail, OneTimeCode, Timestamp, Tx},
    shared::{EmailAddress, MailId, Role},
};

/// How long a letter without a link is worth sending.
const NOTICE_LIFETIME: std::time::Duration = std::time::Duration::from_hours(72);

/// What a letter is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "letter")]
pub enum Letter {
    /// Somebody registered with this address: confirm it.
    ConfirmEmail,
    /// Somebody registered with an address that has an account.
    AlreadyRegistered,
    /// Somebody wants to log in by this mail. Carries a link, and a code for another device.
    LogInByLink,
    /// Somebody wants to log in by the code of this mail.
    LogInByCode,
    /// The password is to be set anew.
    ResetPassword,
    /// An account was made for the person: choose a password.
    SetPassword,
    /// The password was set by a mailed link. Carries the link that undoes it.
    PasswordWasReset,
    /// This is to be the address of an account: confirm it. Goes to the new address.
    ConfirmNewEmail,
    /// The address of an account was changed. Goes to the old address and carries the link that undoes it.
    EmailWasChanged {
        /// The new address.
        new: EmailAddress,
    },
    /// Somebody wanted to change the address of an account to this one, which has an account.
    EmailIsTaken,
    /// There is one more way to log in to an account: by a passkey, or by an account elsewhere.
    WayInWasAdded {
        /// What people call it.
        name: String,
    },
    /// Somebody is invited.
    Invitation {
        /// The name of who invites, or their address; nobody where the operator does.
        inviter: Option<String>,
        /// The role that is promised.
        role: Role,
        /// What the inviter adds.
        note: Option<String>,
    },
    /// An invite has ended, and the person asks who invited them for another.
    InviteIsWanted {
        /// Who asks.
        email: EmailAddress,
    },
    /// A letter that an admin sends to see whether mail works.
    Test,
}

impl Letter {
    /// The name under which it stands in the outbox.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ConfirmEmail => "confirm_email",
            Self::AlreadyRegistered => "already_registered",
            Self::LogInByLink => "log_in_by_link",
            Self::LogInByCode => "log_in_by_code",
            Self::ResetPassword => "reset_password",
            Self::SetPassword => "set_password",
            Self::PasswordWasReset => "password_was_reset",
            Self::ConfirmNewEmail => "confirm_new_email",
            Self::EmailWasChanged { .. } => "email_was_changed",
            Self::EmailIsTaken => "email_is_taken",
            Self::WayInWasAdded { .. } => "way_in_was_added",
            Self::Invitation { .. } => "invitation",
            Self::InviteIsWanted { .. } => "invite_is_wanted",
            Self::Test => "test",
        }
    }

    /// The subject of its mail; never holds what people typed, which would be a place for the words of others.
    pub fn subject(&self) -> &'static str {
        match self {
            Self::ConfirmEmail => "Confirm your e-mail address",
            Self::AlreadyRegistered => "You already have an account",
            Self::LogInByLink => "Your link to log in",
            Self::LogInByCode => "Your code to log in",
            Self::ResetPassword => "Set a new password",
            Self::SetPassword => "An account was made for you",
            Self::PasswordWasReset => "Your password was changed",
            Self::ConfirmNewEmail => "Confirm your new e-mail address",
            Self::EmailWasChanged { .. } => "Your e-mail address was changed",
            Self::EmailIsTaken => "This address already has an account",
            Self::WayInWasAdded { .. } => "A way to log in was added",
            Self::Invitation { .. } => "You are invited",
            Self::InviteIsWanted { .. } => "Somebody asks for a new invite",
            Self::Test => "A test mail",
        }
    }
}

/// A link with what its mail says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailedLink {
    /// The secret at the end of the link.
    pub token: String,
    /// The code that does the same on another device.
    pub code: String,
    /// When both end, in microseconds since the Unix epoch.
    expires_at: i64,
}

impl MailedLink {
    /// Where the link leads, behind the public URL.
    pub fn path(&self) -> String {
        format!("/link/{}", self.token)
    }

    /// When link and code end.
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_micros(self.expires_at)
    }
}

/// A letter as it waits in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// What it is about.
    #[serde(flatten)]
    pub letter: Letter,
    /// The link that it carries.
    pub link: Option<MailedLink>,
    /// From which address it was asked for.
    pub ip: Option<String>,
    /// With which program it was asked for.
    pub user_agent: Option<String>,
    /// When it was written, in microseconds since the Unix epoch.
    at: i64,
}

impl Written {
    /// When it was written.
    pub fn written_at(&self) -> Timestamp {
        Timestamp::from_micros(self.at)
    }
}

/// Writes a letter, with the link of a one-time token if there is one, and puts it into the outbox.
pub(super) async fn write(
    services: &Services,
    scope: &Scope,
    (recipient, letter, issued): (&EmailAddress, Letter, Option<&Issued>),
    tx: &mut Tx,
) -> Result<MailId, Error> {
    let (kind, subject) = (letter.kind(), letter.subject());
    let link = issued.map(|issued| MailedLink {
        token: issued.token.expose().to_owned(),
        code: OneTimeCode::generate(&services.platform.entropy).expose(),
        expires_at: issued.expires_at.as_micros(),
    });
    let content = Written {
        letter,
        link,
        ip: scope.client.ip.map(|ip| ip.to_string()),
        user_agent: scope.client.user_agent.clone(),
        at: scope.now.as_micros(),
    };
    let mail = NewMail {
        kind,
        recipient,
        subject,
        content: &content,
        token: issued.map(|issued| &issued.id),
        expires_at: issued.map_or(scope.now.plus(NOTICE_LIFETIME), |issued| issued.expires_at),
    };
    Ok(services.platform.outbox.put(tx, scope.now, mail).await?)
}
