//! What is answered about invites. The token is known once: when an invite is made, and when it is sent again.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    platform::Timestamp,
    users::{Invite, InviteState, MailState},
};

/// An invite as programs see one.
#[derive(Clone, Debug, Serialize)]
pub struct InviteAnswer {
    /// The id.
    pub id: String,
    /// To whom.
    pub email: String,
    /// The role that is promised.
    pub role: &'static str,
    /// `pending`, `accepted`, `expired` or `revoked`.
    pub state: &'static str,
    /// Whether it became an account.
    pub accepted: bool,
    /// What has become of the mail with the newest link: `queued`, `sent` or `failed`; nothing where there is none.
    pub mail: Option<&'static str>,
    /// What the letter adds.
    pub note: Option<String>,
    /// What the application keeps with the invite.
    pub metadata: Map<String, Value>,
    /// The id of the user who invited; nothing where the operator did.
    pub invited_by: Option<String>,
    /// The id of the user that it became.
    pub accepted_by: Option<String>,
    /// When it ends, or ended.
    pub expires_at: String,
    /// When it was accepted.
    pub accepted_at: Option<String>,
    /// When it was taken back.
    pub revoked_at: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
    /// The secret of its link, where it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl InviteAnswer {
    /// An invite as it is now, without a token.
    pub fn new(invite: &Invite, now: Timestamp) -> Self {
        let time = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339);
        let state = invite.state(now);
        Self {
            id: invite.id.to_string(),
            email: invite.email.to_string(),
            role: invite.role.as_str(),
            state: name_of(state),
            accepted: state == InviteState::Accepted,
            mail: match invite.mail {
                MailState::Queued => Some("queued"),
                MailState::Sent => Some("sent"),
                MailState::Failed => Some("failed"),
                MailState::None => None,
            },
            note: invite.note.clone(),
            metadata: invite.metadata.clone(),
            invited_by: invite.inviter.as_ref().map(|inviter| inviter.id.to_string()),
            accepted_by: invite.accepted_by.as_ref().map(ToString::to_string),
            expires_at: invite.expires_at.to_rfc3339(),
            accepted_at: time(invite.accepted_at),
            revoked_at: time(invite.revoked_at),
            created_at: invite.created_at.to_rfc3339(),
            updated_at: invite.updated_at.to_rfc3339(),
            token: None,
        }
    }
}

fn name_of(state: InviteState) -> &'static str {
    match state {
        InviteState::Pending => "pending",
        InviteState::Accepted => "accepted",
        InviteState::Expired => "expired",
        InviteState::Revoked => "revoked",
    }
}

/// One invite.
#[derive(Debug, Serialize)]
pub struct OneInvite {
    /// The invite.
    pub invite: InviteAnswer,
}

/// One page of invites.
#[derive(Debug, Serialize)]
pub struct InviteList {
    /// The invites, without their tokens.
    pub invites: Vec<InviteAnswer>,
    /// How many there are in all, exactly.
    pub count: usize,
    /// How many stand before the page; 0 where it follows an invite.
    pub offset: u32,
    /// How many a page has at most.
    pub limit: u32,
}

/// That an invite is no more.
#[derive(Debug, Serialize)]
pub struct DeletedInvite {
    /// Which it was.
    pub id: String,
    /// `invite`.
    pub object: &'static str,
    /// `true`.
    pub deleted: bool,
}
