//! The words for what the floors below only know as codes, times and headers. Pages share them, so that one thing is
//! called by one name everywhere.

pub mod invites;

use std::time::Duration;

pub use crate::shared::browser_name as of_browser;

use super::http::{error::waiting_time, flash::Done, scope::Asked};
use crate::{
    events::EventKind,
    platform::Timestamp,
    shared::{Field, FormError, PasswordRule, Problem, Role, SignInError},
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Why a form was refused, for the top of the form; `None` where it is said at a field.
pub fn of_refusal(error: &FormError) -> Option<String> {
    let words = match error {
        FormError::Invalid { .. } => return None,
        FormError::Credentials => "That e-mail and password don't match.",
        FormError::NotRecognised => "We don't recognise that. Check what you typed and try again.",
        FormError::ProviderFailed => "That way to log in didn't work. Try again, or choose another one.",
        FormError::ProviderCancelled => "You did not go on there, so nothing was changed.",
        FormError::Refused => "You were not let in.",
        FormError::NotLinked => "An account with this e-mail exists. Log in to it once to link the other one.",
        FormError::LinkedElsewhere => "That account there belongs to another account here.",
        FormError::NoAddress => "We were told no e-mail address, and need one to make an account.",
        FormError::LastWayIn => "Add another way to log in first.",
        FormError::PasskeyRefused => "That passkey didn't work here. Try again, or log in another way.",
        FormError::PasskeyNotAdded => "The passkey was not added. Try again.",
        FormError::TooManyPasskeys => "You have as many passkeys as an account may have. Remove one first.",
        FormError::Disabled => "This account is turned off.",
        FormError::EmailNotVerified => "Confirm your e-mail first.",
        FormError::RegistrationClosed => "Registration is not open. Ask an administrator for an account.",
        FormError::DomainNotAllowed => "Addresses of this domain can't register here.",
        FormError::NotRegistered => "No account was created. If you already have one, log in instead.",
        FormError::Unauthorized => "You are not logged in any more. Log in and try again.",
        FormError::Forbidden => "Your account does not have the right to do this.",
        FormError::NotFound => "It is not there any more.",
        FormError::LastAdmin => "This is the last admin who can log in. Make somebody else an admin first.",
        FormError::Yourself => "You can't do this to your own account. Ask another admin.",
        FormError::LinkEnded => "This link can't be used any more. Ask for a new one.",
        FormError::SameEmail => "This is your address already.",
        FormError::InviteEnded => "This invite can't be accepted any more.",
        FormError::AlreadyInvited => "This address is invited already. Send the invite again instead.",
        FormError::HasAccount => "There is an account with this address already.",
        FormError::WrongAccount => "You're logged in as somebody else.",
        FormError::Conflict => "Somebody changed this meanwhile. Look at it again.",
        FormError::RateLimited { retry_after_secs } | FormError::Busy { retry_after_secs } => {
            return Some(format!("Too many tries. You can try again in {}.", waiting_time(*retry_after_secs)));
        }
        FormError::Internal { .. } => "Something went wrong, and nothing was changed. Try again in a moment.",
        FormError::Unreadable => "That could not be read. Check what you typed and try again.",
    };
    Some(words.to_owned())
}

/// The same for a log-in by a provider, by its name where it is known.
pub fn of_provider_refusal(error: &FormError, name: Option<&str>) -> Option<String> {
    match (error, name) {
        (FormError::ProviderFailed, Some(name)) => {
            Some(format!("Logging in with {name} didn't work. Try again, or choose another way."))
        }
        (FormError::ProviderCancelled, Some(name)) => Some(format!("{name} sign-in was cancelled.")),
        (FormError::NotLinked, Some(name)) => {
            Some(format!("An account with this e-mail exists. Log in to it once to link {name}."))
        }
        (FormError::LinkedElsewhere, Some(name)) => {
            Some(format!("That {name} account belongs to another account here."))
        }
        (FormError::NoAddress, Some(name)) => {
            Some(format!("{name} told us no e-mail address, and we need one to make an account."))
        }
        _ => of_refusal(error),
    }
}

/// What a code in the address says went wrong.
pub fn of_sign_in_error(error: SignInError, name: Option<&str>) -> Option<String> {
    let fact = match error {
        SignInError::OAuthAccountNotLinked => FormError::NotLinked,
        SignInError::OAuthCallbackError => FormError::ProviderFailed,
        SignInError::CredentialsSignin => FormError::Credentials,
        SignInError::AccessDenied => return Some("You were not let in.".to_owned()),
        SignInError::Verification => return Some("This needs a confirmed e-mail address.".to_owned()),
        SignInError::MissingCSRF => return Some("That page was open for too long. Try again.".to_owned()),
        SignInError::Configuration => return Some("There is no such way to log in here.".to_owned()),
    };
    of_provider_refusal(&fact, name)
}

/// What is wrong with one field, for the line below it.
pub fn of_field(error: Option<&FormError>, asked_for: Field) -> Option<String> {
    let Some(FormError::Invalid { field, problem }) = error else { return None };
    (*field == asked_for).then(|| of_problem(asked_for, *problem))
}

fn of_problem(field: Field, problem: Problem) -> String {
    match (field, problem) {
        (_, Problem::Password(rule)) => of_rule(rule).to_owned(),
        (_, Problem::WrongCode) => "That code is not right, or it no longer works.".to_owned(),
        (_, Problem::WrongPassword) => "That is not your current password.".to_owned(),
        (Field::Email, Problem::Required) => "Enter an e-mail address.".to_owned(),
        (Field::Email, Problem::Invalid) => "This is not an e-mail address.".to_owned(),
        (Field::FirstName | Field::LastName, _) => "At most 100 characters, and no control characters.".to_owned(),
        (Field::Code, _) => "This is not the token from the log, or it was replaced.".to_owned(),
        (Field::Confirm, _) => "Type the e-mail address to confirm.".to_owned(),
        (Field::Role, _) => "There is no such role.".to_owned(),
        (Field::Note, _) => "At most 500 characters, and no control characters but line breaks.".to_owned(),
        (Field::Name, _) => "From 1 to 60 characters, and no control characters.".to_owned(),
        (Field::ExpiresIn, _) => "From 1 hour (1h) to 30 days (30d).".to_owned(),
        (_, Problem::Required) => "This is needed.".to_owned(),
        (_, Problem::Invalid) => "This can't be right.".to_owned(),
    }
}

/// What a password must be, where it is not.
pub fn of_rule(rule: PasswordRule) -> &'static str {
    match rule {
        PasswordRule::TooShort => "Use at least 8 characters.",
        PasswordRule::TooLong => "Use at most 256 characters.",
        PasswordRule::IsEmail => "Don't use your e-mail address.",
        PasswordRule::Common => "This password is among the first that others would guess. Choose another one.",
        PasswordRule::Control => "Leave out control characters.",
    }
}

/// What was done, for the top of the next page.
pub fn of_done(done: Done) -> String {
    match done {
        Done::ProfileSaved => "Saved.".to_owned(),
        Done::PasswordChanged(0) => "Your password was changed.".to_owned(),
        Done::PasswordChanged(ended) => format!("Your password was changed. {}", ended_elsewhere(ended)),
        Done::SessionEnded => "That session was logged out.".to_owned(),
        Done::SessionsEnded(ended) => ended_elsewhere(ended),
        Done::UserDisabled(ended) => format!("Disabled. {}", ended_elsewhere(ended)),
        Done::UserEnabled => "Enabled. They can log in again.".to_owned(),
        Done::RoleChanged => "The role was changed.".to_owned(),
        Done::UserDeleted => "The user was deleted.".to_owned(),
        Done::Invited => "Invited.".to_owned(),
        Done::InviteResent => "There is a new link. The older ones go on to work until one is used.".to_owned(),
        Done::InviteRevoked => "The invite was revoked. Its links don't work any more.".to_owned(),
        Done::InviteDeleted => "The invite was deleted. Its links don't work any more.".to_owned(),
        Done::InviteAskedFor => {
            "If whoever invited you can still send invites, they are asked for a new one.".to_owned()
        }
        Done::InviteAccepted => "You're in.".to_owned(),
        Done::MailRetried => "The mail is tried again.".to_owned(),
        Done::TestMailWritten => "A test mail is on its way to you.".to_owned(),
        Done::DeliveryRetried => "The delivery is tried again.".to_owned(),
        Done::TestWebhookSent => "A test is on its way. Look again in a moment for what came of it.".to_owned(),
        Done::Linked => "Linked. You can log in with it from now on.".to_owned(),
        Done::Unlinked => "Unlinked. It lets nobody in any more.".to_owned(),
        Done::PasskeyAdded => "The passkey was added. You can log in by it from now on.".to_owned(),
        Done::PasskeyRenamed => "The passkey has a new name.".to_owned(),
        Done::PasskeyRemoved => "The passkey was removed. It lets nobody in any more.".to_owned(),
        Done::LoggedOut => "You are logged out.".to_owned(),
        Done::EmailConfirmed => "Your e-mail address is confirmed.".to_owned(),
        Done::EmailConfirmedElsewhere => {
            "Your e-mail address is confirmed. This is not the browser that you registered with, so choose your password \
             again."
                .to_owned()
        }
        Done::EmailChanged => "Your e-mail address was changed.".to_owned(),
        Done::EmailTakenBack => {
            "Your account has its address again. Choose a new password; the old one no longer works."
                .to_owned()
        }
        Done::PasswordSet => "Your new password is set. Every other device is logged out.".to_owned(),
        Done::PasswordDisowned => {
            "That password no longer works, and every device is logged out. A link to set your own is in a new mail."
                .to_owned()
        }
        Done::LinkVoided => "That link no longer works. Nothing else was changed.".to_owned(),
        Done::MailAskedAgain => "If there is anything to send, another mail is on its way.".to_owned(),
    }
}

fn ended_elsewhere(ended: u64) -> String {
    match ended {
        0 => "No session was open.".to_owned(),
        1 => "1 session was logged out.".to_owned(),
        _ => format!("{ended} sessions were logged out."),
    }
}

/// What the answer before has done, if anything.
pub fn of_notice(asked: &Asked) -> Option<String> {
    asked.flash.done.map(of_done)
}

/// The name of a role.
pub fn of_role(role: Role) -> &'static str {
    match role {
        Role::Admin => "Admin",
        Role::Member => "Member",
    }
}

/// A moment, seen from now: "5 minutes ago", and the date for what is over a week old.
pub fn of_time(then: Timestamp, now: Timestamp) -> String {
    let secs = now.since(then).as_secs();
    match secs {
        0..MINUTE => "just now".to_owned(),
        MINUTE..HOUR => ago(secs / MINUTE, "minute"),
        HOUR..DAY => ago(secs / HOUR, "hour"),
        _ if secs < 7 * DAY => ago(secs / DAY, "day"),
        _ => date(then),
    }
}

fn ago(number: u64, unit: &str) -> String {
    if number == 1 { format!("1 {unit} ago") } else { format!("{number} {unit}s ago") }
}

/// A day, as in "21 Nov 2026" (UTC).
pub fn date(at: Timestamp) -> String {
    let iso = at.to_rfc3339();
    let mut parts = iso.split(['-', 'T']);
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| month.parse::<usize>().ok()).and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    let day = day.map(|day| day.trim_start_matches('0'));
    match (day, month, year) {
        (Some(day), Some(month), Some(year)) => format!("{day} {month} {year}"),
        _ => iso,
    }
}

/// What happened.
pub fn of_event(kind: EventKind) -> &'static str {
    match kind {
        EventKind::SessionCreated => "Logged in",
        EventKind::SessionRevoked => "Session ended",
        EventKind::AuthFailed => "Log-in failed",
        EventKind::AuthPasswordChanged => "Password changed",
        EventKind::AuthPasswordResetRequested => "Password forgotten",
        EventKind::AuthEmailVerified => "E-mail confirmed",
        EventKind::UserCreated => "User created",
        EventKind::UserUpdated => "User changed",
        EventKind::UserDisabled => "User disabled",
        EventKind::UserEnabled => "User enabled",
        EventKind::UserDeleted => "User deleted",
        EventKind::UserRoleChanged => "Role changed",
        EventKind::IdentityLinked => "Way in linked",
        EventKind::IdentityUnlinked => "Way in unlinked",
        EventKind::InviteCreated => "Invited",
        EventKind::InviteResent => "Invited again",
        EventKind::InviteAccepted => "Invite accepted",
        EventKind::InviteRevoked => "Invite revoked",
        EventKind::InviteDeleted => "Invite deleted",
    }
}

/// A moment to the second, as in "2026-11-21 14:47:03".
pub fn of_stamp(at: Timestamp) -> String {
    at.to_rfc3339().chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

/// A time of day, as in "14:47 UTC".
pub fn of_clock(at: Timestamp) -> String {
    let iso = at.to_rfc3339();
    iso.get(11..16).map_or_else(|| iso.clone(), |time| format!("{time} UTC"))
}

/// A moment, as in "21 Nov 2026, 14:47 UTC".
pub fn of_moment(at: Timestamp) -> String {
    format!("{}, {}", date(at), of_clock(at))
}

/// A name as it begins a line: "A mailed link".
pub fn at_start(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// When something ends, seen from now: the time of day for today, else the moment.
pub fn of_end(at: Timestamp, now: Timestamp) -> String {
    if date(at) == date(now) { of_clock(at) } else { of_moment(at) }
}

/// How long something takes, in words: "7 days".
pub fn of_duration(duration: Duration) -> String {
    let secs = duration.as_secs();
    let (number, unit) = match secs {
        0..HOUR => (secs / MINUTE, "minute"),
        HOUR..DAY => (secs / HOUR, "hour"),
        _ => (secs / DAY, "day"),
    };
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_on_another_day_says_on_which() {
        let now = Timestamp::from_micros(1_795_269_600_000_000);
        for (hours, words) in [(1, "15:00 UTC"), (9, "23:00 UTC"), (10, "22 Nov 2026, 00:00 UTC")] {
            assert_eq!(of_end(now.plus(Duration::from_hours(hours)), now), words);
        }
    }

    #[test]
    fn moments_are_told_from_now() {
        let now = Timestamp::from_micros(1_795_270_330_000_000);
        for (secs, words) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (7_300, "2 hours ago"),
            (86_400, "1 day ago"),
            (6 * 86_400, "6 days ago"),
            (10 * 86_400, "11 Nov 2026"),
        ] {
            assert_eq!(of_time(now.minus(Duration::from_secs(secs)), now), words);
        }
    }
}
