//! How a server function answers the two that may call it: a plain HTML form and a script.
//!
//! A form is answered 302, to where to go on or back to its page with a sealed flash that holds codes and what was typed;
//! no text travels in a URL, and the browser's back button never posts again. A script gets JSON and a status. What a
//! form can't be sent back for (too many tries, overload, no right, the unexpected) is a page with that status.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use super::{
    away,
    error::PageError,
    flash::{Done, Flash},
    next::{OwnPath, query_value},
    pending::Pending,
    refusal::{is_page_of_its_own, retry_after_secs, status_of},
    scope::Asked,
    session_cookie,
};
use crate::{
    auth::BrowserKey,
    events::Scope,
    flows::{self, Holder, Journey, Resumed, Services},
    sessions::Opened,
    shared::{Field, FormError, Problem, ProviderId},
    web::state::WebState,
};

/// The header by which scripts learn where to go on.
const SCRIPT_REDIRECT: HeaderName = HeaderName::from_static("serverfnredirect");

/// What a server function is called with.
#[derive(Clone)]
pub struct Call {
    state: WebState,
    asked: Asked,
    cookie: tower_sessions::Session,
    options: ResponseOptions,
    pending: Option<Pending>,
    away: Option<String>,
    is_form: bool,
}

/// The call that is being answered.
///
/// # Errors
/// [`FormError::Unreadable`] outside of a request.
pub fn current_call() -> Result<Call, FormError> {
    let (call, options) = use_context::<Call>().zip(use_context::<ResponseOptions>()).ok_or(FormError::Unreadable)?;
    // The fields were read: from here on the function says what the answer is.
    options.set_status(StatusCode::OK);
    Ok(Call { options, ..call })
}

/// Where a refused form goes back to, and what was typed into it.
pub struct Origin {
    form: &'static str,
    page: String,
    typed: BTreeMap<String, String>,
}

impl Origin {
    /// A form, by the name of its server function, and its page.
    pub fn new(form: &'static str, page: impl Into<String>) -> Self {
        Self { form, page: page.into(), typed: BTreeMap::new() }
    }

    /// The same with what was typed into a field; never with a password.
    #[must_use]
    pub fn keep(mut self, field: &'static str, typed: &str) -> Self {
        self.typed.insert(field.to_owned(), typed.to_owned());
        self
    }
}

impl Call {
    /// The services below.
    pub fn services(&self) -> &Services {
        &self.state.services
    }

    /// Where people reach this site, without a slash at the end.
    pub fn public_url(&self) -> &str {
        &self.state.site.public_url
    }

    /// Who asks.
    pub fn scope(&self) -> &Scope {
        &self.asked.scope
    }

    /// The session that asks, and whose it is.
    ///
    /// # Errors
    /// [`FormError::Unauthorized`] if nobody is logged in.
    pub fn resumed(&self) -> Result<&Resumed, FormError> {
        self.asked.resumed.as_deref().ok_or(FormError::Unauthorized)
    }

    /// Who is behind the session that asks, with an account here or without.
    pub fn holder(&self) -> Option<Holder> {
        self.asked.holder()
    }

    /// The URL of a path of this site, as people reach it.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.state.site.public_url)
    }

    /// Gives the browser the cookie of a session that was opened.
    ///
    /// # Errors
    /// [`FormError::Internal`] if the store fails.
    pub async fn log_in(&self, opened: &Opened) -> Result<(), FormError> {
        session_cookie::set(&self.cookie, opened).await.map_err(|error| self.internal(&error))
    }

    /// Sends the browser to a provider, for the errand of a journey.
    ///
    /// # Errors
    /// What the flow refuses.
    pub async fn send_away(&self, provider: &ProviderId, journey: &Journey) -> Result<(), flows::Error> {
        let browser = self.browser_key();
        let location = flows::set_out(self.services(), self.scope(), (provider, browser), journey).await?;
        let told = [("provider", provider.to_string()), ("location", location)];
        let told = told.map(|(name, text)| (name.to_owned(), text)).into();
        self.leave(&Flash::told(away::TOLD_AS, told));
        self.send_to(away::PAGE);
        Ok(())
    }

    /// What the browser is known by that is asked something now, and answers later.
    pub fn browser_key(&self) -> BrowserKey {
        let (browser, cookie) = self.state.away.set_out(self.away.clone(), &self.services().platform.entropy);
        if let Some(cookie) = cookie {
            self.options.append_header(header::SET_COOKIE, cookie);
        }
        browser
    }

    /// Lets the browser remember how it came in, where there is more than one way.
    pub fn remember_way(&self, provider: &ProviderId) {
        if self.services().providers.all().len() > 1
            && let Some(cookie) = self.state.away.came_in_by(provider)
        {
            self.options.append_header(header::SET_COOKIE, cookie);
        }
    }

    /// What the browser is in the middle of.
    pub fn pending(&self) -> Option<&Pending> {
        self.pending.as_ref()
    }

    /// Lets the browser be in the middle of this, and of nothing else.
    pub fn set_pending(&self, pending: &Pending) {
        if let Some(cookie) = self.state.pending.leave(pending) {
            self.options.append_header(header::SET_COOKIE, cookie);
        }
    }

    /// Lets the browser be in the middle of nothing.
    pub fn end_pending(&self) {
        if self.pending.is_some()
            && let Some(cookie) = self.state.pending.take_away()
        {
            self.options.append_header(header::SET_COOKIE, cookie);
        }
    }

    /// Whether a plain HTML form called, and not a script.
    pub fn is_form(&self) -> bool {
        self.is_form
    }

    /// Takes the session cookie away.
    ///
    /// # Errors
    /// [`FormError::Internal`] if the store fails.
    pub async fn log_out(&self) -> Result<(), FormError> {
        if self.asked.holder().is_some() {
            session_cookie::clear(&self.cookie).await.map_err(|error| self.internal(&error))?;
        }
        if let Some(removal) = session_cookie::removal(&self.state.site) {
            self.options.append_header(header::SET_COOKIE, removal);
        }
        Ok(())
    }

    /// Answers that it was done, and sends the browser on.
    ///
    /// # Errors
    /// None; the type is that of a server function.
    pub fn go_on(&self, to: &OwnPath, done: Option<Done>) -> Result<(), FormError> {
        if let Some(done) = done {
            self.leave(&Flash::done(done));
        }
        self.send_to(to.as_str());
        Ok(())
    }

    /// Answers a form with something that the next page shows once, and sends the browser there.
    ///
    /// # Errors
    /// None; the type is that of a server function.
    pub fn tell<const N: usize>(
        &self,
        to: &OwnPath,
        (form, told): (&str, [(&'static str, String); N]),
    ) -> Result<(), FormError> {
        self.leave(&Flash::told(form, told.map(|(name, text)| (name.to_owned(), text)).into()));
        self.send_to(to.as_str());
        Ok(())
    }

    /// Answers that it was refused: a form goes back to its page, a script is told the code.
    ///
    /// # Errors
    /// The code, to a script.
    pub fn refuse(&self, origin: Origin, error: FormError) -> Result<(), FormError> {
        self.options.set_status(status_of(&error));
        if let Some(secs) = retry_after_secs(&error) {
            self.options.insert_header(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        if !self.is_form {
            return Err(error);
        }
        self.leave(&Flash::refused(origin.form, error.clone(), origin.typed));
        if error == FormError::Unauthorized {
            let back = OwnPath::parse(&origin.page);
            self.send_to(&back.map_or_else(|| "/login".to_owned(), |page| format!("/login?next={}", page.in_query())));
        } else if !is_page_of_its_own(&error) {
            self.send_to(&origin.page);
        }
        Ok(())
    }

    /// Answers that a flow has refused it.
    ///
    /// # Errors
    /// The code, to a script.
    pub fn refuse_for(&self, origin: Origin, error: flows::Error) -> Result<(), FormError> {
        self.refuse(origin, self.code(error))
    }

    /// The code for what a flow has refused; the unexpected is logged here, once.
    fn code(&self, error: flows::Error) -> FormError {
        match error {
            flows::Error::NotProved(_) | flows::Error::UnknownProvider | flows::Error::UnknownActorType => {
                FormError::Credentials
            }
            flows::Error::Password(rule) => {
                FormError::Invalid { field: Field::NewPassword, problem: Problem::Password(rule) }
            }
            flows::Error::InvalidData(_) => FormError::Unreadable,
            flows::Error::Disabled => FormError::Disabled,
            flows::Error::EmailNotVerified { .. } => FormError::EmailNotVerified,
            flows::Error::RegistrationClosed => FormError::RegistrationClosed,
            flows::Error::DomainNotAllowed => FormError::DomainNotAllowed,
            flows::Error::Taken(_) => FormError::NotRegistered,
            flows::Error::Unauthorized => FormError::Unauthorized,
            flows::Error::Forbidden => FormError::Forbidden,
            flows::Error::NotFound => FormError::NotFound,
            flows::Error::InviteEnded => FormError::InviteEnded,
            flows::Error::AlreadyInvited => FormError::AlreadyInvited,
            flows::Error::HasAccount => FormError::HasAccount,
            flows::Error::WrongAccount => FormError::WrongAccount,
            flows::Error::Conflict => FormError::Conflict,
            flows::Error::Refused => FormError::Refused,
            flows::Error::NotLinked => FormError::NotLinked,
            flows::Error::LinkedElsewhere => FormError::LinkedElsewhere,
            flows::Error::NoAddress => FormError::NoAddress,
            flows::Error::LastWayIn => FormError::LastWayIn,
            flows::Error::TooManyPasskeys => FormError::TooManyPasskeys,
            flows::Error::LastAdmin => FormError::LastAdmin,
            flows::Error::Yourself => FormError::Yourself,
            flows::Error::TooManyTries { retry_after_secs } => FormError::RateLimited { retry_after_secs },
            flows::Error::Busy { retry_after_secs } => FormError::Busy { retry_after_secs },
            flows::Error::Internal(source) => self.internal(source.as_ref()),
        }
    }

    fn internal(&self, source: &(dyn std::error::Error + 'static)) -> FormError {
        let request_id = self.asked.scope.client.request_id.clone();
        tracing::error!(error = %source, request_id, "a form failed");
        FormError::Internal { request_id }
    }

    fn leave(&self, flash: &Flash) {
        if !self.is_form {
            return;
        }
        if let Some(cookie) = self.state.flash.leave(flash, self.asked.scope.now) {
            self.options.append_header(header::SET_COOKIE, cookie);
        }
    }

    fn send_to(&self, path: &str) {
        let Ok(location) = HeaderValue::try_from(path) else { return };
        self.options.insert_header(header::LOCATION, location);
        if self.is_form {
            self.options.set_status(StatusCode::FOUND);
        } else {
            self.options.insert_header(SCRIPT_REDIRECT, HeaderValue::from_static("true"));
        }
    }
}

/// Runs a server function for a form whose address holds what the function takes as a field.
///
/// # Errors
/// As [`serve`].
pub async fn serve_as(
    state: State<WebState>,
    asked: Asked,
    (function, field, value): (&'static str, &str, &str),
    request: Request,
) -> Result<Response, PageError> {
    let (mut parts, _) = request.into_parts();
    parts.uri = Uri::from_static(function);
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    let body = Body::from(format!("{field}={}", query_value(value)));
    serve(state, asked, Request::from_parts(parts, body)).await
}

/// The address of the server function that is called at this path, if one is.
pub fn function_at(path: &str) -> Option<&'static str> {
    let is_called = path.starts_with("/api/");
    is_called.then(leptos::server_fn::axum::server_fn_paths)?.map(|(known, _)| known).find(|known| *known == path)
}

/// Runs the server function that a request names.
///
/// # Errors
/// [`PageError`] where the layers around it are missing.
pub async fn serve(State(state): State<WebState>, asked: Asked, request: Request) -> Result<Response, PageError> {
    let cookie = request.extensions().get::<tower_sessions::Session>().cloned().ok_or(PageError::Internal)?;
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let is_form = accept.is_some_and(|accept| accept.contains("text/html"));
    let pending = state.pending.read(request.headers());
    let away = state.away.known(request.headers());
    let call = Call { state, asked, cookie, options: ResponseOptions::default(), pending, away, is_form };
    if function_at(request.uri().path()).is_none() {
        return Err(PageError::NotFound);
    }
    let context = move || {
        provide_context(call.clone());
        // What stays if the fields can't be read and the function is never called.
        if let Some(options) = use_context::<ResponseOptions>() {
            options.set_status(StatusCode::BAD_REQUEST);
        }
    };
    let response = leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
    Ok(if is_form { as_page(response) } else { response })
}

/// A form gets a page for whatever has none, and never a URL with an error in it.
fn as_page(response: Response) -> Response {
    let location = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
    let is_unreadable = location.is_some_and(|to| to.contains("__err="));
    if is_unreadable {
        return PageError::BadRequest.into_response();
    }
    if response.status().is_redirection() {
        return response;
    }
    let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|secs| secs.to_str().ok()?.parse().ok());
    let page = match (PageError::for_status(response.status()), retry_after) {
        (PageError::TooManyTries { .. }, Some(retry_after_secs)) => PageError::TooManyTries { retry_after_secs },
        (PageError::Busy { .. }, Some(retry_after_secs)) => PageError::Busy { retry_after_secs },
        (page, _) => page,
    };
    let mut answer = page.into_response();
    for cookie in response.headers().get_all(header::SET_COOKIE) {
        answer.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    answer
}
