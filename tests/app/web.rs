//! What people meet: a file for each page, with what it does and what it refuses.

mod account;
mod dashboard;
mod login;
mod refusals;
mod register;
mod setup;
