//! The Auth module behind the front door: what a provider may rely on.

pub mod by_mail;
mod by_mail_accounts;
mod by_mail_codes;
mod custom_provider;
mod external_user;
mod github;
mod google;
mod guests;
mod identities;
pub mod oidc;
mod resolve_user;
mod resolve_user_by_http;
mod ways_in;
