//! ID tokens (OpenID Connect Core §3.1.3.7). The crate checks signature, issuer, audience, expiry and nonce; here it is told
//! which algorithms there are, never `none` and never one whose key is a shared secret, and what it leaves open is checked:
//! the authorized party, how old the token is, and that it belongs to the access token that came along.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use oauth2::{AccessToken, ClientId};
use openidconnect::{
    AccessTokenHash, ClaimsVerificationError, Nonce, SignatureVerificationError,
    core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm},
};
use serde_json::{Map, Value};

use super::issuer::Metadata;
use crate::platform::Timestamp;

/// How far the clocks of two servers may be apart.
const LEEWAY: Duration = Duration::from_mins(1);
/// How old a token may be that was asked for just now.
const MAX_AGE: Duration = Duration::from_mins(10);
/// What tokens may be signed with, as far as the issuer says that it does.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What a token must be.
pub struct Expected<'a> {
    /// For whom.
    pub client_id: &'a ClientId,
    /// By whom.
    pub metadata: &'a Metadata,
    /// For which way of a browser.
    pub nonce: &'a str,
    /// Along with what.
    pub access_token: &'a AccessToken,
    /// When.
    pub now: Timestamp,
}

/// Why a token is not believed.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    /// None of the keys has made it; there may be newer ones.
    #[error("the ID token is signed with an unknown key")]
    UnknownKey,
    /// It is forged, somebody else's, or of another time.
    #[error("the ID token: {0}")]
    Forged(String),
}

/// Verifies a token and reads its claims.
pub fn verify(
    token: &CoreIdToken,
    keys: &CoreJsonWebKeySet,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, Rejected> {
    let now = moment(expected.now);
    let (oldest, newest) = (moment(expected.now.minus(MAX_AGE)), moment(expected.now.plus(LEEWAY)));
    let is_recent = move |issued_at: DateTime<Utc>| {
        let is_fine = (oldest..=newest).contains(&issued_at);
        if is_fine { Ok(()) } else { Err(format!("issued at {issued_at}, and it is {now}")) }
    };
    let just_before = moment(expected.now.minus(LEEWAY));
    let issuer = expected.metadata.issuer().clone();
    // Without the client's secret, no algorithm is left whose key it would be.
    let verifier = CoreIdTokenVerifier::new_public_client(expected.client_id.clone(), issuer, keys.clone())
        .set_allowed_algs(algorithms(expected.metadata))
        .set_time_fn(move || just_before)
        .set_issue_time_verifier_fn(is_recent);
    let nonce = Nonce::new(expected.nonce.to_owned());
    let believed = token.claims(&verifier, &nonce).map_err(rejected)?;
    if let Some(hash) = believed.access_token_hash() {
        check_hash(hash, token, (&verifier, expected.access_token))?;
    }
    let claims = claims_of(token).ok_or_else(|| Rejected::Forged("its claims can't be read".to_owned()))?;
    check_party(&claims, expected.client_id)?;
    check_start(&claims, newest)?;
    Ok(claims)
}

fn algorithms(metadata: &Metadata) -> Vec<CoreJwsSigningAlgorithm> {
    let used = metadata.id_token_signing_alg_values_supported();
    ALGORITHMS.into_iter().filter(|algorithm| used.contains(algorithm)).collect()
}

fn rejected(error: ClaimsVerificationError) -> Rejected {
    match error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            Rejected::UnknownKey
        }
        ClaimsVerificationError::SignatureVerification(reason) => Rejected::Forged(reason.to_string()),
        other => Rejected::Forged(other.to_string()),
    }
}

/// A token that is for another party with this client's knowledge is not for this client (§3.1.3.7, 4 and 5).
fn check_party(claims: &Map<String, Value>, client_id: &ClientId) -> Result<(), Rejected> {
    match claims.get("azp") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(party)) if party == client_id.as_str() => Ok(()),
        Some(_) => Err(Rejected::Forged("the authorized party is somebody else".to_owned())),
    }
}

/// A token that is not good yet is not good (RFC 7519 §4.1.5).
fn check_start(claims: &Map<String, Value>, newest: DateTime<Utc>) -> Result<(), Rejected> {
    match claims.get("nbf") {
        None | Some(Value::Null) => Ok(()),
        Some(start) if start.as_i64().is_some_and(|start| start <= newest.timestamp()) => Ok(()),
        Some(_) => Err(Rejected::Forged("it is not good yet".to_owned())),
    }
}

/// The access token opens the userinfo: it must be the one that was made with the ID token (§3.1.3.8).
fn check_hash(
    hash: &AccessTokenHash,
    token: &CoreIdToken,
    (verifier, access_token): (&CoreIdTokenVerifier<'_>, &AccessToken),
) -> Result<(), Rejected> {
    let other = || Rejected::Forged("the access token is another one".to_owned());
    let algorithm = token.signing_alg().map_err(|_| other())?;
    let key = token.signing_key(verifier).map_err(|_| other())?;
    let own = AccessTokenHash::from_token(access_token, algorithm, key).map_err(|_| other())?;
    if own == *hash { Ok(()) } else { Err(other()) }
}

/// The claims as they were sent, so that a text that looks like `true` is seen to be one. Called for verified tokens.
fn claims_of(token: &CoreIdToken) -> Option<Map<String, Value>> {
    let text = token.to_string();
    let payload = URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// A moment that can't be told is the last one: nothing is good then.
fn moment(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.as_micros()).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
