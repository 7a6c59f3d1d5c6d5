//! The User module: users and what is true of them. It authenticates nobody and stores nothing for it; whoever may
//! log in, and how, is the Auth module's, and what needs both is a flow.

mod avatar_url;
mod invites;
mod list;
mod search;
mod sql;
mod user;

use crate::platform::is_unique_violation;

pub use avatar_url::{AvatarUrl, InvalidAvatarUrl, MAX_AVATAR_URL_BYTES};
pub use invites::{
    INVITE_NOTE_CHARS, InvalidNote, Invite, InviteFilter, InviteList, InviteNote, InviteOrder, InvitePage,
    InviteSortBy, InviteState, Inviter, MailState, NewInvite, accept_invite, create_invite, delete_invite, find_invite,
    get_invite_for_update, invited_addresses, list_and_count_invites, list_invites, newest_invite_of, owned_addresses,
    pending_invite_of, renew_invite, revoke_invite, set_invite_mail,
};
pub use list::{Exact, Filter, List, Order, Page, SortBy, Span, Status, TimeOf, list, list_and_count};
pub(crate) use user::{COLUMNS as USER_COLUMNS, from_row as user_from_row};
pub use user::{
    NewUser, Profile, User, admins_besides, any_admin, create, delete, emails_of, exists, find, find_by_email,
    find_by_email_in, get_for_update, has_admin, note_login, set_details, set_disabled, set_email, set_email_verified,
    set_profile, set_role,
};

/// Why the User module refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The one who asks may not see or change others' accounts.
    #[error("not allowed to manage users")]
    Forbidden,
    /// No such user.
    #[error("no such user")]
    NotFound,
    /// A user has this e-mail address already.
    #[error("a user with this e-mail address exists")]
    EmailTaken,
    /// An invite for this e-mail address is pending already.
    #[error("this e-mail address is invited already")]
    AlreadyInvited,
    /// The place in the list that was asked for does not exist.
    #[error("no such place in the list")]
    UnknownCursor,
    /// The database failed.
    #[error("the database failed: {0}")]
    Internal(#[source] sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if is_unique_violation(&error) { Self::EmailTaken } else { Self::Internal(error) }
    }
}
