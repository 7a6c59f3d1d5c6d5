//! What people meet: a file for each page, with what it does and what it refuses.

mod account;
pub mod connections;
mod dashboard;
mod forgot_password;
mod invite;
mod link;
mod login;
mod passkeys;
pub mod providers;
mod refusals;
mod register;
mod register_by_mail;
mod setup;
