//! Why nobody came back by a redirect: what is said to the person is one of a few texts, what has happened is logged.
//! Nothing that the other side has written reaches the person.

use std::fmt;

use oauth2::{ErrorResponse, RequestTokenError};

use super::{FAILED, ask::AskError};
use crate::{
    auth::{AuthResponse, Error, ProviderError},
    shared::ProviderId,
};

/// The most that is logged of what the other side says, in characters.
const MAX_LOGGED_CHARS: usize = 200;

/// Why a redirect has led to nothing.
#[derive(Debug)]
pub enum Trouble {
    /// The person is refused, in these words.
    Told(&'static str),
    /// What came back is not believed; why, for the log.
    Untrusted(String),
    /// The other side does not answer, or says that it can't; why, for the log.
    Down(String),
    /// Something of our own.
    Own(ProviderError),
}

impl Trouble {
    /// What the person is answered.
    ///
    /// # Errors
    /// [`ProviderError::Busy`] where it is worth to come back, and what is our own.
    pub fn answer(self, provider: &ProviderId) -> Result<AuthResponse, ProviderError> {
        match self {
            Self::Told(text) => Ok(AuthResponse::refused(text)),
            Self::Untrusted(reason) => {
                // As a value and not as a text: written out, no line break of the other side stays one.
                tracing::warn!(%provider, reason = shortened(&reason), "what came back is not believed");
                Ok(AuthResponse::refused(FAILED).because(shortened(&reason)))
            }
            Self::Down(reason) => Err(ProviderError::unavailable(NoAnswer(format!("{provider}: {reason}")))),
            Self::Own(error) => Err(error),
        }
    }

    /// What came back is not believed.
    pub fn untrusted(reason: impl fmt::Display) -> Self {
        Self::Untrusted(reason.to_string())
    }
}

fn shortened(text: &str) -> &str {
    text.char_indices().nth(MAX_LOGGED_CHARS).map_or(text, |(end, _)| &text[..end])
}

/// A server gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NoAnswer(String);

impl From<ProviderError> for Trouble {
    fn from(error: ProviderError) -> Self {
        Self::Own(error)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Own(error.into())
    }
}

impl From<AskError> for Trouble {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Down(reason) => Self::Down(reason),
            AskError::Odd(reason) => Self::Untrusted(reason),
        }
    }
}

/// Of an answer that can't be read only what is missing is logged: it may hold tokens.
impl<T: ErrorResponse + 'static> From<RequestTokenError<AskError, T>> for Trouble {
    fn from(error: RequestTokenError<AskError, T>) -> Self {
        match error {
            RequestTokenError::Request(error) => error.into(),
            RequestTokenError::ServerResponse(said) => Self::untrusted(format!("the code was refused: {said}")),
            RequestTokenError::Parse(error, _) => {
                let missing = missing_in(&error.inner().to_string()).unwrap_or_default();
                Self::untrusted(format!("the answer of the token endpoint can't be read{missing}"))
            }
            RequestTokenError::Other(reason) => Self::untrusted(format!("the token endpoint: {reason}")),
        }
    }
}

/// The name of what is missing, and nothing of what is there.
fn missing_in(reason: &str) -> Option<String> {
    let (_, rest) = reason.split_once("missing field `")?;
    let (name, _) = rest.split_once('`')?;
    Some(format!(": `{name}` is missing"))
}
