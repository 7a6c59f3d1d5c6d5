//! `/dashboard`: for admins alone.

mod audit;
mod invites;
mod new_invites;
mod user;
mod users;
