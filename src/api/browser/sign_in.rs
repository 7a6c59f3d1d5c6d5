//! `/auth/signin/{provider}`: sends the browser to a provider. It starts a journey and changes nothing that belongs to an
//! account. Where something is typed, the log-in page asks for it; an address that comes along is mailed to at once.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, Query, Request, State},
    response::Response,
};
use http::HeaderMap;

use super::{
    answer::{is_embedded, next_of, refusal_of, wants_url},
    csrf,
};
use crate::{
    api::{auth::read_fields, error::ApiError},
    auth::{AuthInput, Flow, MailedProof},
    flows::{self, Errand, Journey, LogIn, Outcome, USER},
    shared::{ProviderId, SignInError},
    web::{
        http::{
            flash::Flash,
            landing::{Landing, UrlAnswer},
            next::{OwnPath, query_value},
            pending::Pending,
            scope::Asked,
        },
        state::WebState,
    },
};

type Fields = BTreeMap<String, String>;

/// Sends a browser to a provider.
///
/// `next` or `callbackUrl` says where it goes on afterwards: a path of this site, or an application behind the door.
#[utoipa::path(get, path = "/auth/signin/{provider}", operation_id = "set_out",
    responses((status = 302, description = "To the provider, or to `/login?error=…`")))]
pub async fn set_out(
    State(state): State<WebState>,
    Path(provider): Path<String>,
    Query(query): Query<Fields>,
    (asked, headers): (Asked, HeaderMap),
) -> Response {
    if is_embedded(&headers) {
        return Landing::refused(SignInError::AccessDenied, (None, None)).answer(&state.site, false);
    }
    let landing = begin(&state, (&provider, &query), &asked, &headers).await;
    landing.answer(&state.site, wants_url(&headers, &query))
}

/// The same for scripts and forms of an application.
///
/// It wants the word of `/auth/csrf`.
///
/// # Errors
/// 400 for a body that can't be read.
#[utoipa::path(post, path = "/auth/signin/{provider}", operation_id = "sign_in",
    request_body(content = SignIn, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = UrlAnswer, description = "With `json=true` or `X-Auth-Return-Redirect`"),
        (status = 302, description = "To the provider, to the page that waits for a mail, or to `/login?error=…`"),
        (status = 400)))]
pub async fn sign_in(
    State(state): State<WebState>,
    Path(provider): Path<String>,
    asked: Asked,
    request: Request,
) -> Result<Response, ApiError> {
    let headers = request.headers().clone();
    let fields = read_fields(request).await?;
    let next = next_of(&state.site, &fields);
    let landing = if csrf::is_own(&state, &headers, fields.get("csrfToken")) {
        match mail(&state, (&provider, &fields), &asked).await {
            Some(landing) => landing,
            None => begin(&state, (&provider, &fields), &asked, &headers).await,
        }
    } else {
        Landing::refused(SignInError::MissingCSRF, (None, next.as_ref()))
    };
    Ok(landing.answer(&state.site, wants_url(&headers, &fields)))
}

/// What is sent to begin.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what is read field by field")]
pub struct SignIn {
    /// The word of `/auth/csrf`; without it the answer leads to `/login?error=MissingCSRF`.
    #[schema(rename = "csrfToken", required = false, example = "hcPNnXAn4ynEgKbWbVjuIkhOvNlnxQAJIgNTzPtvhHE")]
    csrf_token: String,
    /// The e-mail address, for `email-link` and `email-code`; without it the log-in page asks for it.
    #[schema(example = "ada@example.org")]
    email: Option<String>,
    /// Where to go on afterwards.
    #[schema(rename = "callbackUrl", example = "/account")]
    callback_url: Option<String>,
    /// `true` for the address in JSON in place of a redirect.
    #[schema(example = "true")]
    json: Option<String>,
}

async fn begin(state: &WebState, (id, fields): (&str, &Fields), asked: &Asked, headers: &HeaderMap) -> Landing {
    let next = next_of(&state.site, fields);
    let provider = ProviderId::new(id);
    match state.services.provider_of(USER, &provider) {
        Ok(configured) if configured.flow != Flow::Redirect => return form_of(id, next.as_ref()),
        Ok(_) => {}
        Err(error) => return refused(state, (None, next.as_ref()), error, asked),
    }
    let is_remembered = fields.get("remember").is_some_and(|remember| remember == "true");
    let journey =
        Journey { errand: Errand::LogIn { is_remembered }, next: next.as_ref().map(|next| next.as_str().to_owned()) };
    let (browser, cookie) = state.away.set_out(state.away.known(headers), &state.services.platform.entropy);
    match flows::set_out(&state.services, &asked.scope, (&provider, browser), &journey).await {
        Ok(location) => Landing::at(location).with(cookie),
        Err(error) => refused(state, (Some(id), next.as_ref()), error, asked),
    }
}

/// Mails what somebody logs in by, where the provider does that and an address was sent.
async fn mail(state: &WebState, (id, fields): (&str, &Fields), asked: &Asked) -> Option<Landing> {
    let provider = ProviderId::new(id);
    let configured = state.services.provider_of(USER, &provider).ok()?;
    let email = fields.get("email").filter(|_| configured.flow == Flow::Mail)?;
    let next = next_of(&state.site, fields);
    let wanted = LogIn {
        provider,
        input: AuthInput { body: [("email".to_owned(), email.clone())].into(), ..AuthInput::default() },
        is_remembered: fields.get("remember").is_some_and(|remember| remember == "true"),
        next: next.as_ref().map(|next| next.as_str().to_owned()),
        browser: None,
    };
    Some(match flows::log_in(&state.services, &asked.scope, &wanted).await {
        Ok(Outcome::ByMail(mail)) => wait(state, (&wanted, &mail), asked),
        Ok(_) => Landing::refused(SignInError::Configuration, (None, next.as_ref())),
        Err(flows::Error::NotProved(_) | flows::Error::InvalidData(_)) => {
            Landing::refused(SignInError::CredentialsSignin, (None, next.as_ref()))
        }
        Err(error) => refused(state, (None, next.as_ref()), error, asked),
    })
}

/// To the page that waits for a mail.
pub(super) fn wait(state: &WebState, (wanted, mail): (&LogIn, &MailedProof), asked: &Asked) -> Landing {
    Landing::at("/link").with(state.pending.leave(&Pending::log_in(wanted, mail, asked.scope.now)))
}

/// The log-in page with the form of a provider.
fn form_of(id: &str, next: Option<&OwnPath>) -> Landing {
    let next = next.map(|next| format!("&next={}", next.in_query())).unwrap_or_default();
    Landing::at(format!("/login?with={}{next}", query_value(id)))
}

/// Back to the log-in page.
pub(super) fn refused(
    state: &WebState,
    to: (Option<&str>, Option<&OwnPath>),
    error: flows::Error,
    asked: &Asked,
) -> Landing {
    let (code, error) = refusal_of(error);
    Landing::refused(code, to).leaving(state, &Flash::refused("login", error, BTreeMap::new()), asked.scope.now)
}

/// Leads to the log-in page.
///
/// With `callbackUrl` it goes on there afterwards.
#[utoipa::path(get, path = "/auth/signin", operation_id = "show_log_in",
    responses((status = 302, description = "To `/login`")))]
pub async fn show_log_in(State(state): State<WebState>, Query(query): Query<Fields>) -> Response {
    let next = next_of(&state.site, &query);
    let landing = match query.get("error").and_then(|code| SignInError::parse(code)) {
        Some(code) => Landing::refused(code, (None, next.as_ref())),
        None => {
            Landing::at(next.map_or_else(|| "/login".to_owned(), |next| format!("/login?next={}", next.in_query())))
        }
    };
    landing.answer(&state.site, false)
}

/// Leads to the log-in page, which says what went wrong.
///
/// An unknown code is left out.
#[utoipa::path(get, path = "/auth/error", operation_id = "show_log_in_error",
    responses((status = 302, description = "To `/login?error=…`")))]
pub async fn show_error(state: State<WebState>, query: Query<Fields>) -> Response {
    show_log_in(state, query).await
}
