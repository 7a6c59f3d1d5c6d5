//! Tools that know no user: clock, database, password hashing, tokens, sealing, outbox, rate limits, logs.
//! [`Platform`] holds one of each, made at the start; every floor above is handed what it needs of it. Nothing here
//! knows what an account, a session or a page is.

mod clock;
mod db;
pub mod duration_text;
mod entropy;
mod http_client;
pub mod log;
mod mailer;
pub mod one_time;
pub mod outbox;
mod password_hash;
mod rate_limit;
mod seal;
mod signing_keys;
#[cfg(test)]
pub(crate) mod testing;
mod token;
pub mod withdrawn_mail;

pub use clock::{Clock, Timestamp};
pub use db::{
    DatabaseSettings, DatabaseUrl, Db, DbError, Dialect, InvalidDatabaseUrl, Tx, Walk, WalkStep, Write, fetch_together,
    is_unavailable, is_unique_violation, lock, write_together,
};
pub use entropy::{Entropy, EntropyError};
pub use http_client::{
    HttpAnswer, HttpClient, HttpClientError, HttpError, HttpRequest, HttpSettings, HttpUrl, InvalidHttpUrl, Reach,
};
pub use log::{LogError, LogFormat, LogSettings};
pub use mailer::{
    CaFile, Encryption, InvalidCaFile, MailError, MailSettings, Mailer, OutgoingMail, Sender, SmtpPassword,
    SmtpSettings, Transport,
};
pub use one_time::{CodeFor, Issued, NewOneTime, OneTime, OneTimeCode, OneTimeState, Purpose};
pub use outbox::{NewMail, Outbox, delete_waiting as delete_waiting_mails};
pub use password_hash::{HashError, Password, PasswordHasher, PasswordSettings, Place, StartError, Verdict};
pub use rate_limit::{Bucket, InvalidLimit, Limit, LimitSettings, RateLimiter, Refused, ip_subject};
pub use seal::{KeySettings, Seal, SealError};
pub use signing_keys::{PublicKey, Signer, SigningError, SigningKeys};
pub use token::{SecretToken, TokenHash};

/// What the tools are told by the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Which database.
    pub database: DatabaseSettings,
    /// What a password hash costs.
    pub password: PasswordSettings,
    /// Where the instance key is.
    pub keys: KeySettings,
    /// How mails leave.
    pub mail: MailSettings,
}

/// The tools of one process; clones share them.
#[derive(Clone, Debug)]
pub struct Platform {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// Password hashing.
    pub passwords: PasswordHasher,
    /// Sealing with the instance key.
    pub seal: Seal,
    /// Signing tokens that others verify.
    pub signing_keys: SigningKeys,
    /// Mails that are to be sent.
    pub outbox: Outbox,
    /// Rate limits.
    pub limits: RateLimiter,
}

/// A tool can't be made.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// No instance key.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No database.
    #[error(transparent)]
    Database(#[from] DbError),
    /// No password hashing.
    #[error(transparent)]
    Passwords(#[from] StartError),
}

impl Platform {
    /// Makes all tools: reads or makes the instance key, connects to the database without migrating it, and starts the
    /// threads that hash.
    ///
    /// # Errors
    /// [`OpenError`] with the first tool that can't be made.
    pub async fn open(settings: &Settings, clock: Clock) -> Result<Self, OpenError> {
        let entropy = Entropy::from_os()?;
        let seal = Seal::load_or_create(&settings.keys.instance_key(), &entropy)?;
        let db = Db::open(&settings.database).await?;
        let passwords = PasswordHasher::start(&settings.password, entropy.clone())?;
        let limits = RateLimiter::new(db.clone());
        let outbox = Outbox::new(seal.clone(), entropy.clone(), settings.mail.is_sent());
        let signing_keys = SigningKeys::new(db.clone(), seal.clone(), entropy.clone());
        Ok(Self { db, clock, entropy, passwords, seal, signing_keys, outbox, limits })
    }
}
