//! `/auth/{actor_type}/{provider}`: how programs prove who somebody is. What a body holds is the provider's business, so
//! no field is refused here. A token that comes out is a bearer token. One that comes in is not looked at where somebody
//! logs in: clients go on sending theirs when it has ended.

mod answers;

use std::collections::BTreeMap;

use axum::{
    Form, Json,
    extract::{FromRequest, OriginalUri, Path, Query, Request, State},
    response::AppendHeaders,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub use answers::{AccessAnswer, Done, ElsewhereAnswer, FlowName, ProviderAnswer, ProviderList, TokenAnswer};

use super::{
    body::{Body, read_object},
    caller::bearer_token,
    error::ApiError,
};
use crate::{
    auth::{AuthInput, MailedProof},
    events::Scope,
    flows::{self, Access, Ask, Elsewhere, LogIn, LostPassword, USER},
    shared::{EmailAddress, ProviderId},
    web::{
        http::{pending::Pending, scope::Asked},
        state::WebState,
    },
};

/// The field of what a browser has answered.
const CREDENTIAL: &str = "credential";

/// What a program gets that was let in, with the cookie of a browser that waits for a mail.
type AccessReply = (Option<AppendHeaders<[(HeaderName, HeaderValue); 1]>>, Json<AccessAnswer>);
/// Where and by what somebody comes in.
type Of = Path<(String, String)>;

/// What a provider is given to log somebody in. Each reads fields of its own, as text, and refuses none; these are
/// those of `emailpass`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what providers read for themselves")]
pub struct Credentials {
    /// The e-mail address.
    #[schema(value_type = String, required = false, example = "ada@example.org")]
    email: Option<String>,
    /// The password.
    #[schema(value_type = String, required = false, example = "a long password")]
    password: Option<String>,
    /// For `passkey`: what the browser has answered, `PublicKeyCredential.toJSON()`. Without it the answer is where to log
    /// in, and the `options` that the browser has to be asked with.
    #[schema(required = false)]
    credential: Value,
}

/// What a provider is given that has led somebody elsewhere, or has mailed them. Each reads fields of its own, as text, and
/// refuses none; these are those of mailed links and codes, and what providers elsewhere send back.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what providers read for themselves")]
pub struct SecondHalf {
    /// The secret in the path of the mailed link.
    #[schema(example = "Zk9mQ2xhcmEtdGhlLWxpbmstaXMtYS1zZWNyZXQ")]
    token: Option<String>,
    /// The e-mail address, where a code is sent.
    #[schema(example = "ada@example.org")]
    email: Option<String>,
    /// The code from the mail; what a provider elsewhere has sent back has this name, too.
    #[schema(example = "7K3P-9QXM")]
    code: Option<String>,
    /// The state that a provider elsewhere has sent back.
    state: Option<String>,
    /// The issuer that it says it is (RFC 9207).
    iss: Option<String>,
    /// What it says in place of a code (RFC 6749 §4.1.2.1).
    error: Option<String>,
}

/// What a provider is given to make an identity. Each reads fields of its own, as text, and refuses none; these are
/// those of `emailpass`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what providers read for themselves")]
pub struct NewCredentials {
    /// The e-mail address.
    #[schema(value_type = EmailAddress, required = false)]
    email: Option<EmailAddress>,
    /// The password: none of the most common ones, and not the address.
    #[schema(value_type = NewPassword, required = false)]
    password: Option<NewPassword>,
}

/// What a provider is given to set anew. Each reads fields of its own, as text, and refuses none; this is that of
/// `emailpass`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what providers read for themselves")]
pub struct UpdatedCredentials {
    /// The new password: none of the most common ones, and not the address.
    #[schema(value_type = NewPassword, required = false)]
    password: Option<NewPassword>,
}

/// A password that is to be set: 8 to 256 characters, no control characters.
pub struct NewPassword;

/// Logs in.
///
/// Answers a bearer token, or where the browser has to go first. What a body holds is the provider's business. Where
/// anybody may register, an identity that has no user yet gets one.
///
/// `email-link` and `email-code` mail to whoever may come in, and answer everybody alike: `location` is the page that waits
/// for the mail. What is in the mail is sent to the address below.
///
/// # Errors
/// 401 with the provider's text, 400 where the actor type may not use the provider, 404 for an unknown actor type.
#[utoipa::path(post, path = "/auth/{actor_type}/{provider}", operation_id = "log_in",
    request_body(content((Credentials = "application/json"), (Credentials = "application/x-www-form-urlencoded"))),
    responses((status = 200, body = AccessAnswer),
        (status = 400, description = "`The actor type user is not allowed to use the auth provider x`: `not_allowed`"),
        (status = 401, description = "`Invalid email or password`, or another text of the provider"),
        (status = 404, description = "`There is no such actor type.`"), (status = 409), (status = 429)))]
pub async fn authenticate(
    State(state): State<WebState>,
    Path(of): Of,
    Asked { scope, .. }: Asked,
    request: Request,
) -> Result<AccessReply, ApiError> {
    let ask = read_ask(&state, of, request).await?;
    answer(&state, (&ask, &scope), flows::authenticate(&state.services, &scope, &ask).await)
}

/// Begins a log-in that leads elsewhere.
///
/// For providers of the flow `redirect`. No credentials are read from an address.
///
/// # Errors
/// As [`authenticate`].
#[utoipa::path(get, path = "/auth/{actor_type}/{provider}", operation_id = "begin_log_in",
    responses((status = 200, body = AccessAnswer),
        (status = 400, description = "`The actor type user is not allowed to use the auth provider x`: `not_allowed`"),
        (status = 401, description = "`Authentication failed`, or the text of the provider"),
        (status = 404, description = "`There is no such actor type.`"), (status = 409), (status = 429)))]
pub async fn begin(state: State<WebState>, of: Of, asked: Asked, request: Request) -> Result<AccessReply, ApiError> {
    authenticate(state, of, asked, request).await
}

/// Makes an identity.
///
/// The token that is answered names no user yet: it accepts an invite, or the next log-in makes the user where anybody
/// may register.
///
/// # Errors
/// As [`authenticate`]; 400 with the rule that a password breaks.
#[utoipa::path(post, path = "/auth/{actor_type}/{provider}/register", operation_id = "register",
    request_body(content((NewCredentials = "application/json"), (NewCredentials = "application/x-www-form-urlencoded"))),
    responses((status = 200, body = AccessAnswer),
        (status = 400, description = "`The password must have at least 8 characters.`, or another rule that it breaks; \
            `not_allowed` where the actor type may not use the provider and where registration is closed"),
        (status = 401, description = "`Identity with email already exists`, or another text of the provider"),
        (status = 404, description = "`There is no such actor type.`"), (status = 409), (status = 429)))]
pub async fn register(
    State(state): State<WebState>,
    Path(of): Of,
    Asked { scope, .. }: Asked,
    request: Request,
) -> Result<AccessReply, ApiError> {
    let ask = read_ask(&state, of, request).await?;
    answer(&state, (&ask, &scope), flows::register_identity(&state.services, &scope, &ask).await)
}

/// Ends a log-in that led elsewhere, by a program.
///
/// With all that the provider has sent along in the query of the callback URL, each under its name: `code`, `state`, and `iss`
/// where it is there. The state works once, whatever comes with it.
///
/// Or one by mail, with the `token` of the mailed link or with `email` and `code`. Both work once.
///
/// # Errors
/// As [`authenticate`].
#[utoipa::path(post, path = "/auth/{actor_type}/{provider}/callback", operation_id = "end_log_in",
    request_body(content((SecondHalf = "application/json"), (SecondHalf = "application/x-www-form-urlencoded"))),
    responses((status = 200, body = AccessAnswer),
        (status = 400, description = "`The actor type user is not allowed to use the auth provider x`: `not_allowed`"),
        (status = 401, description = "`Authentication failed`, or the text of the provider: `Invalid token`"),
        (status = 404, description = "`There is no such actor type.`"), (status = 409), (status = 429)))]
pub async fn call_back(
    State(state): State<WebState>,
    Path(of): Of,
    Asked { scope, .. }: Asked,
    request: Request,
) -> Result<AccessReply, ApiError> {
    let ask = read_ask(&state, of, request).await?;
    answer(&state, (&ask, &scope), flows::call_back(&state.services, &scope, &ask).await)
}

/// Ends a log-in that led elsewhere, by a browser.
///
/// With the query that the provider has sent it with.
///
/// Or one by a mailed link, whose secret is the `token` in the query.
///
/// # Errors
/// As [`authenticate`].
#[utoipa::path(get, path = "/auth/{actor_type}/{provider}/callback", operation_id = "come_back",
    responses((status = 200, body = AccessAnswer),
        (status = 400, description = "`The actor type user is not allowed to use the auth provider x`: `not_allowed`"),
        (status = 401, description = "`Authentication failed`, or the text of the provider"),
        (status = 404, description = "`There is no such actor type.`"), (status = 409), (status = 429)))]
pub async fn come_back(
    state: State<WebState>,
    of: Of,
    asked: Asked,
    request: Request,
) -> Result<AccessReply, ApiError> {
    call_back(state, of, asked, request).await
}

/// Who has lost a password.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = LostPassword)]
#[serde(deny_unknown_fields)]
pub struct LostPasswordBody {
    /// What the provider knows the person by: the e-mail address.
    #[schema(example = "ada@example.org")]
    identifier: String,
    /// Anything that the application wants to remember; Latchkey does not look at it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    #[expect(dead_code, reason = "taken from clients that send it, and not looked at")]
    metadata: Option<Map<String, Value>>,
}

/// Asks for a mail to set a password anew.
///
/// The same answer for everybody, in the same time, also for providers that there are not. The secret in the path of the
/// mailed link is the Bearer of the address below, for 15 minutes and once.
///
/// # Errors
/// 400 where the actor type may not use the provider, 404 for an unknown actor type.
#[utoipa::path(post, path = "/auth/{actor_type}/{provider}/reset-password", operation_id = "reset_password",
    params(("provider" = String, Path, description = "By which provider; one that there is not is answered alike.",
        example = "emailpass")),
    request_body = LostPasswordBody,
    responses((status = 201, description = "`Created`, always", body = String, content_type = "text/plain",
            example = "Created"),
        (status = 400, description = "`The actor type user is not allowed to use the auth provider x`: `not_allowed`"),
        (status = 404, description = "`There is no such actor type.`"), (status = 429)))]
pub async fn reset_password(
    State(state): State<WebState>,
    Path((actor_type, provider)): Path<(String, String)>,
    Asked { scope, .. }: Asked,
    Body(LostPasswordBody { identifier, metadata: _ }): Body<LostPasswordBody>,
) -> Result<(StatusCode, &'static str), ApiError> {
    let lost = LostPassword { actor_type, provider: ProviderId::new(provider), identifier };
    match flows::request_reset(&state.services, &scope, &lost).await {
        Ok(()) => Ok((StatusCode::CREATED, "Created")),
        Err(error) => Err(refusal((&lost.actor_type, &lost.provider), error)),
    }
}

/// Sets a password anew.
///
/// The bearer token is the secret in the path of the mailed link. It is good for one password of one actor type and
/// provider. A password that breaks a rule does not use it up.
///
/// # Errors
/// 401 for a token that is no good here, 400 with the rule that the password breaks: the token stays good then.
#[utoipa::path(post, path = "/auth/{actor_type}/{provider}/update", operation_id = "update_credentials",
    security(("reset_token" = [])),
    request_body(content((UpdatedCredentials = "application/json"),
        (UpdatedCredentials = "application/x-www-form-urlencoded"))),
    responses((status = 200, body = Done),
        (status = 400, description = "`The password must have at least 8 characters.`, or another rule that it breaks; \
            `not_allowed` where the actor type may not use the provider"),
        (status = 401, description = "`Invalid token`"),
        (status = 404, description = "`There is no such actor type.`"), (status = 409), (status = 429)))]
pub async fn update(
    State(state): State<WebState>,
    Path(of): Of,
    Asked { scope, .. }: Asked,
    request: Request,
) -> Result<Json<Done>, ApiError> {
    let token = bearer_token(request.headers()).unwrap_or_default().to_owned();
    let ask = read_ask(&state, of, request).await?;
    match flows::update_by_token(&state.services, &scope, (&ask, &token)).await {
        Ok(()) => Ok(Json(Done { success: true })),
        Err(flows::Error::NotFound) => Err(ApiError::unauthorized("Invalid token")),
        Err(error) => Err(refusal((&ask.actor_type, &ask.provider), error)),
    }
}

/// Lists the providers of an actor type.
///
/// By them accounts of this type come in.
///
/// # Errors
/// 404 for an unknown actor type.
#[utoipa::path(get, path = "/auth/{actor_type}/providers", operation_id = "list_providers",
    responses((status = 200, body = ProviderList), (status = 404, description = "`There is no such actor type.`")))]
pub async fn providers(
    State(state): State<WebState>,
    Path(actor_type): Path<String>,
) -> Result<Json<ProviderList>, ApiError> {
    let all = flows::providers_of(&state.services, &actor_type)?;
    Ok(Json(ProviderList { providers: all.into_iter().map(ProviderAnswer::from).collect() }))
}

/// What a program gets that was let in, or why it was not.
fn answer(
    state: &WebState,
    (ask, scope): (&Ask, &Scope),
    outcome: Result<Access, flows::Error>,
) -> Result<AccessReply, ApiError> {
    let elsewhere = |location, options| Json(AccessAnswer::Elsewhere(ElsewhereAnswer { location, options }));
    match outcome {
        Ok(Access::Token(token)) => Ok((None, Json(AccessAnswer::Token(TokenAnswer { token })))),
        Ok(Access::Elsewhere(Elsewhere { location, options })) => Ok((None, elsewhere(location, options))),
        Ok(Access::ByMail(mail)) => {
            // A browser that asks by a script may type the code on that page.
            let cookie = (ask.actor_type == USER).then(|| waiting_cookie(state, (ask, scope), &mail)).flatten();
            let cookie = cookie.map(|cookie| AppendHeaders([(header::SET_COOKIE, cookie)]));
            Ok((cookie, elsewhere(format!("{}/link", state.site.public_url), None)))
        }
        Err(error) => Err(refusal((&ask.actor_type, &ask.provider), error)),
    }
}

fn waiting_cookie(state: &WebState, (ask, scope): (&Ask, &Scope), mail: &MailedProof) -> Option<HeaderValue> {
    let (provider, input) = (ask.provider.clone(), ask.input.clone());
    let wanted = LogIn { provider, input, is_remembered: false, next: None, browser: None };
    state.pending.leave(&Pending::log_in(&wanted, mail, scope.now))
}

fn refusal((actor_type, provider): (&str, &ProviderId), error: flows::Error) -> ApiError {
    match error {
        flows::Error::UnknownProvider => ApiError::not_allowed(format!(
            "The actor type {actor_type} is not allowed to use the auth provider {provider}"
        )),
        // The provider's words where it has any: what is taken here is an identity.
        flows::Error::Taken(text) => ApiError::unauthorized(text),
        other => other.into(),
    }
}

/// What came in with a request, as providers see it.
async fn read_ask(
    state: &WebState,
    (actor_type, provider): (String, String),
    request: Request,
) -> Result<Ask, ApiError> {
    let url = request.extensions().get::<OriginalUri>().map_or_else(|| request.uri().clone(), |uri| uri.0.clone());
    let query = Query::<BTreeMap<String, String>>::try_from_uri(&url).map(|query| query.0).unwrap_or_default();
    let headers = texts_of(request.headers());
    // An address is no place for a password, and what another site can make a browser open logs nobody in.
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let body = if is_read { BTreeMap::new() } else { read_fields(request).await? };
    let protocol = if state.site.is_https { "https" } else { "http" }.to_owned();
    let url = format!("{}{url}", state.site.public_url);
    let input = AuthInput { url, headers, query, body, protocol };
    Ok(Ask { actor_type, provider: ProviderId::new(provider), input })
}

/// The headers, without the cookies: they are nobody's business but Latchkey's.
pub(super) fn texts_of(headers: &HeaderMap) -> BTreeMap<String, String> {
    let texts = headers.iter().filter(|(name, _)| **name != header::COOKIE);
    texts.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect()
}

/// The fields of a body that are text, from JSON or a form.
pub(super) async fn read_fields(request: Request) -> Result<BTreeMap<String, String>, ApiError> {
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded"));
    if is_form {
        let form = Form::<BTreeMap<String, String>>::from_request(request, &()).await;
        return form.map(|form| form.0).map_err(|refused| match refused.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::for_status(StatusCode::PAYLOAD_TOO_LARGE),
            _ => ApiError::invalid_data("Invalid request: The form can't be read"),
        });
    }
    let fields = read_object(request).await?;
    let text_of = |name: &str, value: &Value| match value {
        // What a browser answers for a passkey is an object of its own (WebAuthn §5.1, `toJSON`).
        Value::Object(_) if name == CREDENTIAL => Some(value.to_string()),
        value => value.as_str().map(str::to_owned),
    };
    let texts = fields.into_iter().filter_map(|(name, value)| text_of(&name, &value).map(|text| (name, text)));
    Ok(texts.collect())
}
