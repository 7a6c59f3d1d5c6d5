//! `/account`: names, password, sessions; one's own and nobody else's.

mod profile;
mod security;
mod sessions;
