//! What a browser sends of a passkey (`PublicKeyCredential.toJSON()`, WebAuthn §5.1), as far as it is looked at before the
//! ceremony is known: which one it answers, what it says of where it was asked, which passkey it is. All of this is signed,
//! and believed once the signature is checked.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

/// The longest text that is read: keys with RSA and a long chain of statements stay well below it.
const MAX_BYTES: usize = 32 * 1_024;
/// The longest id of a passkey (WebAuthn §4, Credential ID), in bytes.
const MAX_ID_BYTES: usize = 1_023;

/// What a browser has sent.
pub struct Sent<'a> {
    /// The whole of it.
    pub text: &'a str,
    /// The id of the passkey, in base64url.
    pub id: String,
    /// What the passkey knows the account by.
    pub user_handle: Option<Vec<u8>>,
    /// The challenge that it answers, in base64url.
    pub challenge: String,
    is_framed: bool,
}

#[derive(Deserialize)]
struct Outline {
    #[serde(rename = "rawId")]
    raw_id: String,
    id: String,
    #[serde(rename = "type")]
    kind: String,
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    #[serde(default)]
    user_handle: Option<String>,
}

/// What the browser says of where it was asked (WebAuthn §5.8.1); the rest is checked with the signature.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    challenge: String,
    #[serde(default)]
    cross_origin: Option<bool>,
    #[serde(default)]
    top_origin: Option<Value>,
}

impl<'a> Sent<'a> {
    /// Reads what a browser has sent; `None` for what no browser would send.
    pub fn read(text: &'a str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let Outline { raw_id, id, kind, response } = serde_json::from_str(text).ok()?;
        let bytes = URL_SAFE_NO_PAD.decode(&raw_id).ok()?;
        if kind != "public-key" || id != raw_id || bytes.is_empty() || bytes.len() > MAX_ID_BYTES {
            return None;
        }
        let client_data = URL_SAFE_NO_PAD.decode(&response.client_data).ok()?;
        let ClientData { challenge, cross_origin, top_origin } = serde_json::from_slice(&client_data).ok()?;
        let user_handle = response.user_handle.map(|handle| URL_SAFE_NO_PAD.decode(handle)).transpose().ok()?;
        let is_framed = cross_origin == Some(true) || top_origin.is_some();
        Some(Self { text, id, user_handle, challenge, is_framed })
    }

    /// Whether it was asked within a page of another site.
    pub fn is_framed(&self) -> bool {
        self.is_framed
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(client_data: &str, change: impl FnOnce(&mut Value)) -> String {
        let mut sent = json!({
            "id": "AQID", "rawId": "AQID", "type": "public-key",
            "response": { "clientDataJSON": URL_SAFE_NO_PAD.encode(client_data), "userHandle": "BAUG" },
        });
        change(&mut sent);
        sent.to_string()
    }

    #[test]
    fn what_a_browser_sends_is_read() {
        let text = sent(r#"{"challenge":"Zm9v","crossOrigin":false,"other":[1]}"#, |_| {});
        let read = Sent::read(&text).unwrap();
        assert_eq!((read.id.as_str(), read.challenge.as_str(), read.is_framed()), ("AQID", "Zm9v", false));
        assert_eq!(read.user_handle.as_deref(), Some(&[4, 5, 6][..]));
        for framed in
            [r#"{"challenge":"a","crossOrigin":true}"#, r#"{"challenge":"a","topOrigin":"https://a.example"}"#]
        {
            assert!(Sent::read(&sent(framed, |_| {})).unwrap().is_framed(), "{framed}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        let data = r#"{"challenge":"Zm9v"}"#;
        let refused = [
            String::new(),
            "{}".to_owned(),
            "[1]".to_owned(),
            "\u{0}".to_owned(),
            sent("{}", |_| {}),
            sent("no JSON", |_| {}),
            sent(r#"{"challenge":7}"#, |_| {}),
            sent(r#"{"challenge":"a","crossOrigin":"no"}"#, |_| {}),
            sent(data, |sent| sent["type"] = json!("password")),
            sent(data, |sent| sent["id"] = json!("AQIE")),
            sent(data, |sent| sent["rawId"] = json!("AQ==")),
            sent(data, |sent| sent["response"]["userHandle"] = json!("!")),
            sent(data, |sent| sent["response"]["clientDataJSON"] = json!("!")),
            sent(data, |sent| sent["response"] = json!(null)),
            sent(data, |sent| sent["more"] = json!("x".repeat(MAX_BYTES))),
            sent(data, |sent| {
                let id = URL_SAFE_NO_PAD.encode([7; MAX_ID_BYTES + 1]);
                (sent["id"], sent["rawId"]) = (json!(id), json!(id));
            }),
        ];
        for text in refused {
            assert!(Sent::read(&text).is_none(), "{}", &text[..text.len().min(200)]);
        }
    }
}
