//! `/dashboard`: for admins alone.

mod audit;
mod user;
mod users;
