//! `/dashboard`: where admins manage users. Every page here is for who may; the functions below ask again.

pub mod audit;
pub mod invite;
pub mod invites;
pub mod mail;
pub mod new_invites;
pub mod system;
pub mod user;
pub mod users;
pub mod webhooks;
