//! The words for invites: states, mails, ends, and how long one may last.

use std::time::Duration;

use crate::{
    platform::Timestamp,
    shared::Role,
    users::{Invite, InviteState, MailState},
    web::ui::Tone,
};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Every state: as it stands in an address, and as it is read.
pub const STATES: [(&str, InviteState, &str); 4] = [
    ("pending", InviteState::Pending, "Pending"),
    ("accepted", InviteState::Accepted, "Accepted"),
    ("expired", InviteState::Expired, "Expired"),
    ("revoked", InviteState::Revoked, "Revoked"),
];

/// How long an invite may last, as a form offers it: as it is sent, how long, and as it is read.
pub const LIVES: [(&str, Duration, &str); 6] = [
    ("1h", Duration::from_hours(1), "1 hour"),
    ("24h", Duration::from_hours(24), "1 day"),
    ("3d", Duration::from_hours(3 * 24), "3 days"),
    ("7d", Duration::from_hours(7 * 24), "7 days"),
    ("14d", Duration::from_hours(14 * 24), "14 days"),
    ("30d", Duration::from_hours(30 * 24), "30 days"),
];

/// What has become of an invite.
pub fn of_state(invite: &Invite, now: Timestamp) -> (Tone, &'static str) {
    match invite.state(now) {
        InviteState::Pending if !invite.is_by_who_may() => (Tone::Bad, "Not valid: inviter gone"),
        InviteState::Pending => (Tone::Warn, "Pending"),
        InviteState::Accepted => (Tone::Good, "Accepted"),
        InviteState::Expired => (Tone::Neutral, "Expired"),
        InviteState::Revoked => (Tone::Bad, "Revoked"),
    }
}

/// What has become of the mail with the newest link; one that waits is kept where no mail leaves.
pub fn of_mail(mail: MailState, is_sent: bool) -> &'static str {
    match mail {
        MailState::Queued if !is_sent => "Not sent",
        MailState::Queued => "Queued",
        MailState::Sent => "Sent",
        MailState::Failed => "Failed",
        MailState::None => "None",
    }
}

/// Who invited.
pub fn of_inviter(invite: &Invite) -> String {
    match &invite.inviter {
        None => "Command line".to_owned(),
        Some(inviter) => inviter.name.clone().unwrap_or_else(|| "A deleted user".to_owned()),
    }
}

/// How much a role stands out.
pub fn tone_of_role(role: Role) -> Tone {
    if role.may_manage_users() { Tone::Accent } else { Tone::Neutral }
}

/// To the nearest hour or day, so that an invite of seven days does not end "in 6 days" a second later.
fn rounded(left: Duration) -> Duration {
    let unit = if left < DAY { HOUR } else { DAY };
    if left < HOUR { left } else { left + unit / 2 }
}

/// A moment to come, seen from now: "in 6 days".
pub fn of_end(at: Timestamp, now: Timestamp) -> String {
    format!("in {}", super::of_duration(rounded(at.since(now))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_from_now() {
        let now = Timestamp::from_micros(0);
        for (left, words) in [
            (Duration::from_secs(7 * 86_400 - 1), "in 7 days"),
            (DAY + HOUR * 13, "in 2 days"),
            (DAY, "in 1 day"),
            (HOUR * 5 + Duration::from_mins(20), "in 5 hours"),
            (Duration::from_mins(59), "in 59 minutes"),
        ] {
            assert_eq!(of_end(now.plus(left), now), words);
        }
    }
}
