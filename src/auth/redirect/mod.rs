//! What all providers share that send people elsewhere: their options, the round trip of a browser, how the other server
//! is asked, and what is made of the person who comes back. OAuth 2.0 as RFC 9700 wants it: state and PKCE always, exact
//! callback URLs, no redirect followed. Called by `providers::{oidc, google, github}`; none of them imports another.

mod ask;
mod client;
mod options;
mod profile;
mod round_trip;
mod tokens;
mod trouble;

pub use ask::Asker;
pub use client::{COMMON_OPTIONS, Client};
pub use options::{OptionReader, check_web_url};
pub use profile::Profile;
pub use round_trip::{Arrival, RoundTrip};
pub use tokens::Tokens;
pub use trouble::Trouble;

/// What is said of everything that is nobody's business: what was forged, malformed or refused by the other side.
pub const FAILED: &str = "Authentication failed";
/// What is said where the person, or the other side for them, has said no.
pub const DENIED: &str = "Access was denied";
