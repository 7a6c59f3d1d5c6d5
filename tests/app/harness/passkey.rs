//! A device that makes passkeys and proves them (WebAuthn level 3, ES256, attestation `none`), with a browser that does what
//! it is told: a test changes one thing of what an honest one would send.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};

use super::{Client, Page, Program, TestApp};

/// Settings with passkeys; the site is at its default address.
pub const PASSKEYS: &str =
    r#"providers = [{ id = "emailpass", kind = "emailpass" }, { id = "passkey", kind = "passkey" }]"#;
const ORIGIN: &str = "http://localhost:3000";
const RP_ID: &str = "localhost";
/// The person is there.
pub const PRESENT: u8 = 0x01;
/// The person was verified.
pub const VERIFIED: u8 = 0x04;
/// It may be kept in more than one place, and is.
pub const SYNCED: u8 = 0x08 | 0x10;
/// A public key follows.
const ATTESTED: u8 = 0x40;

/// How a browser and a device behave.
#[derive(Clone)]
pub struct Behaviour {
    pub origin: String,
    pub rp_id: String,
    pub flags: u8,
    pub counter: u32,
    pub kind: Option<&'static str>,
    pub challenge: Option<String>,
    /// What else the browser says of where it was asked.
    pub client_data: Value,
    pub user_handle: Option<Value>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            origin: ORIGIN.to_owned(),
            rp_id: RP_ID.to_owned(),
            flags: PRESENT | VERIFIED,
            counter: 0,
            kind: None,
            challenge: None,
            client_data: json!({ "crossOrigin": false }),
            user_handle: None,
        }
    }
}

/// A passkey on a device.
pub struct Passkey {
    pair: EcdsaKeyPair,
    pub id: Vec<u8>,
    user_handle: Vec<u8>,
}

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

impl Behaviour {
    fn client_data(&self, kind: &'static str, options: &Value) -> Vec<u8> {
        let challenge = self.challenge.clone().unwrap_or_else(|| options["challenge"].as_str().unwrap().to_owned());
        let mut data = json!({ "type": self.kind.unwrap_or(kind), "challenge": challenge, "origin": self.origin });
        data.as_object_mut().unwrap().extend(self.client_data.as_object().unwrap().clone());
        data.to_string().into_bytes()
    }

    fn authenticator_data(&self, more: u8) -> Vec<u8> {
        let mut data = sha256(self.rp_id.as_bytes());
        data.push(self.flags | more);
        data.extend(self.counter.to_be_bytes());
        data
    }
}

impl Passkey {
    /// Makes one as the options ask; what the browser answers.
    pub fn make(options: &Value, behaviour: &Behaviour) -> (Self, Value) {
        let random = SystemRandom::new();
        let scheme = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(scheme, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(scheme, document.as_ref(), &random).unwrap();
        let id = sha256(pair.public_key().as_ref());
        let user_handle = URL_SAFE_NO_PAD.decode(options["user"]["id"].as_str().unwrap()).unwrap();
        let passkey = Self { pair, id, user_handle };
        let answer = passkey.attest(options, behaviour);
        (passkey, answer)
    }

    /// Answers the options for another passkey with this one.
    pub fn attest(&self, options: &Value, behaviour: &Behaviour) -> Value {
        let mut data = behaviour.authenticator_data(ATTESTED);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        // A map of five: EC2, ES256, P-256, and the point (RFC 9053 §7.1.1).
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(x);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(y);
        // { "fmt": "none", "attStmt": {}, "authData": … } (WebAuthn §6.5.4).
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        attestation.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        attestation.extend(data);
        self.answer(&json!({
            "clientDataJSON": base64(&behaviour.client_data("webauthn.create", options)),
            "attestationObject": base64(&attestation),
            "transports": ["internal"],
        }))
    }

    /// Proves that one has it.
    pub fn prove(&self, options: &Value, behaviour: &Behaviour) -> Value {
        let client_data = behaviour.client_data("webauthn.get", options);
        let data = behaviour.authenticator_data(0);
        let signed = [data.clone(), sha256(&client_data)].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed).unwrap();
        let user_handle = behaviour.user_handle.clone().unwrap_or_else(|| json!(base64(&self.user_handle)));
        self.answer(&json!({
            "clientDataJSON": base64(&client_data),
            "authenticatorData": base64(&data),
            "signature": base64(signature.as_ref()),
            "userHandle": user_handle,
        }))
    }

    /// The id as texts have it.
    pub fn id_text(&self) -> String {
        base64(&self.id)
    }

    fn answer(&self, response: &Value) -> Value {
        let id = self.id_text();
        json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "clientExtensionResults": {}, "response": response,
        })
    }
}

impl Client {
    /// What the browser is to be asked for a new passkey.
    pub async fn options_for_new(&self) -> Value {
        self.fetch("/api/new-passkey-options", &[("provider", "passkey")]).await.expect_status(200).json()
    }

    /// What the browser is to be asked for a log-in.
    pub async fn options_for_proof(&self) -> Value {
        self.fetch("/api/passkey-options", &[("provider", "passkey")]).await.expect_status(200).json()
    }

    /// Sends a new passkey.
    pub async fn send_new(&self, answer: &Value) -> Page {
        let fields = [("provider", "passkey"), ("name", "Phone"), ("credential", &answer.to_string())];
        self.post("/api/add-passkey", &fields).await
    }

    /// Sends the proof of a passkey.
    pub async fn send_proof(&self, answer: &Value) -> Page {
        let fields = [("provider", "passkey"), ("credential", &answer.to_string())];
        self.post("/api/login-with-passkey", &fields).await
    }

    /// Adds a passkey to the account of who is logged in.
    pub async fn add_passkey(&self) -> Passkey {
        self.add_passkey_as(&Behaviour::default()).await
    }

    /// The same by a device that behaves in its own way.
    pub async fn add_passkey_as(&self, behaviour: &Behaviour) -> Passkey {
        let (passkey, answer) = Passkey::make(&self.options_for_new().await, behaviour);
        self.send_new(&answer).await.expect_redirect("/account/security");
        self.get("/account/security").await.expect_text("The passkey was added.");
        passkey
    }

    /// Logs in by a passkey and answers with what comes back.
    pub async fn log_in_by(&self, passkey: &Passkey, behaviour: &Behaviour) -> Page {
        let options = self.options_for_proof().await;
        self.send_proof(&passkey.prove(&options, behaviour)).await
    }
}

impl Program {
    /// What a browser is to be asked, on behalf of a program.
    pub async fn options_for_proof(&self) -> Value {
        self.post("/auth/user/passkey", &json!({})).await.expect_status(200).json()["options"].clone()
    }
}

impl TestApp {
    /// A member with a passkey.
    pub async fn member_with_passkey(&self, email: &str) -> (Client, Passkey) {
        let client = self.member(email).await;
        let passkey = client.add_passkey().await;
        (client, passkey)
    }
}
