//! The keys of the provider of the tests, and every way to sign with the wrong one.

use std::sync::{LazyLock, Mutex, PoisonError};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaKeyPair,
    },
};
use rsa::{RsaPrivateKey, pkcs8::EncodePrivateKey, rand_core::OsRng};
use serde_json::{Value, json};

use super::{CLIENT_SECRET, patched};

/// A key that only this run has (PKCS #8); making one takes a moment.
static RSA: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let key = RsaPrivateKey::new(&mut OsRng, 2048).unwrap();
    key.to_pkcs8_der().unwrap().as_bytes().to_vec()
});

/// By what an ID token is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signing {
    /// The key on the curve P-256, which is published.
    #[default]
    Es256,
    /// The RSA key, PKCS #1.
    Rs256,
    /// The RSA key, PSS.
    Ps256,
    /// The Edwards key.
    EdDsa,
    /// A key of somebody else, who calls it by the published one's name.
    Stranger,
    /// Nothing, and says so.
    None,
    /// Nothing, as if it were the published key.
    Nothing,
    /// The published key, and then it was changed.
    Changed,
    /// The public key, taken for a shared secret.
    PublicKeyAsSecret,
    /// The secret of the client.
    ClientSecret,
    /// A shared secret that is published.
    PublishedSecret,
}

/// All keys of a provider.
pub struct Keys {
    random: SystemRandom,
    curve: Mutex<(EcdsaKeyPair, usize)>,
    stranger: EcdsaKeyPair,
    edwards: Ed25519KeyPair,
    rsa: RsaKeyPair,
}

impl Keys {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let edwards = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        Self {
            curve: Mutex::new((new_curve(&random), 0)),
            stranger: new_curve(&random),
            edwards: Ed25519KeyPair::from_pkcs8(edwards.as_ref()).unwrap(),
            rsa: RsaKeyPair::from_pkcs8(&RSA).unwrap(),
            random,
        }
    }

    /// Another key under another name in the place of the one on the curve.
    pub fn rotate(&self) {
        let mut curve = self.curve.lock().unwrap_or_else(PoisonError::into_inner);
        *curve = (new_curve(&self.random), curve.1 + 1);
    }

    /// What everybody may know.
    pub fn published(&self, signing: Signing) -> Value {
        let curve = self.curve.lock().unwrap_or_else(PoisonError::into_inner);
        let rsa = PublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
        let mut keys = vec![
            jwk_of(&curve.0, &format!("curve-{}", curve.1)),
            json!({
                "kty": "RSA", "kid": "rsa", "use": "sig",
                "n": URL_SAFE_NO_PAD.encode(&rsa.n), "e": URL_SAFE_NO_PAD.encode(&rsa.e),
            }),
            json!({
                "kty": "OKP", "crv": "Ed25519", "kid": "edwards",
                "x": URL_SAFE_NO_PAD.encode(self.edwards.public_key()),
            }),
        ];
        if signing == Signing::PublishedSecret {
            keys.push(json!({ "kty": "oct", "kid": "shared", "k": URL_SAFE_NO_PAD.encode("shared") }));
        }
        json!({ "keys": keys })
    }

    /// A JSON web token.
    pub fn sign(&self, signing: Signing, header: &Value, claims: &Value) -> String {
        let curve = self.curve.lock().unwrap_or_else(PoisonError::into_inner);
        let (algorithm, kid) = match signing {
            Signing::Rs256 => ("RS256", "rsa".to_owned()),
            Signing::Ps256 => ("PS256", "rsa".to_owned()),
            Signing::EdDsa => ("EdDSA", "edwards".to_owned()),
            Signing::None => ("none", format!("curve-{}", curve.1)),
            Signing::PublicKeyAsSecret | Signing::ClientSecret => ("HS256", "rsa".to_owned()),
            Signing::PublishedSecret => ("HS256", "shared".to_owned()),
            _ => ("ES256", format!("curve-{}", curve.1)),
        };
        let mut honest = json!({ "alg": algorithm, "kid": kid });
        if header.get("jwk").is_some() {
            honest["jwk"] = jwk_of(&self.stranger, "stranger");
        }
        let header = patched(honest, &without(header, "jwk"));
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encoded(&header), encoded(claims));
        let signature = self.signature(signing, &curve.0, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn signature(&self, signing: Signing, curve: &EcdsaKeyPair, text: &[u8]) -> Vec<u8> {
        let by = |key: &EcdsaKeyPair| key.sign(&self.random, text).unwrap().as_ref().to_vec();
        let with = |secret: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text).as_ref().to_vec();
        let rsa = |padding| {
            let mut signature = vec![0; self.rsa.public().modulus_len()];
            self.rsa.sign(padding, &self.random, text, &mut signature).unwrap();
            signature
        };
        match signing {
            Signing::Es256 => by(curve),
            Signing::Rs256 => rsa(&RSA_PKCS1_SHA256),
            Signing::Ps256 => rsa(&RSA_PSS_SHA256),
            Signing::EdDsa => self.edwards.sign(text).as_ref().to_vec(),
            Signing::Stranger => by(&self.stranger),
            Signing::None | Signing::Nothing => Vec::new(),
            Signing::Changed => {
                let mut signature = by(curve);
                signature[7] ^= 1;
                signature
            }
            Signing::PublicKeyAsSecret => with(&PublicKeyComponents::<Vec<u8>>::from(self.rsa.public()).n),
            Signing::ClientSecret => with(CLIENT_SECRET.as_bytes()),
            Signing::PublishedSecret => with(b"shared"),
        }
    }
}

fn new_curve(random: &SystemRandom) -> EcdsaKeyPair {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), random).unwrap()
}

fn jwk_of(key: &EcdsaKeyPair, kid: &str) -> Value {
    let point = key.public_key().as_ref();
    json!({
        "kty": "EC", "crv": "P-256", "kid": kid, "alg": "ES256", "use": "sig",
        "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
    })
}

fn without(value: &Value, name: &str) -> Value {
    let mut value = value.clone();
    if let Some(object) = value.as_object_mut() {
        object.remove(name);
    }
    value
}
