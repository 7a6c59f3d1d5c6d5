//! Sessions: browsers and API clients that are logged in; rows that can be listed and revoked. The secret is in the
//! cookie alone, the row has its hash. A revoked one is gone, and nothing that is under way brings it back.

mod bearer;
mod session;
mod store;

pub use bearer::{Claims, TOKEN_LIFETIME, give_key, keep_token, sweep_tokens};
pub use session::{
    Lifetime, NewSession, Opened, Session, SessionKey, end, end_all, end_all_of_identity, end_unowned, give_to,
    is_alive, list, name_user, open, open_with, revoke, session_columns, session_from_row, sweep, touch,
};
pub use store::{CookieStore, adopt};
