//! The keys of an issuer (RFC 7517), less those that nobody should sign with: RSA below 2048 bits, keys that are shared
//! secrets, and keys that come with their private half. More keys than any issuer has are refused.

use openidconnect::core::{CoreJsonWebKey, CoreJsonWebKeySet};
use serde_json::Value;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::auth::redirect::Trouble;

/// The most keys of an issuer.
const MAX_KEYS: usize = 100;
/// The least bytes of an RSA modulus (NIST SP 800-131A).
const MIN_RSA_BYTES: usize = 256;

/// Reads a set of keys; one that can't be used is left out.
pub fn read(answer: &Value) -> Result<CoreJsonWebKeySet, Trouble> {
    let Some(Value::Array(keys)) = answer.get("keys") else {
        return Err(Trouble::untrusted("the issuer's keys can't be read"));
    };
    if keys.len() > MAX_KEYS {
        return Err(Trouble::untrusted(format!("the issuer has more than {MAX_KEYS} keys")));
    }
    let read = |key: &Value| serde_json::from_value::<CoreJsonWebKey>(key.clone()).ok();
    Ok(CoreJsonWebKeySet::new(keys.iter().filter(|key| is_fit(key)).filter_map(read).collect()))
}

fn is_fit(key: &Value) -> bool {
    let is_public = key.get("d").is_none() && key.get("k").is_none();
    is_public
        && match key.get("kty").and_then(Value::as_str) {
            Some("RSA") => key.get("n").and_then(Value::as_str).is_some_and(is_long),
            Some("EC" | "OKP") => true,
            _ => false,
        }
}

fn is_long(modulus: &str) -> bool {
    let bytes = URL_SAFE_NO_PAD.decode(modulus).unwrap_or_default();
    bytes.iter().skip_while(|byte| **byte == 0).count() >= MIN_RSA_BYTES
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rsa(bytes: &[u8]) -> Value {
        json!({ "kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode(bytes) })
    }

    #[test]
    fn a_key_that_nobody_should_sign_with_is_left_out() {
        let mut with_secret = rsa(&[255; 256]);
        with_secret["d"] = json!("AQAB");
        for (key, count) in [
            (rsa(&[255; 256]), 1),
            (rsa(&[255; 512]), 1),
            (rsa(&[255; 128]), 0),
            (rsa(&[&[0; 256][..], &[255; 128]].concat()), 0),
            (with_secret, 0),
            (json!({ "kty": "RSA", "e": "AQAB" }), 0),
            (json!({ "kty": "oct", "k": "c2VjcmV0" }), 0),
            (json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }), 1),
            (json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA" }), 1),
            (json!({ "kty": "other" }), 0),
            (json!({}), 0),
            (json!(7), 0),
        ] {
            assert_eq!(read(&json!({ "keys": [key] })).unwrap().keys().len(), count, "{key}");
        }
    }

    #[test]
    fn what_is_no_set_of_keys_is_refused() {
        for answer in [json!([]), json!({}), json!({ "keys": {} }), json!({ "keys": vec![rsa(&[1]); 101] })] {
            assert!(read(&answer).is_err());
        }
    }
}
