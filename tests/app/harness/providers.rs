//! Providers of another crate: the one of the examples with its directory, and one whose users live elsewhere.

#[path = "../../../examples/custom_provider.rs"]
#[expect(dead_code, reason = "an example has a `main` of its own")]
mod custom_provider;
#[path = "../../../examples/directory.rs"]
#[expect(dead_code, reason = "an example has a `main` of its own")]
mod example_directory;

pub use custom_provider::MyAuth;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use latchkey::{
    auth::prelude::*,
    flows::{HookError, ProvedLogin, Resolution},
    shared::EmailAddress,
};
use serde_json::{Map, json};
use tokio::sync::Notify;

/// Serves the directory of the examples; answers where it is asked.
pub async fn directory() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, example_directory::routes()).await.unwrap() });
    format!("http://{address}/check")
}

/// Believes every id, and takes it as it is.
pub struct Outside;

impl AuthProvider for Outside {
    const IDENTIFIER: &'static str = "outside";
    const DISPLAY_NAME: &'static str = "the application";
    const FIELDS: &'static [InputField] = &[InputField::text("id", "Id"), InputField::text("name", "Name")];

    fn validate_options(_options: &Options) -> Result<(), InvalidOption> {
        Ok(())
    }

    fn new(_dependencies: Dependencies, _options: &Options) -> Result<Self, InvalidOption> {
        Ok(Self)
    }

    async fn authenticate(
        &self,
        input: &AuthInput,
        _identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let Some(id) = input.body.get("id") else { return Ok(AuthResponse::refused("Id is required")) };
        let email = Some(format!("{}@elsewhere.example", id.trim()));
        let name = input.body.get("name").cloned();
        Ok(AuthResponse::authorized(ExternalUser { email, name, ..ExternalUser::new(id) }))
    }
}

/// Mails to the addresses of `staff.example`, and lets Eve in by none.
pub struct Staff;

impl AuthProvider for Staff {
    const IDENTIFIER: &'static str = "staff";
    const DISPLAY_NAME: &'static str = "a mail to the staff";
    const FLOW: Flow = Flow::Mail;
    const FIELDS: &'static [InputField] = &[InputField::email("email", "E-mail")];

    fn validate_options(_options: &Options) -> Result<(), InvalidOption> {
        Ok(())
    }

    fn new(_dependencies: Dependencies, _options: &Options) -> Result<Self, InvalidOption> {
        Ok(Self)
    }

    async fn authenticate(
        &self,
        input: &AuthInput,
        _identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let typed = input.body.get("email").and_then(|email| EmailAddress::parse(email).ok());
        Ok(match typed.filter(|email| email.domain() == "staff.example") {
            Some(email) => AuthResponse::by_mail(MailedProof::link(email)),
            None => AuthResponse::refused("Only for the staff"),
        })
    }

    async fn validate_callback(
        &self,
        _input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let Some(email) = identities.proved_address().filter(|email| !email.as_str().starts_with("eve@")) else {
            return Ok(AuthResponse::refused("Not her"));
        };
        if let Some(known) = identities.retrieve(email.as_str()).await? {
            return Ok(AuthResponse::authenticated(known));
        }
        // What it says of the address beside the mail is worth nothing.
        let told = [("email_verified", json!(true)), ("email", json!("somebody@example.org"))];
        let told = Map::from_iter(told.map(|(claim, value)| (claim.to_owned(), value)));
        Ok(AuthResponse::authenticated(identities.create(email.as_str(), Map::new(), told)?))
    }
}

/// Sends people elsewhere, and believes the code that they come back with: the code is who they are there, an address
/// where it holds an `@`, which is proved where it ends with `!`; `nobody` has none.
pub struct Elsewhere;

/// How long a test waits for somebody before it fails.
const PATIENCE: Duration = Duration::from_mins(1);
/// What no two journeys have alike.
static JOURNEYS: AtomicU64 = AtomicU64::new(1);

impl AuthProvider for Elsewhere {
    const IDENTIFIER: &'static str = "elsewhere";
    const DISPLAY_NAME: &'static str = "Elsewhere";
    const FLOW: Flow = Flow::Redirect;

    fn validate_options(_options: &Options) -> Result<(), InvalidOption> {
        Ok(())
    }

    fn new(_dependencies: Dependencies, _options: &Options) -> Result<Self, InvalidOption> {
        Ok(Self)
    }

    async fn authenticate(
        &self,
        _input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let state = format!("journey-{}", JOURNEYS.fetch_add(1, Ordering::Relaxed));
        identities.set_state(&state, "under way").await?;
        Ok(AuthResponse::redirect(format!("https://elsewhere.example/?state={state}")))
    }

    async fn validate_callback(
        &self,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let sent = |name: &str| input.query.get(name).or_else(|| input.body.get(name)).map(String::as_str);
        if identities.get_state(sent("state").unwrap_or_default()).await?.as_deref() != Some("under way") {
            return Ok(AuthResponse::refused("No state provided, or session expired"));
        }
        let Some(code) = sent("code") else { return Ok(AuthResponse::refused("No code provided")) };
        let (known_by, is_verified) = code.strip_suffix('!').map_or((code, false), |code| (code, true));
        if let Some(known) = identities.retrieve(known_by).await? {
            return Ok(AuthResponse::authenticated(known));
        }
        let mut profile = Map::from_iter([("name".to_owned(), json!("Somebody"))]);
        if known_by != "nobody" {
            let email =
                if known_by.contains('@') { known_by.to_owned() } else { format!("{known_by}@elsewhere.example") };
            profile.insert("email".to_owned(), json!(email));
            profile.insert("email_verified".to_owned(), json!(is_verified));
        }
        let created = identities.create(known_by, Map::new(), profile)?;
        Gate::pass(&proved(known_by)).await;
        Ok(AuthResponse::authenticated(created))
    }
}

/// Who is held up while the application thinks about them.
static HELD: Mutex<BTreeMap<String, Gate>> = Mutex::new(BTreeMap::new());

/// Where one person waits, once.
#[derive(Clone, Default)]
pub struct Gate {
    reached: Arc<Notify>,
    opened: Arc<Notify>,
}

impl Gate {
    /// Holds up the next log-in of this one, whom only one test knows.
    pub fn before(entity_id: &str) -> Self {
        let gate = Self::default();
        HELD.lock().unwrap().insert(entity_id.to_owned(), gate.clone());
        gate
    }

    /// The same as soon as they have proved who they are, before anybody looks at what is stored.
    pub fn behind_proof(entity_id: &str) -> Self {
        Self::before(&proved(entity_id))
    }

    /// Waits at the gate of this one, if there is one.
    async fn pass(entity_id: &str) {
        let gate = HELD.lock().unwrap().remove(entity_id);
        if let Some(gate) = gate {
            gate.reached.notify_one();
            gate.opened.notified().await;
        }
    }

    /// Waits until they are here.
    pub async fn reached(&self) {
        tokio::time::timeout(PATIENCE, self.reached.notified()).await.expect("nobody came");
    }

    /// Lets them go on.
    pub fn open(&self) {
        self.opened.notify_one();
    }
}

fn proved(entity_id: &str) -> String {
    format!("{entity_id}, proved")
}

/// Refuses one, names another, holds up whom a test wants held up, and lets all others be.
pub async fn resolve_user(login: ProvedLogin) -> Result<Resolution, HookError> {
    assert_eq!(login.is_new_user, login.user.is_none());
    Gate::pass(&login.entity_id).await;
    match login.entity_id.as_str() {
        "refused" => Ok(Resolution::Refused),
        "broken" => Err("the application has a bad day".into()),
        "named" => {
            let name = login.profile["name"].as_str().map(str::to_owned);
            let times = if login.is_new_user { "first" } else { "again" };
            Ok(Resolution::As(ExternalUser { name, ..ExternalUser::new(format!("app-{times}")) }))
        }
        _ => Ok(Resolution::AsProved),
    }
}
