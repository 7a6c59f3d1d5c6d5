//! `/account`: what people look after themselves. Every page here is for who is logged in, about nobody else.

pub mod connections;
pub mod profile;
pub mod security;
pub mod sessions;
