//! Refusals for programs: a status, a type and a text, as JSON. The texts of the contract are kept to the letter; the
//! unexpected is logged once, and the program is told nothing of it.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{flows, users};

/// What kind of refusal it is, for programs that act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorType {
    /// 401: who asks did not prove who they are.
    Unauthorized,
    /// 403: who asks may not do this.
    Forbidden,
    /// 404: there is no such thing.
    NotFound,
    /// 400 and 405: it makes sense, and is not done.
    NotAllowed,
    /// 400, 408 and 413: the request makes no sense.
    InvalidData,
    /// 422: there is such a thing already.
    DuplicateError,
    /// 409: it was changed meanwhile.
    Conflict,
    /// 429: too many tries.
    RateLimited,
    /// 503: there is more to do than the machine can.
    Unavailable,
    /// 500: the unexpected.
    UnknownError,
}

/// A refusal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct Refusal {
    /// What kind of refusal it is, for programs that act on it.
    #[serde(rename = "type")]
    pub kind: ErrorType,
    /// What is wrong, in words.
    pub message: String,
}

/// The refusal of who is not logged in and would have to be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Unauthorized)]
pub struct NotLoggedIn {
    /// `Unauthorized`.
    #[schema(example = "Unauthorized")]
    pub message: String,
}

/// Why a program is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    kind: Option<ErrorType>,
    message: String,
    retry_after_secs: Option<u32>,
}

impl ApiError {
    fn new(status: StatusCode, kind: ErrorType, message: impl Into<String>) -> Self {
        Self { status, kind: Some(kind), message: message.into(), retry_after_secs: None }
    }

    /// Nobody is logged in who would have to be.
    pub fn not_logged_in() -> Self {
        Self { kind: None, ..Self::new(StatusCode::UNAUTHORIZED, ErrorType::Unauthorized, "Unauthorized") }
    }

    /// Who asks did not prove who they are.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, ErrorType::Unauthorized, message)
    }

    /// Who asks may not do this.
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, ErrorType::Forbidden, "You are not allowed to do this.")
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorType::NotFound, message)
    }

    /// It makes sense, and is not done.
    pub fn not_allowed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorType::NotAllowed, message)
    }

    /// The request makes no sense.
    pub fn invalid_data(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorType::InvalidData, message)
    }

    /// One value of the request makes no sense.
    pub fn invalid_field(name: &str, reason: &str) -> Self {
        Self::invalid_data(format!("Invalid request: Field '{name}': {reason}"))
    }

    /// There is such a thing already.
    pub fn duplicate(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorType::DuplicateError, message)
    }

    /// The answer to a status that something below has given without words.
    pub fn for_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::not_logged_in(),
            StatusCode::FORBIDDEN => Self::forbidden(),
            StatusCode::NOT_FOUND => Self::not_found("There is no such address."),
            StatusCode::METHOD_NOT_ALLOWED => {
                Self::new(status, ErrorType::NotAllowed, "This method is not allowed here.")
            }
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(status, ErrorType::InvalidData, "The body is larger than 64 KiB.")
            }
            StatusCode::REQUEST_TIMEOUT => {
                Self::new(status, ErrorType::InvalidData, "The request did not arrive in time.")
            }
            StatusCode::SERVICE_UNAVAILABLE => Self::busy(5),
            status if status.is_server_error() => Self::internal(),
            status => Self::new(status, ErrorType::InvalidData, "The request can't be read."),
        }
    }

    fn busy(retry_after_secs: u32) -> Self {
        let busy =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorType::Unavailable, "There is a lot to do right now.");
        Self { retry_after_secs: Some(retry_after_secs), ..busy }
    }

    /// Something that is nobody's fault outside.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorType::UnknownError, "An unknown error occurred.")
    }
}

impl From<flows::Error> for ApiError {
    fn from(error: flows::Error) -> Self {
        use flows::Error as Fact;
        match error {
            Fact::NotProved(text) => Self::unauthorized(text),
            Fact::Refused | Fact::Disabled | Fact::NotLinked | Fact::LinkedElsewhere | Fact::NoAddress => {
                Self::unauthorized("Authentication failed")
            }
            Fact::LastWayIn => Self::not_allowed("This is the last way in."),
            Fact::TooManyPasskeys => Self::not_allowed("These are as many passkeys as an account may have."),
            Fact::EmailNotVerified { .. } => Self::unauthorized(error.to_string()),
            Fact::Unauthorized | Fact::InviteEnded => Self::not_logged_in(),
            Fact::Password(rule) => Self::invalid_data(rule.to_string()),
            Fact::InvalidData(text) => Self::invalid_data(text),
            Fact::RegistrationClosed => Self::not_allowed("Registration is not open."),
            Fact::DomainNotAllowed => Self::not_allowed("Addresses of this domain can't register."),
            Fact::LastAdmin => Self::not_allowed("This is the last admin who can log in."),
            Fact::Yourself => Self::not_allowed("A user cannot do this to itself"),
            Fact::Forbidden => Self::forbidden(),
            Fact::UnknownActorType => Self::not_found("There is no such actor type."),
            Fact::UnknownProvider => Self::not_found("There is no such auth provider."),
            Fact::NotFound => Self::not_found("There is no such thing."),
            Fact::Taken(text) => Self::duplicate(text),
            Fact::AlreadyInvited => Self::duplicate("This e-mail address is invited already."),
            Fact::HasAccount => Self::duplicate("A user with this e-mail address exists."),
            Fact::WrongAccount | Fact::Conflict => {
                Self::new(StatusCode::CONFLICT, ErrorType::Conflict, "It was changed meanwhile. Try again.")
            }
            Fact::TooManyTries { retry_after_secs } => {
                let text = "Too many tries. Try again later.";
                let refused = Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorType::RateLimited, text);
                Self { retry_after_secs: Some(retry_after_secs), ..refused }
            }
            Fact::Busy { retry_after_secs } => Self::busy(retry_after_secs),
            Fact::Internal(source) => {
                tracing::error!(error = %source, "a program's request failed");
                Self::internal()
            }
        }
    }
}

impl From<users::Error> for ApiError {
    fn from(error: users::Error) -> Self {
        flows::Error::from(error).into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let message = self.message;
        let mut response = match self.kind {
            Some(kind) => (self.status, Json(Refusal { kind, message })).into_response(),
            None => (self.status, Json(NotLoggedIn { message })).into_response(),
        };
        if let Some(secs) = self.retry_after_secs {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}
