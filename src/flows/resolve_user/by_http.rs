//! The hook over HTTP (`[resolve_user]`): an application of any language is asked by a signed request, as Standard Webhooks
//! signs, and answers whom the session is for. What it does not answer in time, or in a way that can't be read, lets
//! nobody in.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use super::{HookError, ProvedLogin, Resolution, ResolveUser};
use crate::{
    events::webhooks::{self, Endpoint, InvalidWebhook, SecretText, WebhookSettings},
    platform::{Clock, Entropy, HttpClient, HttpClientError, HttpRequest, HttpSettings, HttpUrl},
    shared::{EventId, ExternalUser},
};

/// How long the application may take: whoever logs in waits for it.
const TIME_LIMIT: Duration = Duration::from_secs(4);
/// How much of an answer is read.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// `[resolve_user]`: an application that is asked whom a session is for, at each log-in by a provider that people are sent
/// to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HookSettings {
    /// Where it is asked; nobody is where this is missing.
    pub url: Option<HttpUrl>,
    /// What the request is signed with.
    pub secret: Option<SecretText>,
    /// Whether it may be reached without TLS and at addresses that are not of the public internet.
    pub allow_private: bool,
}

impl HookSettings {
    /// Where it is asked, if it is.
    ///
    /// # Errors
    /// [`InvalidWebhook`] with the first thing that can't work.
    pub fn to_endpoint(&self) -> Result<Option<Endpoint>, InvalidWebhook> {
        let Some(url) = self.url.clone() else { return Ok(None) };
        let missing = || InvalidWebhook { setting: "secret", problem: "is missing".to_owned() };
        let secret = self.secret.clone().ok_or_else(missing)?;
        let (id, events) = ("resolve_user".to_owned(), vec!["*".to_owned()]);
        WebhookSettings { id, url, secret, events, allow_private: self.allow_private }.to_endpoint().map(Some)
    }
}

/// What an application may answer. What it says in other words is not taken for a yes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    #[serde(default, deserialize_with = "somebody")]
    user: Option<ExternalUser>,
}

fn somebody<'de, D: Deserializer<'de>>(named: D) -> Result<Option<ExternalUser>, D::Error> {
    ExternalUser::deserialize(named).map(Some)
}

impl ResolveUser {
    /// A hook that asks an application over HTTP.
    ///
    /// # Errors
    /// [`HttpClientError`] if TLS can't be set up.
    pub fn by_http(endpoint: Endpoint, user_agent: &str, tools: (Clock, Entropy)) -> Result<Self, HttpClientError> {
        let settings = HttpSettings { reach: endpoint.reach, time_limit: TIME_LIMIT, max_body_bytes: MAX_ANSWER_BYTES };
        let client = HttpClient::new(settings, user_agent)?;
        Ok(Self::new(move |login| {
            let (client, endpoint, tools) = (client.clone(), endpoint.clone(), tools.clone());
            async move { ask(&client, &endpoint, &tools, &login).await }
        }))
    }
}

/// What the application says: (1) 403 → refused; (2) success with a user → the session is for them; (3) success without →
/// as without a hook; (4) anything else → nobody comes in.
async fn ask(
    client: &HttpClient,
    endpoint: &Endpoint,
    (clock, entropy): &(Clock, Entropy),
    login: &ProvedLogin,
) -> Result<Resolution, HookError> {
    let now = clock.now();
    let body = question(login).to_string();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in webhooks::headers(endpoint, (&EventId::new(entropy.uuid_v7(now)), now), &body) {
        headers.insert(name, HeaderValue::try_from(value)?);
    }
    let request = HttpRequest { method: Method::POST, url: &endpoint.url, headers, body: body.into_bytes() };
    let answer = client.send(request).await?;
    if answer.status == StatusCode::FORBIDDEN {
        return Ok(Resolution::Refused);
    }
    if !answer.status.is_success() || !answer.is_whole {
        return Err(format!("the application has answered {}", answer.status).into());
    }
    if answer.body.is_empty() {
        return Ok(Resolution::AsProved);
    }
    let said: Map<String, Value> = serde_json::from_slice(&answer.body)?;
    let Answer { user } = serde_json::from_value(said.into())?;
    Ok(user.map_or(Resolution::AsProved, Resolution::As))
}

/// What the application is told: the user, the account at the provider, what the provider says, and whether the user is new.
fn question(login: &ProvedLogin) -> Value {
    let user = login.user.as_ref().map(|user| {
        json!({ "id": user.id, "email": user.email.as_str(), "name": user.full_name(), "role": user.role.as_str() })
    });
    json!({
        "type": "resolve_user",
        "user": user,
        "account": { "provider": login.provider.as_str(), "entity_id": login.entity_id },
        "profile": login.profile,
        "is_new_user": login.is_new_user,
    })
}
