//! What programs are answered that come in. What a token says is signed, and described with `POST /auth/token/refresh`.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    auth::{Configured, Flow},
    shared::ProviderId,
};

/// A bearer token, or where the browser has to go first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Access)]
pub enum AccessAnswer {
    /// A bearer token.
    Token(TokenAnswer),
    /// Where the browser has to go first.
    Elsewhere(ElsewhereAnswer),
}

/// A bearer token.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenAnswer {
    /// A JWT (RFC 7519) that lasts a day at most, signed with `EdDSA`.
    #[schema(example = "eyJhbGciOiJFZERTQSJ9.eyJhY3Rvcl90eXBlIjoidXNlciJ9.c2lnbmF0dXJl")]
    pub token: String,
}

/// Where the browser has to go first, or may wait for a mail.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Elsewhere)]
pub struct ElsewhereAnswer {
    /// The address of the provider, or of the page that waits for a mail and takes its code.
    #[schema(example = "https://id.example.org/authorize?state=x")]
    pub location: String,
    /// With a passkey: what the browser has to be asked for, by `navigator.credentials.get`. What it answers is posted as
    /// `credential` to the callback.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub options: Option<Value>,
}

/// It is done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    /// `true`.
    #[schema(example = true)]
    pub success: bool,
}

/// The providers, in the order of the configuration.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderList {
    /// The providers.
    pub providers: Vec<ProviderAnswer>,
}

/// A way to prove who one is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Provider)]
pub struct ProviderAnswer {
    /// The name under which it is configured, as addresses have it.
    pub id: ProviderId,
    /// The name of its kind.
    #[schema(example = "emailpass")]
    pub identifier: String,
    /// What people read.
    #[schema(example = "E-mail and password")]
    pub display_name: String,
    /// Whether one types something here or is led elsewhere.
    pub flow: FlowName,
}

/// Whether one types something here or is led elsewhere.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProviderFlow)]
pub enum FlowName {
    /// One types something here.
    Credentials,
    /// One is led elsewhere.
    Redirect,
}

impl From<&Configured> for ProviderAnswer {
    fn from(provider: &Configured) -> Self {
        Self {
            id: provider.id.clone(),
            identifier: provider.identifier.to_owned(),
            display_name: provider.display_name.clone(),
            flow: match provider.flow {
                Flow::Credentials | Flow::Mail => FlowName::Credentials,
                Flow::Redirect => FlowName::Redirect,
            },
        }
    }
}
