//! `/auth/callback/{provider}`: a browser comes back from a provider, or the script of an application posts credentials for
//! it. Who is let in gets a session; all others land at `/login`, or on the page that they were sent away from.

use std::collections::BTreeMap;

use axum::{
    extract::{OriginalUri, Path, Query, Request, State},
    response::Response,
};
use http::HeaderMap;
use tower_sessions::Session;

use super::{
    answer::{is_embedded, next_of, refusal_of, wants_url},
    csrf,
    sign_in::{refused, wait},
};
use crate::{
    api::{
        auth::{read_fields, texts_of},
        error::ApiError,
    },
    auth::{AuthInput, BrowserKey},
    flows::{self, Arrival, Errand, Journey, LogIn, Outcome},
    platform::SecretToken,
    sessions::Opened,
    shared::{FormError, ProviderId, SignInError},
    web::{
        http::{
            flash::{Done, Flash},
            landing::{Landing, UrlAnswer},
            next::{OwnPath, home_of, query_value},
            pending::{Awaited, Pending},
            scope::Asked,
            session_cookie,
        },
        state::WebState,
    },
};

/// Where one's ways in are.
const CONNECTIONS: &str = "/account/connections";
/// Where a rehearsal is shown.
const SYSTEM: &str = "/dashboard/system";

type Fields = BTreeMap<String, String>;

/// Takes a browser back.
///
/// The provider sends it here with `code` and `state`, or with `error`.
#[utoipa::path(get, path = "/auth/callback/{provider}", operation_id = "come_back_in_browser",
    responses((status = 302, description = "To where the person wanted to go, or to `/login?error=…`",
        headers(("Set-Cookie" = String, description = "The cookie of the session")))))]
pub async fn come_back(
    State(state): State<WebState>,
    Path(provider): Path<String>,
    (asked, cookie): (Asked, Session),
    (headers, OriginalUri(url)): (HeaderMap, OriginalUri),
) -> Response {
    if is_embedded(&headers) {
        return Landing::refused(SignInError::AccessDenied, (None, None)).answer(&state.site, false);
    }
    let query = Query::<Fields>::try_from_uri(&url).map(|query| query.0).unwrap_or_default();
    let id = ProviderId::new(provider.as_str());
    // Who brings no key has set no state, and the provider says so.
    let browser = state
        .away
        .arrive(&headers)
        .unwrap_or_else(|| BrowserKey::new(SecretToken::generate(&state.services.platform.entropy).expose()));
    let is_cancelled = query.get("error").is_some_and(|error| error == "access_denied");
    let input = AuthInput {
        url: format!("{}{url}", state.site.public_url),
        headers: texts_of(&headers),
        query,
        body: BTreeMap::new(),
        protocol: if state.site.is_https { "https" } else { "http" }.to_owned(),
    };
    let (journey, outcome) = flows::arrive(&state.services, &asked.scope, (&id, browser), &input).await;
    // Who confirms the address in this browser keeps the way in that they have come by.
    let waits = match &outcome {
        Err(flows::Error::EmailNotVerified { user, email }) => {
            let awaited = Awaited::Confirmation { user: user.clone() };
            state.pending.leave(&Pending::mail(awaited, email.clone(), asked.scope.now))
        }
        _ => None,
    };
    let landing = match outcome {
        Err(flows::Error::NotProved(_)) | Ok(Arrival::RehearsalFailed(_)) if is_cancelled => turn_back(
            &state,
            (&provider, journey.as_ref()),
            (SignInError::AccessDenied, FormError::ProviderCancelled),
            &asked,
        ),
        Ok(arrived) => land(&state, (&id, journey.as_ref()), arrived, (&asked, &cookie)).await,
        Err(error) => turn_back(&state, (&provider, journey.as_ref()), refusal_of(error), &asked),
    };
    landing.with(waits).answer(&state.site, false)
}

/// Where somebody goes on who was let in.
async fn land(
    state: &WebState,
    (provider, journey): (&ProviderId, Option<&Journey>),
    arrived: Arrival,
    (asked, cookie): (&Asked, &Session),
) -> Landing {
    let next = journey.and_then(|journey| OwnPath::parse(journey.next.as_deref()?));
    let (opened, next) = match arrived {
        Arrival::LoggedIn(logged_in) => {
            let home = next.unwrap_or_else(|| home_of(&logged_in.user));
            (logged_in.session, home)
        }
        Arrival::Guest(opened) => (opened, next.unwrap_or_else(|| OwnPath::known("/login"))),
        Arrival::Linked => {
            return Landing::at(CONNECTIONS).leaving(state, &Flash::done(Done::Linked), asked.scope.now);
        }
        Arrival::Rehearsed(rehearsal) => {
            let told = told(provider, ("rehearsal", serde_json::to_string(&rehearsal).ok()));
            return Landing::at(SYSTEM).leaving(state, &told, asked.scope.now);
        }
        Arrival::RehearsalFailed(reason) => {
            let told = told(provider, ("reason", Some(reason)));
            return Landing::at(SYSTEM).leaving(state, &told, asked.scope.now);
        }
    };
    let is_invited = matches!(journey, Some(Journey { errand: Errand::AcceptInvite(_), .. }));
    let landing = give_session(state, (provider, &next), &opened, (asked, cookie)).await;
    if is_invited { landing.leaving(state, &Flash::done(Done::InviteAccepted), asked.scope.now) } else { landing }
}

/// What came of a rehearsal, for the page that shows it; what is too long for a cookie is left out there.
fn told(provider: &ProviderId, what: (&str, Option<String>)) -> Flash {
    let told = [("provider", Some(provider.to_string())), what];
    let told = told.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
    Flash::told("rehearse-provider", told.collect())
}

async fn give_session(
    state: &WebState,
    (provider, next): (&ProviderId, &OwnPath),
    opened: &Opened,
    (asked, cookie): (&Asked, &Session),
) -> Landing {
    match session_cookie::set(cookie, opened).await {
        Ok(()) => Landing::at(next.as_str()).with(state.away.came_in_by(provider)),
        Err(error) => {
            let error = flows::Error::Internal(Box::new(error));
            refused(state, (Some(provider.as_str()), Some(next)), error, asked)
        }
    }
}

/// Where somebody goes who is refused: to the page that they were sent away from.
fn turn_back(
    state: &WebState,
    (provider, journey): (&str, Option<&Journey>),
    (code, error): (SignInError, FormError),
    asked: &Asked,
) -> Landing {
    let next = journey.and_then(|journey| OwnPath::parse(journey.next.as_deref()?));
    let about = BTreeMap::from([("provider".to_owned(), provider.to_owned())]);
    let (landing, form) = match journey.map(|journey| &journey.errand) {
        Some(Errand::Link { .. }) if asked.resumed.is_some() => (Landing::at(CONNECTIONS), "link-provider"),
        Some(Errand::AcceptInvite(newcomer)) => {
            let invite = query_value(&newcomer.token).replace('/', "%2F");
            (Landing::at(format!("/invite/{invite}")), "accept-invite")
        }
        Some(Errand::Rehearse) if asked.scope.may_manage_users() => (Landing::at(SYSTEM), "rehearse-provider"),
        _ => {
            // Where they can link it, once they are logged in by what they have.
            let linkable = (error == FormError::NotLinked).then(|| OwnPath::known(CONNECTIONS));
            let next = next.or(linkable);
            (Landing::refused(code, (Some(provider), next.as_ref())), "login")
        }
    };
    landing.leaving(state, &Flash::refused(form, error, about), asked.scope.now)
}

/// Logs a browser in by credentials.
///
/// For the script of an application; it wants the word of `/auth/csrf`, and what the provider asks for.
///
/// # Errors
/// 400 for a body that can't be read.
#[utoipa::path(post, path = "/auth/callback/{provider}", operation_id = "log_in_in_browser",
    request_body(content = BrowserLogIn, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = UrlAnswer, description = "With `json=true` or `X-Auth-Return-Redirect`"),
        (status = 302, description = "To where the person wanted to go, or to `/login?error=…`",
            headers(("Set-Cookie" = String, description = "The cookie of the session"))),
        (status = 400)))]
pub async fn log_in(
    State(state): State<WebState>,
    Path(provider): Path<String>,
    (asked, cookie): (Asked, Session),
    request: Request,
) -> Result<Response, ApiError> {
    let headers = request.headers().clone();
    let fields = read_fields(request).await?;
    let wants_url = wants_url(&headers, &fields);
    let next = next_of(&state.site, &fields);
    if !csrf::is_own(&state, &headers, fields.get("csrfToken")) {
        let landing = Landing::refused(SignInError::MissingCSRF, (None, next.as_ref()));
        return Ok(landing.answer(&state.site, wants_url));
    }
    let is_remembered = fields.get("remember").is_some_and(|remember| remember == "true");
    let id = ProviderId::new(provider.as_str());
    let input = AuthInput { body: fields, ..AuthInput::default() };
    let goes_on = next.as_ref().map(|next| next.as_str().to_owned());
    let browser = state.away.arrive(&headers);
    let wanted = LogIn { provider: id.clone(), input, is_remembered, next: goes_on, browser };
    let landing = match flows::log_in(&state.services, &asked.scope, &wanted).await {
        Ok(Outcome::LoggedIn(logged_in)) => {
            let next = next.unwrap_or_else(|| home_of(&logged_in.user));
            give_session(&state, (&id, &next), &logged_in.session, (&asked, &cookie)).await
        }
        Ok(Outcome::Guest(opened)) => {
            let next = next.unwrap_or_else(|| OwnPath::known("/login"));
            give_session(&state, (&id, &next), &opened, (&asked, &cookie)).await
        }
        Ok(Outcome::ByMail(mail)) => wait(&state, (&wanted, &mail), &asked),
        Ok(Outcome::Redirect(_)) => Landing::refused(SignInError::Configuration, (None, next.as_ref())),
        Err(flows::Error::NotProved(_) | flows::Error::Taken(_)) => {
            Landing::refused(SignInError::CredentialsSignin, (None, next.as_ref()))
        }
        Err(error) => refused(&state, (None, next.as_ref()), error, &asked),
    };
    Ok(landing.answer(&state.site, wants_url))
}

/// What is sent to log in.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what is read field by field")]
pub struct BrowserLogIn {
    /// The word of `/auth/csrf`; without it the answer leads to `/login?error=MissingCSRF`.
    #[schema(rename = "csrfToken", required = false, example = "hcPNnXAn4ynEgKbWbVjuIkhOvNlnxQAJIgNTzPtvhHE")]
    csrf_token: String,
    /// The e-mail address, for `emailpass`.
    #[schema(example = "ada@example.org")]
    email: Option<String>,
    /// The password, for `emailpass`.
    #[schema(example = "a long password")]
    password: Option<String>,
    /// What the browser has answered, as JSON, for `passkey`.
    credential: Option<String>,
    /// Where to go on afterwards.
    #[schema(rename = "callbackUrl", example = "/account")]
    callback_url: Option<String>,
    /// `true` for the address in JSON in place of a redirect.
    #[schema(example = "true")]
    json: Option<String>,
}
