//! Where a browser lands that was elsewhere: a redirect, or the address in JSON where a script asks for it, with the cookies
//! that go with it. Why it was refused travels as one of a few codes, and exactly in a sealed flash.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    flash::Flash,
    next::{OwnPath, query_value},
};
use crate::{
    platform::Timestamp,
    shared::{FormError, SignInError},
    web::state::{Site, WebState},
};

/// Where to go on, for a script.
#[derive(Serialize, ToSchema)]
pub struct UrlAnswer {
    /// An absolute address.
    #[schema(example = "https://example.org/login")]
    url: String,
}

/// Where a browser lands, and the cookies that it gets.
pub struct Landing {
    to: String,
    cookies: Vec<HeaderValue>,
    retry_after_secs: Option<u32>,
}

impl Landing {
    /// Goes on to an address: a path of this site, or an absolute one.
    pub fn at(to: impl Into<String>) -> Self {
        Self { to: to.into(), cookies: Vec::new(), retry_after_secs: None }
    }

    /// Goes back to the log-in page, with a code and what the browser would have gone on to.
    pub fn refused(code: SignInError, (provider, next): (Option<&str>, Option<&OwnPath>)) -> Self {
        let provider = provider.map(|id| format!("&provider={}", query_value(id))).unwrap_or_default();
        let next = next.map(|next| format!("&next={}", next.in_query())).unwrap_or_default();
        Self::at(format!("/login?error={}{provider}{next}", code.as_str()))
    }

    /// The same, with a cookie.
    #[must_use]
    pub fn with(mut self, cookie: Option<HeaderValue>) -> Self {
        self.cookies.extend(cookie);
        self
    }

    /// The same, with something for the next page to say.
    #[must_use]
    pub fn leaving(mut self, state: &WebState, flash: &Flash, now: Timestamp) -> Self {
        if let Some(FormError::RateLimited { retry_after_secs } | FormError::Busy { retry_after_secs }) = &flash.error {
            self.retry_after_secs = Some(*retry_after_secs);
        }
        self.with(state.flash.leave(flash, now))
    }

    /// The answer: a redirect, or the address where a script asks for it.
    pub fn answer(self, site: &Site, wants_url: bool) -> Response {
        let mut response = if wants_url {
            let is_own = self.to.starts_with('/');
            let url = if is_own { format!("{}{}", site.public_url, self.to) } else { self.to };
            Json(UrlAnswer { url }).into_response()
        } else {
            (StatusCode::FOUND, [(header::LOCATION, self.to)]).into_response()
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for cookie in self.cookies {
            headers.append(header::SET_COOKIE, cookie);
        }
        if let Some(secs) = self.retry_after_secs {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}
