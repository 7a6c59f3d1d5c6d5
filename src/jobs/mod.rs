//! Work outside of a request.

mod sweep;

pub use sweep::sweep_until;
