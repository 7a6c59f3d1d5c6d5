//! What programs meet.

mod accept_invite;
mod auth;
mod browser;
mod by_mail;
mod create_if_missing;
mod forward;
mod health;
mod invites;
mod openapi;
mod passkeys;
mod refusals;
mod reset;
mod revoked;
mod session;
mod users;
mod users_list;
