//! Mailed links: which there are and how long they live. Opening one changes nothing, since mail scanners open every
//! link; what a link does is done by the flow of its purpose.

use std::time::Duration;

use crate::platform::Purpose;

const DAY: Duration = Duration::from_hours(24);

/// Confirms the address that somebody registered with. About a user.
pub const CONFIRM_EMAIL: Purpose = Purpose { name: "confirm_email", lifetime: DAY, replaces: true };
/// Sets a forgotten password anew (OWASP: short, once). About a user.
pub const RESET_PASSWORD: Purpose =
    Purpose { name: "reset_password", lifetime: Duration::from_mins(15), replaces: true };
/// Sets a forgotten password anew where there is no account of this kind. About an auth identity.
pub const RESET_IDENTITY: Purpose =
    Purpose { name: "reset_identity", lifetime: Duration::from_mins(15), replaces: true };
/// Sets the first password of an account that the operator has made. About a user.
pub const SET_PASSWORD: Purpose =
    Purpose { name: "set_password", lifetime: Duration::from_hours(7 * 24), replaces: true };
/// Says that it was not oneself who set the password anew. About a user.
pub const DISOWN_RESET: Purpose =
    Purpose { name: "disown_reset", lifetime: Duration::from_hours(7 * 24), replaces: false };
/// Confirms the new address of an account. About a user.
pub const CHANGE_EMAIL: Purpose = Purpose { name: "change_email", lifetime: Duration::from_hours(1), replaces: true };
/// Takes a change of address back. About a user.
pub const UNDO_EMAIL_CHANGE: Purpose =
    Purpose { name: "undo_email_change", lifetime: Duration::from_hours(7 * 24), replaces: false };
/// Logs in. About a user, or about an address that is nobody's yet. Its provider says how long it lives.
pub const LOG_IN: Purpose = Purpose { name: "log_in", lifetime: Duration::from_mins(15), replaces: true };
/// Logs in to an account of another type, which the pages do not know: whoever asks for it ends no link of a user. About
/// the same as [`LOG_IN`].
pub const LOG_IN_ELSEWHERE: Purpose =
    Purpose { name: "log_in_elsewhere", lifetime: Duration::from_mins(15), replaces: true };
/// All that logs in.
pub const LOG_INS: [Purpose; 2] = [LOG_IN, LOG_IN_ELSEWHERE];
/// Accepts an invite; a newer link does not end the older ones. About an invite, which says how long it lives.
pub const INVITE: Purpose = Purpose { name: "invite", lifetime: Duration::from_hours(7 * 24), replaces: false };
