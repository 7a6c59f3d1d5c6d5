//! Sessions: browsers and API clients that are logged in; rows that can be listed and revoked. The secret is in the
//! cookie alone, the row has its hash. A revoked one is gone, and nothing that is under way brings it back.

mod session;
mod store;

pub use session::{
    Lifetime, NewSession, Opened, Session, SessionKey, end_all, is_alive, list, open, revoke, session_columns,
    session_from_row, sweep, touch,
};
pub use store::{CookieStore, adopt};
