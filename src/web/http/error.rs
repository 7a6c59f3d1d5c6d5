//! Refusals as pages: every status a person can meet has a page of its own that says what is the case and what to do.
//! The unexpected is logged once under the id of the request; people see that id and nothing else of it.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use leptos::prelude::*;

use super::{
    next::OwnPath,
    page::content_security_policy,
    render::{Nonce, render},
};
use crate::{
    flows,
    shared::FormError,
    users,
    web::{
        state::PRODUCT,
        ui::{ButtonKind, ButtonLink, MessagePage},
    },
};

/// Why a page is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageError {
    /// Nobody is logged in: the browser goes to `/login` and comes back here.
    NotLoggedIn {
        /// Where to come back to.
        next: Option<OwnPath>,
    },
    /// Logged in, but not for this.
    Forbidden,
    /// There is no such page, or nothing to show on it.
    NotFound,
    /// The request can't be read.
    BadRequest,
    /// It came from another site.
    CrossSite,
    /// The body is too large.
    TooLarge,
    /// It took too long to come in.
    TimedOut,
    /// Too many tries.
    TooManyTries {
        /// Seconds until the next try.
        retry_after_secs: u32,
    },
    /// There is more to do than the machine can.
    Busy {
        /// Seconds until it is worth to try again.
        retry_after_secs: u32,
    },
    /// The unexpected, which is in the log.
    Internal,
}

impl From<flows::Error> for PageError {
    fn from(error: flows::Error) -> Self {
        match error {
            flows::Error::Unauthorized => Self::NotLoggedIn { next: None },
            flows::Error::Forbidden | flows::Error::Disabled => Self::Forbidden,
            flows::Error::NotFound | flows::Error::UnknownProvider | flows::Error::UnknownActorType => Self::NotFound,
            flows::Error::TooManyTries { retry_after_secs } => Self::TooManyTries { retry_after_secs },
            flows::Error::Busy { retry_after_secs } => Self::Busy { retry_after_secs },
            flows::Error::Internal(source) => {
                tracing::error!(error = %source, "a page failed");
                Self::Internal
            }
            _ => Self::BadRequest,
        }
    }
}

impl From<users::Error> for PageError {
    fn from(error: users::Error) -> Self {
        flows::Error::from(error).into()
    }
}

impl From<&FormError> for PageError {
    fn from(error: &FormError) -> Self {
        match error {
            FormError::RateLimited { retry_after_secs } => Self::TooManyTries { retry_after_secs: *retry_after_secs },
            FormError::Busy { retry_after_secs } => Self::Busy { retry_after_secs: *retry_after_secs },
            FormError::Forbidden => Self::Forbidden,
            FormError::NotFound => Self::NotFound,
            FormError::Unauthorized => Self::NotLoggedIn { next: None },
            FormError::Internal { .. } => Self::Internal,
            _ => Self::BadRequest,
        }
    }
}

impl PageError {
    /// The page for a status that something below has answered without one.
    pub fn for_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::NotLoggedIn { next: None },
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::REQUEST_TIMEOUT => Self::TimedOut,
            StatusCode::TOO_MANY_REQUESTS => Self::TooManyTries { retry_after_secs: 60 },
            StatusCode::SERVICE_UNAVAILABLE => Self::Busy { retry_after_secs: 5 },
            status if status.is_server_error() => Self::Internal,
            _ => Self::BadRequest,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotLoggedIn { .. } => StatusCode::FOUND,
            Self::Forbidden | Self::CrossSite => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::TooManyTries { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(&self) -> (&'static str, String) {
        match self {
            Self::NotLoggedIn { .. } => ("Log in first", "This page is for people who are logged in.".to_owned()),
            Self::Forbidden => ("Not for you", "Your account does not have the right to do this.".to_owned()),
            Self::NotFound => ("Nothing here", "There is no such page, or it is gone.".to_owned()),
            Self::BadRequest => {
                ("That didn't work", "The request could not be read. Go back and try again.".to_owned())
            }
            Self::CrossSite => {
                ("Refused", "This request came from another site, so nothing was done. Try again from here.".to_owned())
            }
            Self::TooLarge => ("Too much", "That is more than a form can hold. Nothing was saved.".to_owned()),
            Self::TimedOut => ("That took too long", "The request did not arrive in time. Try again.".to_owned()),
            Self::TooManyTries { retry_after_secs } => (
                "Too many tries",
                format!("You can try again in {}. Nothing was changed.", waiting_time(*retry_after_secs)),
            ),
            Self::Busy { retry_after_secs } => (
                "A moment, please",
                format!("There is a lot to do right now. Try again in {}.", waiting_time(*retry_after_secs)),
            ),
            Self::Internal => {
                ("Something went wrong", "This is our fault, not yours. Try again in a moment.".to_owned())
            }
        }
    }

    fn retry_after_secs(&self) -> Option<u32> {
        match self {
            Self::TooManyTries { retry_after_secs } | Self::Busy { retry_after_secs } => Some(*retry_after_secs),
            _ => None,
        }
    }
}

/// A time to wait, in words.
pub fn waiting_time(secs: u32) -> String {
    match secs {
        0 | 1 => "a second".to_owned(),
        2..=90 => format!("{secs} seconds"),
        _ => format!("{} minutes", secs.div_ceil(60)),
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        if let Self::NotLoggedIn { next } = &self {
            let target =
                next.as_ref().map_or_else(|| "/login".to_owned(), |next| format!("/login?next={}", next.in_query()));
            return (StatusCode::FOUND, [(header::LOCATION, target)]).into_response();
        }
        let (title, text) = self.words();
        // No island stands on these pages, so the nonce marks nothing.
        let nonce = Nonce::new("");
        let html = render(&nonce, || {
            view! {
                <MessagePage title=title product=PRODUCT text=text>
                    <ButtonLink href="/" kind=ButtonKind::Primary>"Continue"</ButtonLink>
                </MessagePage>
            }
        });
        let mut response = (self.status(), html).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, content_security_policy(None));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(secs) = self.retry_after_secs() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}
