//! The two ceremonies (WebAuthn §7): one makes a passkey, the other proves that one has it. Each begins with a challenge
//! and ends once. The library checks challenge, origin, relying party, presence, verification, counter and signature; what
//! it leaves to its caller is checked here.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use webauthn_rs::prelude::{
    CredentialID, DiscoverableAuthentication, DiscoverableKey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

use super::{Sent, Stored};
use crate::{
    auth::{Holder, InvalidOption, ProviderError},
    platform::Timestamp,
};

/// Under which option the relying party is named.
const RP_ID: &str = "rp_id";

/// Makes and checks passkeys of one site.
pub struct Ceremonies(Webauthn);

/// Why a passkey is not taken.
#[derive(Debug)]
pub enum Refusal {
    /// Its counter went back: there may be a copy of it.
    Copied,
    /// Something else does not fit.
    Unfit(String),
}

impl From<WebauthnError> for Refusal {
    fn from(error: WebauthnError) -> Self {
        match error {
            WebauthnError::CredentialPossibleCompromise => Self::Copied,
            other => Self::Unfit(other.to_string()),
        }
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::Unfit(error.to_string())
    }
}

/// A ceremony that was begun.
pub struct Begun {
    /// What the browser is to be asked.
    pub options: Value,
    /// The challenge, in base64url.
    pub challenge: String,
    /// What is kept until the browser has answered.
    pub state: String,
}

impl Ceremonies {
    /// The ceremonies of a site at this URL, for a relying party of this id, by default the host.
    ///
    /// # Errors
    /// [`InvalidOption`] where no browser would make a passkey.
    pub fn new(public_url: &str, rp_id: Option<&str>, rp_name: &str) -> Result<Self, InvalidOption> {
        let wrong = |reason: String| InvalidOption::new(RP_ID, reason);
        let origin = Url::parse(public_url).map_err(|error| wrong(error.to_string()))?;
        let Some(host) = origin.domain() else {
            return Err(wrong("passkeys need a domain, and `server.public_url` has an IP address".to_owned()));
        };
        if origin.scheme() != "https" && host != "localhost" && !host.ends_with(".localhost") {
            return Err(wrong(
                "passkeys need https, and `server.public_url` is http; only localhost is excepted".to_owned(),
            ));
        }
        let rp_id = rp_id.unwrap_or(host);
        let is_above = host.strip_suffix(rp_id).is_some_and(|sub| sub.ends_with('.'));
        if rp_id != host && !(is_above && rp_id.contains('.')) {
            return Err(wrong(format!("must be `{host}` or a domain above it, such as `example.org`")));
        }
        let builder = WebauthnBuilder::new(rp_id, &origin).map_err(|error| wrong(error.to_string()))?;
        let webauthn = builder.rp_name(rp_name).build().map_err(|error| wrong(error.to_string()))?;
        Ok(Self(webauthn))
    }

    /// Begins to make a passkey. It is kept by the device, so that nobody has to type an address; who made the device is
    /// not asked.
    ///
    /// # Errors
    /// [`ProviderError::Internal`].
    pub fn begin_making(&self, holder: &Holder) -> Result<Begun, ProviderError> {
        let known = holder.entity_ids.iter().filter_map(|id| id_of(id)).collect();
        let name = holder.name.as_deref().unwrap_or(&holder.email);
        let begun = self.0.start_passkey_registration(user_handle(holder), &holder.email, name, Some(known));
        let (options, state) = begun.map_err(ProviderError::internal)?;
        let mut options = serde_json::to_value(&options.public_key).map_err(ProviderError::internal)?;
        let selection = &mut options["authenticatorSelection"];
        (selection["residentKey"], selection["requireResidentKey"]) = (json!("required"), json!(true));
        begun_with(options, &state)
    }

    /// Ends what [`Self::begin_making`] has begun for the same account.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn end_making(&self, holder: &Holder, sent: &Sent<'_>, state: &str) -> Result<Stored, Refusal> {
        refuse_framed(sent)?;
        let state: PasskeyRegistration = read(state)?;
        let credential: RegisterPublicKeyCredential = read(sent.text)?;
        let passkey = self.0.finish_passkey_registration(&credential, &state)?;
        // The id that was signed, and not another beside it.
        if id_of(&sent.id).as_ref() != Some(passkey.cred_id()) {
            return Err(Refusal::Unfit("it is another passkey than the browser says".to_owned()));
        }
        Ok(Stored::new(passkey, user_handle(holder).as_bytes().to_vec()))
    }

    /// Begins a log-in by whichever passkey of this site the person chooses.
    ///
    /// # Errors
    /// [`ProviderError::Internal`].
    pub fn begin_proving(&self) -> Result<Begun, ProviderError> {
        let (options, state) = self.0.start_discoverable_authentication().map_err(ProviderError::internal)?;
        let mut options = serde_json::to_value(&options.public_key).map_err(ProviderError::internal)?;
        if let Some(options) = options.as_object_mut() {
            options.remove("extensions");
        }
        begun_with(options, &state)
    }

    /// Ends what [`Self::begin_proving`] has begun; answers the passkey as it is to be stored from now on.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn end_proving(
        &self,
        sent: &Sent<'_>,
        state: &str,
        (stored, now): (Stored, Timestamp),
    ) -> Result<Stored, Refusal> {
        refuse_framed(sent)?;
        if sent.user_handle.as_deref() != Some(&stored.user_handle[..]) {
            return Err(Refusal::Unfit("it is a passkey of another account".to_owned()));
        }
        let state: DiscoverableAuthentication = read(state)?;
        let credential: PublicKeyCredential = read(sent.text)?;
        let key = DiscoverableKey::from(&stored.passkey);
        let result = self.0.finish_discoverable_authentication_v2(&credential, state, &key)?;
        if !result.user_verified() {
            return Err(Refusal::Unfit("the person was not verified".to_owned()));
        }
        Ok(stored.used(&result, now))
    }
}

/// By what passkeys know an account: the same for all of them, so that a device keeps one, and nothing that tells whose it
/// is or how old (WebAuthn §14.6.1).
fn user_handle(holder: &Holder) -> Uuid {
    let digest = Sha256::digest(format!("user handle of {}", holder.id));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(bytes)
}

/// A page of another site that holds one of this site in a frame is nowhere wanted; the library looks at this only where a
/// passkey is made.
fn refuse_framed(sent: &Sent<'_>) -> Result<(), Refusal> {
    if sent.is_framed() { Err(Refusal::Unfit("it was asked within a page of another site".to_owned())) } else { Ok(()) }
}

/// The id of a passkey as bytes.
fn id_of(text: &str) -> Option<CredentialID> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn begun_with(options: Value, state: &impl Serialize) -> Result<Begun, ProviderError> {
    let challenge = options["challenge"].as_str().unwrap_or_default().to_owned();
    Ok(Begun { challenge, options, state: serde_json::to_string(state).map_err(ProviderError::internal)? })
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    Ok(serde_json::from_str(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(public_url: &str, rp_id: Option<&str>) -> Option<String> {
        Ceremonies::new(public_url, rp_id, "Latchkey").err().map(|error| error.to_string())
    }

    #[test]
    fn passkeys_are_for_the_host_or_a_domain_above_it() {
        for (public_url, rp_id) in [
            ("http://localhost:3000", None),
            ("http://app.localhost:3000", None),
            ("https://login.example.org", None),
            ("https://login.example.org:8443", Some("login.example.org")),
            ("https://login.example.org", Some("example.org")),
        ] {
            assert_eq!(reason(public_url, rp_id), None, "{public_url} {rp_id:?}");
        }
        for rp_id in ["org", "ogin.example.org", "example.com", "a.login.example.org", "localhost", "", "Example.org"] {
            let said = reason("https://login.example.org", Some(rp_id)).unwrap();
            let right = "must be `login.example.org` or a domain above it, such as `example.org`";
            assert_eq!(said, format!("option 'rp_id': {right}"), "{rp_id}");
        }
    }

    #[test]
    fn where_no_browser_makes_passkeys_the_program_does_not_start() {
        let address = "option 'rp_id': passkeys need a domain, and `server.public_url` has an IP address";
        for public_url in ["http://127.0.0.1:3000", "https://198.51.100.7", "http://[::1]:3000"] {
            assert_eq!(reason(public_url, None).as_deref(), Some(address), "{public_url}");
        }
        let bare = "option 'rp_id': passkeys need https, and `server.public_url` is http; only localhost is excepted";
        for public_url in ["http://login.example.org", "http://localhost.example.org"] {
            assert_eq!(reason(public_url, None).as_deref(), Some(bare), "{public_url}");
        }
    }

    #[test]
    fn a_user_handle_is_the_same_each_time_and_anothers_is_another() {
        let handle = |id: &str| user_handle(&Holder { id: id.to_owned(), ..Holder::default() });
        assert_eq!(handle("a"), handle("a"));
        assert_ne!(handle("a"), handle("b"));
    }
}
