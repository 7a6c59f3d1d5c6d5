//! The Auth module behind the front door: what a provider may rely on.

mod identities;
