//! What each letter says. One action each, because a mail with two is a mail that is not read; the sentence for those
//! who did not ask for it is true of the link that the letter carries.

use super::{House, safe};
use crate::{
    flows::{Letter, MailedLink, Written},
    platform::Timestamp,
    shared::{MAX_NAME_CHARS, Role, browser_name},
};

/// The longest note that is passed on, in characters.
const MAX_NOTE_CHARS: usize = 500;
/// The longest address that is shown, in characters.
const MAX_ADDRESS_CHARS: usize = 254;
const NOT_YOU_LINK: &str = "Was it not you? Then do nothing: without this mail nobody gets in.";
const NOT_YOU_CODE: &str =
    "Was it not you? Then do nothing, and tell nobody the code: without it nobody gets in, whoever asks for it.";
const NOT_YOU_WAY_IN: &str = "Was it you? Then there is nothing to do. Was it not you? Then take it away there, log out \
     everywhere else and set a new password.";
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A letter in words.
pub(super) struct Words {
    /// What it is about.
    pub title: &'static str,
    /// What happened, and what to do.
    pub says: String,
    /// What a person adds.
    pub quote: Option<String>,
    /// The one thing to do.
    pub action: Option<Action>,
    /// The code that does the same, and until when both do.
    pub code: Option<(String, String)>,
    /// Who asked for it, and when.
    pub asked: String,
    /// What to do if it was not oneself.
    pub not_you: &'static str,
}

/// The one thing to do.
pub(super) struct Action {
    /// What the button says.
    pub label: &'static str,
    /// Where it leads.
    pub url: String,
}

/// Puts a letter into words.
pub(super) fn of(house: &House, written: &Written) -> Words {
    let (title, label, not_you) = fixed(&written.letter);
    let is_code_alone = written.letter == Letter::LogInByCode;
    let url = match (&written.link, page(&written.letter)) {
        _ if is_code_alone => None,
        (Some(link), _) => Some(format!("{}{}", house.public_url, link.path())),
        (None, Some(page)) => Some(format!("{}{page}", house.public_url)),
        (None, None) => None,
    };
    Words {
        title,
        says: says(house, &written.letter),
        quote: quote(&written.letter),
        action: url.map(|url| Action { label, url }),
        code: written.link.as_ref().map(code),
        asked: asked(written),
        not_you,
    }
}

/// What stands before a code.
pub(super) fn code_lead(has_link: bool) -> &'static str {
    if has_link { "On another device, type this code instead:" } else { "Your code:" }
}

/// How often link and code work.
pub(super) fn code_end(has_link: bool) -> &'static str {
    if has_link { "Link and code work once" } else { "It works once" }
}

fn code(link: &MailedLink) -> (String, String) {
    (link.code.clone(), moment(link.expires_at()))
}

/// Title, what the button says, and what to do if it was not oneself.
fn fixed(letter: &Letter) -> (&'static str, &'static str, &'static str) {
    match letter {
        Letter::ConfirmEmail => (
            "Confirm your e-mail address",
            "Confirm the address",
            "Was it not you? Then do nothing: without this link nobody can use your address here.",
        ),
        Letter::AlreadyRegistered => (
            "You already have an account",
            "Log in",
            "Was it not you? Then there is nothing to do: your account is as it was.",
        ),
        Letter::LogInByLink => ("Your link to log in", "Log in", NOT_YOU_LINK),
        Letter::LogInByCode => ("Your code to log in", "", NOT_YOU_CODE),
        Letter::ResetPassword => (
            "Set a new password",
            "Set a new password",
            "Was it not you? Then do nothing: your password stays as it is.",
        ),
        Letter::SetPassword => (
            "An account was made for you",
            "Choose a password",
            "Do you not know what this is about? Then do nothing: without this link nobody can use the account.",
        ),
        Letter::PasswordWasReset => (
            "Your password was changed",
            "This was not me",
            "Was it you? Then there is nothing to do. Was it not you? Then open the link at once: it ends the new \
             password and logs out whoever set it.",
        ),
        Letter::ConfirmNewEmail => (
            "Confirm your new e-mail address",
            "Confirm the address",
            "Was it not you? Then do nothing: without this link nobody can use your address here.",
        ),
        Letter::EmailWasChanged { .. } => (
            "Your e-mail address was changed",
            "Undo the change",
            "Was it you? Then there is nothing to do. Was it not you? Then open the link at once: it gives your account \
             its old address again.",
        ),
        Letter::EmailIsTaken => (
            "This address already has an account",
            "Log in",
            "Was it not you? Then there is nothing to do: your account is as it was.",
        ),
        Letter::WayInWasAdded { .. } => ("A way to log in was added", "See your account", NOT_YOU_WAY_IN),
        Letter::Invitation { .. } => (
            "You are invited",
            "See the invite",
            "Do you not know what this is about? Then do nothing: no account is made without you.",
        ),
        Letter::InviteIsWanted { .. } => (
            "Somebody asks for a new invite",
            "Open the invites",
            "Do you not know them? Then do nothing: their old link does not work any more.",
        ),
        Letter::Test => ("Mail works", "", "Was it not you? Then another admin may know more."),
    }
}

fn says(house: &House, letter: &Letter) -> String {
    let product = house.product;
    match letter {
        Letter::ConfirmEmail => {
            format!("Somebody registered at {product} with this address. Confirm that it is yours.")
        }
        Letter::AlreadyRegistered => format!(
            "Somebody registered at {product} with this address, which has an account already. Log in to it; if you \
             don't know the password any more, you can set a new one there."
        ),
        Letter::LogInByLink => format!("Somebody wants to log in at {product} with this address."),
        Letter::LogInByCode => {
            format!("Somebody wants to log in at {product} with this address. Type the code where it was asked for.")
        }
        Letter::ResetPassword => format!("Somebody asked to set a new password for your account at {product}."),
        Letter::SetPassword => format!("You have an account at {product}. Choose a password to use it."),
        Letter::PasswordWasReset => format!(
            "The password of your account at {product} was set anew by a mailed link, and everybody who was logged in \
             to it was logged out."
        ),
        Letter::ConfirmNewEmail => {
            format!("Somebody wants this to be the address of their account at {product}. Confirm that it is yours.")
        }
        Letter::EmailWasChanged { new } => format!(
            "The address of your account at {product} was changed to {}. Mails to you go there from now on.",
            safe::line(new.as_str(), MAX_ADDRESS_CHARS)
        ),
        Letter::EmailIsTaken => format!(
            "Somebody wanted this to be the address of another account at {product}, but it belongs to yours, and \
             nothing was changed."
        ),
        Letter::WayInWasAdded { name } => format!(
            "There is one more way to log in to your account at {product}: {}.",
            safe::line(name, MAX_NAME_CHARS * 2)
        ),
        Letter::Invitation { inviter, role, .. } => {
            let name = inviter.as_deref().map(|name| safe::line(name, MAX_NAME_CHARS * 2));
            let name = name.filter(|name| !name.is_empty());
            let opening = name.map_or_else(|| "You are invited".to_owned(), |name| format!("{name} invites you"));
            format!("{opening} to {product} as {}.", of_role(*role))
        }
        Letter::InviteIsWanted { email } => format!(
            "{} was invited by you to {product}, and the invite has ended. They ask for a new one.",
            safe::line(email.as_str(), MAX_ADDRESS_CHARS)
        ),
        Letter::Test => format!("This is a test mail of {product}. If you can read it, mails arrive."),
    }
}

fn of_role(role: Role) -> &'static str {
    match role {
        Role::Admin => "an admin",
        Role::Member => "a member",
    }
}

fn quote(letter: &Letter) -> Option<String> {
    let Letter::Invitation { note: Some(note), .. } = letter else { return None };
    Some(safe::line(note, MAX_NOTE_CHARS)).filter(|note| !note.is_empty())
}

/// The page that a letter without a link of its own leads to.
fn page(letter: &Letter) -> Option<&'static str> {
    match letter {
        Letter::AlreadyRegistered | Letter::EmailIsTaken => Some("/login"),
        Letter::WayInWasAdded { .. } => Some("/account/connections"),
        Letter::InviteIsWanted { .. } => Some("/dashboard/invites"),
        _ => None,
    }
}

/// Who asked. An admin's address and browser are nobody else's business, so what an admin does for others tells neither.
fn asked(written: &Written) -> String {
    let at = moment(written.written_at());
    if matches!(written.letter, Letter::Invitation { .. } | Letter::SetPassword) {
        return format!("Written on {at}.");
    }
    let browser = written.user_agent.as_deref().map(|text| format!(" with {}", browser_name(Some(text))));
    let ip = written.ip.as_deref().map(|ip| format!(" from the address {ip}"));
    match (browser, ip) {
        (None, None) => format!("Written on {at}."),
        (browser, ip) => format!("Asked for on {at}{}{}.", browser.unwrap_or_default(), ip.unwrap_or_default()),
    }
}

/// A moment to the minute, as in "21 November 2026, 14:47 UTC".
fn moment(at: Timestamp) -> String {
    let iso = at.to_rfc3339();
    let parts: Vec<&str> = iso.split(['-', 'T', ':']).collect();
    let [year, month, day, hour, minute, ..] = parts.as_slice() else { return iso };
    let name = month.parse::<usize>().ok().and_then(|month| MONTHS.get(month.wrapping_sub(1))).unwrap_or(month);
    format!("{} {name} {year}, {hour}:{minute} UTC", day.trim_start_matches('0'))
}
