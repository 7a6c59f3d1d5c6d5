//! `/dashboard`: for admins alone.

mod user;
mod users;
