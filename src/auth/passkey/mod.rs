//! Passkeys (WebAuthn level 3): the ceremonies by which one is made and used, what is kept of it, and the list of somebody's
//! own. A passkey without user verification, of another origin, or from within a page of another site is refused.
//! Called by `providers::passkey`; the list is read by a flow.

mod ceremony;
mod list;
mod sent;
mod stored;

pub use ceremony::{Begun, Ceremonies, Refusal};
pub(in crate::auth) use list::NAME;
pub use list::{OwnPasskey, list_passkeys, rename_passkey};
pub use sent::Sent;
pub use stored::Stored;
