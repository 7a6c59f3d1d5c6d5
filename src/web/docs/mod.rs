//! Pages for developers: what they need to know to use this site from programs. Open to everybody.

pub mod api;
