//! What programs meet.

mod auth;
mod health;
mod session;
