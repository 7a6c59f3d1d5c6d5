//! `latchkey invite …`: invites people and looks after their invites, for whoever owns the machine. A link is printed once.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{CliError, LISTED_AT_ONCE, Target, Told, print, read_email, tell};
use crate::{
    flows::{self, Invitation, InviteSettings, InviteTerms, Invited},
    platform::{Timestamp, duration_text},
    shared::{EmailAddress, InvalidEmail, InviteId, Role},
    users::{self, Invite, InviteFilter, InviteNote, InviteOrder, InvitePage, InviteState, MailState},
};

/// `invite …`.
#[derive(Subcommand)]
pub(super) enum InviteCommand {
    /// Invites somebody and prints the link.
    Create(CreateInvite),
    /// Lists invites, the newest first.
    List(ListInvites),
    /// Makes a new link and a new end, and prints the link; the older links go on to work until one is used.
    Resend(Target),
    /// Takes an invite back; its links end.
    Revoke(Target),
}

/// `invite create`.
#[derive(Args)]
pub(super) struct CreateInvite {
    /// The e-mail address.
    #[arg(long)]
    email: String,
    /// What they will be: `admin` or `member`.
    #[arg(long, default_value = "member")]
    role: String,
    /// What the mail and the page of the invite say besides.
    #[arg(long, default_value = "")]
    note: String,
    /// How long it lasts, from 1h to 30d; as configured where it is left out.
    #[arg(long)]
    expires_in: Option<String>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// `invite list`.
#[derive(Args)]
pub(super) struct ListInvites {
    /// Part of an e-mail address.
    #[arg(long)]
    q: Option<String>,
    /// Prints one JSON array.
    #[arg(long)]
    json: bool,
}

/// Does what is asked for.
pub(super) async fn run(told: &Told, command: InviteCommand) -> Result<(), CliError> {
    match command {
        InviteCommand::Create(new) => create(told, new).await,
        InviteCommand::List(list) => list_invites(told, list).await,
        InviteCommand::Resend(target) => resend(told, target).await,
        InviteCommand::Revoke(target) => revoke(told, target).await,
    }
}

async fn create(told: &Told, new: CreateInvite) -> Result<(), CliError> {
    let email = read_email(&new.email)?;
    let role: Role = new.role.parse().map_err(|_| CliError::Role(new.role))?;
    let note = InviteNote::parse(&new.note)?;
    let expires_in = match new.expires_in.as_deref() {
        Some(text) => Some(read_life(text)?),
        None => None,
    };
    let terms = InviteTerms { role, note, expires_in, ..InviteTerms::default() };
    let invited = flows::invite(&told.services, &told.scope, Invitation { email, terms }).await?;
    show(told, (&invited, new.json), "Invited").await
}

fn read_life(text: &str) -> Result<std::time::Duration, CliError> {
    let life = duration_text::parse(text).map_err(CliError::ExpiresIn)?;
    if InviteSettings::BOUNDS.contains(&life) {
        return Ok(life);
    }
    Err(CliError::ExpiresIn(format!("`{text}` is not from 1h to 30d")))
}

async fn resend(told: &Told, target: Target) -> Result<(), CliError> {
    let invite = find(told, &target.target).await?;
    let invited = flows::resend_invite(&told.services, &told.scope, &invite.id).await?;
    show(told, (&invited, target.json), "There is a new link for").await
}

async fn show(told: &Told, (invited, is_json): (&Invited, bool), done: &str) -> Result<(), CliError> {
    let link = told.link(&invited.token);
    let invite = users::find_invite(&told.services.platform.db, &invited.id).await?;
    let mut answer = invite.map_or(json!({}), |invite| invite_json(&invite, told.scope.now));
    answer["link"] = json!(link);
    let mail = if told.services.platform.outbox.is_sent() {
        "A mail with a link is on its way; this one works, too:"
    } else {
        "No mail was sent. Hand this link to them alone:"
    };
    let until = invited.expires_at.to_rfc3339();
    tell(is_json, &answer, &format!("{done} {}, until {until}. {mail}\n\n    {link}\n", invited.email))
}

async fn revoke(told: &Told, target: Target) -> Result<(), CliError> {
    let invite = find(told, &target.target).await?;
    flows::revoke_invite(&told.services, &told.scope, &invite.id).await?;
    let answer = json!({ "id": invite.id, "email": invite.email, "revoked": true });
    tell(target.json, &answer, &format!("Revoked the invite for {}.", invite.email))
}

async fn list_invites(told: &Told, list: ListInvites) -> Result<(), CliError> {
    let now = told.scope.now;
    let listed = read_list(told, &InviteFilter { search: list.q, ..InviteFilter::default() }).await?;
    if list.json {
        return print(&Value::Array(listed.iter().map(|invite| invite_json(invite, now)).collect()).to_string());
    }
    let lines: Vec<String> = listed.iter().map(|invite| invite_line(invite, now)).collect();
    if lines.is_empty() { Ok(()) } else { print(&lines.join("\n")) }
}

async fn read_list(told: &Told, filter: &InviteFilter) -> Result<Vec<Invite>, CliError> {
    let mut listed = Vec::new();
    let mut page = InvitePage::First;
    loop {
        let wanted = (filter, InviteOrder::default(), &page);
        let found = users::list_invites(&told.services.platform.db, &told.scope, wanted, LISTED_AT_ONCE).await?;
        let end = found.invites.last().map(|invite| invite.id.clone());
        listed.extend(found.invites);
        match end {
            Some(id) if found.has_next => page = InvitePage::After(id),
            _ => return Ok(listed),
        }
    }
}

/// By id, or by address: the one that is open, else the newest.
async fn find(told: &Told, target: &str) -> Result<Invite, CliError> {
    let missing = || CliError::NoSuchInvite(target.to_owned());
    let Ok(email) = EmailAddress::parse(target).map_err(|InvalidEmail| ()) else {
        let found = users::find_invite(&told.services.platform.db, &InviteId::new(target)).await?;
        return found.ok_or_else(missing);
    };
    users::newest_invite_of(&told.services.platform.db, &email).await?.ok_or_else(missing)
}

fn invite_line(invite: &Invite, now: Timestamp) -> String {
    let state = state_of(invite, now);
    format!("{}  {}  {}  {state}  {}", invite.id, invite.email, invite.role, invite.expires_at.to_rfc3339())
}

fn invite_json(invite: &Invite, now: Timestamp) -> Value {
    json!({
        "id": invite.id,
        "email": invite.email,
        "role": invite.role,
        "note": invite.note,
        "state": state_of(invite, now),
        "mail": match invite.mail {
            MailState::Queued => Some("queued"),
            MailState::Sent => Some("sent"),
            MailState::Failed => Some("failed"),
            MailState::None => None,
        },
        "invited_by": invite.inviter.as_ref().map(|inviter| &inviter.id),
        "metadata": invite.metadata,
        "created_at": invite.created_at,
        "updated_at": invite.updated_at,
        "expires_at": invite.expires_at,
        "accepted_at": invite.accepted_at,
        "revoked_at": invite.revoked_at,
    })
}

fn state_of(invite: &Invite, now: Timestamp) -> &'static str {
    match invite.state(now) {
        InviteState::Pending => "pending",
        InviteState::Accepted => "accepted",
        InviteState::Expired => "expired",
        InviteState::Revoked => "revoked",
    }
}
