//! `emailpass`: e-mail address and password. An unknown address and a wrong password get the same answer in the same
//! time. Passwords are kept as argon2id hashes; one with other parameters than configured is hashed anew at log-in.

use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization;

use super::common_passwords;
use crate::{
    auth::{
        AuthIdentity, AuthIdentityProviderService, AuthInput, AuthProvider, AuthResponse, Dependencies, InputField,
        InvalidOption, Options, ProviderError, UpdateData,
    },
    platform::{Password, PasswordHasher, Verdict},
    shared::{EmailAddress, MAX_PASSWORD_CHARS, PasswordRule, broken_rule},
};

/// Under which key the provider metadata holds the hash.
const PASSWORD: &str = "password";
const WRONG_PAIR: &str = "Invalid email or password";

/// E-mail address and password.
pub struct EmailPass {
    passwords: PasswordHasher,
    creates_if_missing: bool,
}

/// What a form or a program sends.
struct Credentials {
    email: Option<EmailAddress>,
    password: String,
}

impl Credentials {
    fn read(input: &AuthInput) -> Result<Self, &'static str> {
        let email = input.body.get("email").ok_or("Email should be a string")?;
        let password = input.body.get("password").ok_or("Password should be a string")?;
        Ok(Self { email: EmailAddress::parse(email).ok(), password: normalized(password) })
    }

    fn is_too_long(&self) -> bool {
        self.password.chars().count() > MAX_PASSWORD_CHARS
    }
}

/// One password whichever keyboard typed it: Unicode NFKC (NIST SP 800-63B-4 §3.1.1.2).
fn normalized(password: &str) -> String {
    password.nfkc().collect()
}

impl AuthProvider for EmailPass {
    const IDENTIFIER: &'static str = "emailpass";
    const DISPLAY_NAME: &'static str = "E-mail and password";
    const FIELDS: &'static [InputField] =
        &[InputField::email("email", "E-mail"), InputField::secret("password", "Password")];

    fn validate_options(options: &Options) -> Result<(), InvalidOption> {
        for (name, value) in options {
            match (name.as_str(), value) {
                ("create_if_missing", Value::Bool(_)) | ("display_name", Value::String(_)) => {}
                ("create_if_missing", _) => return Err(InvalidOption::new(name, "must be true or false")),
                ("display_name", _) => return Err(InvalidOption::new(name, "must be text")),
                _ => return Err(InvalidOption::new(name, "unknown, known are: create_if_missing, display_name")),
            }
        }
        Ok(())
    }

    fn new(dependencies: Dependencies, options: &Options) -> Result<Self, InvalidOption> {
        let creates_if_missing = options.get("create_if_missing").and_then(Value::as_bool).unwrap_or(false);
        Ok(Self { passwords: dependencies.passwords, creates_if_missing })
    }

    async fn authenticate(
        &self,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let credentials = match Credentials::read(input) {
            Ok(credentials) => credentials,
            Err(reason) => return Ok(AuthResponse::refused(reason)),
        };
        // Nobody can have set such a password, so this tells nothing about any account.
        if credentials.is_too_long() {
            return Ok(AuthResponse::refused(WRONG_PAIR));
        }
        let _place = self.passwords.reserve()?;
        // An address that can't exist is looked up and checked all the same: it takes as long as one that does.
        let entity_id = credentials.email.as_ref().map_or("", EmailAddress::as_str);
        let mut known = identities.retrieve(entity_id).await?;
        let may_create = self.creates_if_missing && identities.may_create();
        if let (None, Some(email), true) = (&known, &credentials.email, may_create) {
            let answer = self.create(email, &credentials.password, identities).await?;
            if answer.success {
                return Ok(answer);
            }
            // Another first log-in has come before this one; who has the same password is the same person.
            known = identities.retrieve(entity_id).await?;
        }
        self.check(known, credentials.password, identities).await
    }

    async fn register(
        &self,
        input: &AuthInput,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let credentials = match Credentials::read(input) {
            Ok(credentials) => credentials,
            Err(reason) => return Ok(AuthResponse::refused(reason)),
        };
        let Some(email) = credentials.email else {
            return Err(ProviderError::InvalidData("The e-mail address is not valid.".to_owned()));
        };
        let _place = self.passwords.reserve()?;
        self.create(&email, &credentials.password, identities).await
    }

    async fn update(
        &self,
        data: &UpdateData,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let Some(password) = data.body.get(PASSWORD) else {
            return Ok(AuthResponse::refused("Password should be a string"));
        };
        let metadata = self.hashed(&normalized(password), EmailAddress::parse(&data.entity_id).ok().as_ref()).await?;
        Ok(AuthResponse::authenticated(identities.update(&data.entity_id, metadata).await?))
    }
}

impl EmailPass {
    async fn check(
        &self,
        known: Option<AuthIdentity>,
        password: String,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let stored = known.as_ref().and_then(|identity| identity.provider_identity.provider_metadata.get(PASSWORD));
        let verdict = self.passwords.verify(Password::from(password.clone()), stored.and_then(Value::as_str)).await?;
        match (known, verdict) {
            (None, _) | (_, Verdict::Wrong) => Ok(AuthResponse::refused(WRONG_PAIR)),
            (Some(identity), Verdict::Right) => Ok(AuthResponse::authenticated(identity)),
            (Some(identity), Verdict::RightButOutdated) => self.rehash(identity, password, identities).await,
        }
    }

    /// Not a new password: the rules that hold for one are not asked again.
    async fn rehash(
        &self,
        identity: AuthIdentity,
        password: String,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        let mut metadata = identity.provider_identity.provider_metadata;
        metadata.insert(PASSWORD.to_owned(), json!(self.passwords.hash(Password::from(password)).await?));
        let identity = identities.update(&identity.provider_identity.entity_id, metadata).await?;
        Ok(AuthResponse::authenticated(identity))
    }

    async fn create(
        &self,
        email: &EmailAddress,
        password: &str,
        identities: &AuthIdentityProviderService,
    ) -> Result<AuthResponse, ProviderError> {
        // Hashed before it is known whether the address is free, so that the time does not tell.
        let metadata = self.hashed(password, Some(email)).await?;
        if identities.retrieve(email.as_str()).await?.is_some() {
            return Ok(AuthResponse::refused("Identity with email already exists"));
        }
        Ok(AuthResponse::authenticated(identities.create(email.as_str(), metadata, Map::new())?))
    }

    async fn hashed(&self, password: &str, email: Option<&EmailAddress>) -> Result<Map<String, Value>, ProviderError> {
        if let Some(rule) = broken_rule(password, email) {
            return Err(ProviderError::Password(rule));
        }
        if common_passwords::contain(password) {
            return Err(ProviderError::Password(PasswordRule::Common));
        }
        let hash = self.passwords.hash(Password::from(password.to_owned())).await?;
        Ok(Map::from_iter([(PASSWORD.to_owned(), json!(hash))]))
    }
}
