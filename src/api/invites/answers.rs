//! What is answered about invites. The token is known once: when an invite is made, and when it is sent again.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    api::values::Metadata,
    platform::Timestamp,
    shared::{EmailAddress, InviteId, Role, UserId},
    users::{Invite, InviteState, MailState},
};

/// An invite as programs see one.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Invite)]
pub struct InviteAnswer {
    /// The id.
    pub id: InviteId,
    /// To whom.
    pub email: EmailAddress,
    /// The role that is promised.
    pub role: Role,
    /// What has become of it.
    pub state: StateName,
    /// Whether it became an account.
    #[schema(example = false)]
    pub accepted: bool,
    /// What has become of the mail with the newest link; nothing where there is none.
    pub mail: Option<MailName>,
    /// What the letter adds.
    #[schema(example = "See you on Monday.")]
    pub note: Option<String>,
    /// What the application keeps with the invite.
    pub metadata: Metadata,
    /// The id of the user who invited; nothing where the operator did.
    pub invited_by: Option<UserId>,
    /// The id of the user that it became.
    pub accepted_by: Option<UserId>,
    /// When it ends, or ended.
    pub expires_at: Timestamp,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What has become of an invite.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = InviteState)]
pub enum StateName {
    /// It waits to be accepted.
    Pending,
    /// It became an account.
    Accepted,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

impl From<StateName> for InviteState {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Pending => Self::Pending,
            StateName::Accepted => Self::Accepted,
            StateName::Expired => Self::Expired,
            StateName::Revoked => Self::Revoked,
        }
    }
}

impl From<InviteState> for StateName {
    fn from(state: InviteState) -> Self {
        match state {
            InviteState::Pending => Self::Pending,
            InviteState::Accepted => Self::Accepted,
            InviteState::Expired => Self::Expired,
            InviteState::Revoked => Self::Revoked,
        }
    }
}

/// What has become of a mail.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MailState)]
pub enum MailName {
    /// It waits to be sent.
    Queued,
    /// It was sent.
    Sent,
    /// It can't be sent.
    Failed,
}

impl InviteAnswer {
    /// An invite as it is now.
    pub fn new(invite: &Invite, now: Timestamp) -> Self {
        let state = invite.state(now);
        Self {
            id: invite.id.clone(),
            email: invite.email.clone(),
            role: invite.role,
            state: state.into(),
            accepted: state == InviteState::Accepted,
            mail: match invite.mail {
                MailState::Queued => Some(MailName::Queued),
                MailState::Sent => Some(MailName::Sent),
                MailState::Failed => Some(MailName::Failed),
                MailState::None => None,
            },
            note: invite.note.clone(),
            metadata: Metadata(invite.metadata.clone()),
            invited_by: invite.inviter.as_ref().map(|inviter| inviter.id.clone()),
            accepted_by: invite.accepted_by.clone(),
            expires_at: invite.expires_at,
            accepted_at: invite.accepted_at,
            revoked_at: invite.revoked_at,
            created_at: invite.created_at,
            updated_at: invite.updated_at,
        }
    }
}

/// An invite with a new link: the one time that its secret is known.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InviteWithToken {
    /// The invite.
    #[serde(flatten)]
    pub invite: InviteAnswer,
    /// The secret of its link.
    #[schema(example = "vQ8nZ0m5bTqkq2cS3gJv1Q")]
    pub token: String,
}

/// The invite.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneInvite {
    /// The invite, without its token.
    pub invite: InviteAnswer,
}

/// The invite with its token.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneNewInvite {
    /// The invite, with its token.
    pub invite: InviteWithToken,
}

/// One page of invites.
#[derive(Debug, Serialize, ToSchema)]
pub struct InviteList {
    /// The invites, without their tokens.
    pub invites: Vec<InviteAnswer>,
    /// How many there are in all, exactly.
    #[schema(example = 1)]
    pub count: usize,
    /// How many stand before the page; 0 where it follows an invite.
    #[schema(example = 0)]
    pub offset: u32,
    /// How many a page has at most.
    #[schema(example = 50)]
    pub limit: u32,
}

/// The invite is no more.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeletedInvite {
    /// Which it was.
    pub id: InviteId,
    /// `invite`.
    #[schema(example = "invite")]
    pub object: &'static str,
    /// `true`.
    #[schema(example = true)]
    pub deleted: bool,
}
