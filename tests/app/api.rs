//! What programs meet.

mod health;
mod session;
