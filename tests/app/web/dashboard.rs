//! `/dashboard`: for admins alone.

mod audit;
mod invites;
mod mail;
mod new_invites;
mod user;
mod users;
mod webhooks;
