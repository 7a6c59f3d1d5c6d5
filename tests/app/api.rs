//! What programs meet.

mod auth;
mod forward;
mod health;
mod session;
