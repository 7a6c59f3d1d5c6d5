//! Work outside of a request.

mod answer_mail_requests;
mod deliver_webhooks;
mod letter;
mod send_mail;
mod sweep;

pub use answer_mail_requests::answer_mail_requests_until;
pub use deliver_webhooks::{Courier, deliver_webhooks_until};
pub use send_mail::{Post, send_until};
pub use sweep::sweep_until;
