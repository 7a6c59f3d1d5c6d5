//! Webhooks: the endpoints that are told of events. They stand in the configuration with their addresses and secrets; a
//! table holds what all processes must agree on: which there are, since when, what they want, and whether one has said that
//! it is gone. What is sent is signed as Standard Webhooks says.

mod endpoints;
mod payload;
mod secret;
mod settings;

pub use endpoints::{GONE, Standing, mark_gone, settle, standings};
pub use payload::{TEST_KIND, payload_of, test_payload};
pub use secret::{InvalidSecret, SecretText, SigningSecret, headers};
pub use settings::{Endpoint, InvalidWebhook, WebhookSettings};

pub(super) use endpoints::to_tell;
pub(super) use settings::wants;
