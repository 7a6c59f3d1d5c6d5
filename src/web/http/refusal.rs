//! The statuses of refused forms, and which refusals are a page of their own. Called by [`super::form`].

use http::StatusCode;

use crate::shared::FormError;

/// The status of a refusal.
pub fn status_of(error: &FormError) -> StatusCode {
    match error {
        FormError::Invalid { .. } | FormError::PasskeyNotAdded | FormError::Unreadable => StatusCode::BAD_REQUEST,
        FormError::Credentials | FormError::NotRecognised | FormError::PasskeyRefused | FormError::Unauthorized => {
            StatusCode::UNAUTHORIZED
        }
        FormError::Refused
        | FormError::Disabled
        | FormError::EmailNotVerified
        | FormError::RegistrationClosed
        | FormError::DomainNotAllowed
        | FormError::Forbidden => StatusCode::FORBIDDEN,
        FormError::NotFound => StatusCode::NOT_FOUND,
        FormError::NotRegistered => StatusCode::UNPROCESSABLE_ENTITY,
        FormError::InviteEnded => StatusCode::GONE,
        FormError::ProviderFailed => StatusCode::BAD_GATEWAY,
        FormError::LastAdmin
        | FormError::LastWayIn
        | FormError::TooManyPasskeys
        | FormError::NotLinked
        | FormError::LinkedElsewhere
        | FormError::NoAddress
        | FormError::ProviderCancelled
        | FormError::Yourself
        | FormError::Conflict
        | FormError::LinkEnded
        | FormError::SameEmail
        | FormError::AlreadyInvited
        | FormError::HasAccount
        | FormError::WrongAccount => StatusCode::CONFLICT,
        FormError::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        FormError::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
        FormError::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// When it is worth to try again, in seconds.
pub fn retry_after_secs(error: &FormError) -> Option<u32> {
    match error {
        FormError::RateLimited { retry_after_secs } | FormError::Busy { retry_after_secs } => Some(*retry_after_secs),
        _ => None,
    }
}

/// What sending a person back to the form would only repeat.
pub fn is_page_of_its_own(error: &FormError) -> bool {
    matches!(
        error,
        FormError::RateLimited { .. }
            | FormError::Busy { .. }
            | FormError::Forbidden
            | FormError::NotFound
            | FormError::Internal { .. }
            | FormError::Unreadable
    )
}
