//! What programs meet.

mod accept_invite;
mod auth;
mod forward;
mod health;
mod invites;
mod session;
mod users;
mod users_list;
