//! Log in: the pipeline that every way in passes. Limits, then proof by a provider, then whether this user may come in,
//! then session and event in one transaction. A refused person leaves no row but the count of the try and, where the
//! proof failed, the event that says so.

use serde_json::{Value, json};

use super::{
    Error, MailRequest, RegistrationMode, Services, USER, create_user,
    external_user::{self, Outsider},
    log_in_by_mail::{self, Wish},
    request_mail,
    resolve_user::{self, Asked},
    services::client_subject,
};
use crate::{
    auth::{
        AuthIdentity, AuthIdentityProviderService, AuthInput, AuthResponse, BrowserKey, Configured, Flow, InputKind,
        MailedProof,
    },
    events::{self, Actor, Event, EventKind, Scope, Target},
    platform::{Bucket, Tx, Write},
    sessions::{self, NewSession, Opened},
    shared::{EmailAddress, ProviderId, UserId},
    users::{self, User},
};

/// How much of what a person is known by counts where tries are counted.
const MAX_ACCOUNT_CHARS: usize = 100;

/// Somebody who is logged in now.
pub struct LoggedIn {
    /// The user.
    pub user: User,
    /// The session that was opened.
    pub session: Opened,
}

/// What came of a log-in that was not refused.
pub enum Outcome {
    /// The person is logged in.
    LoggedIn(Box<LoggedIn>),
    /// Somebody is logged in who has no account here.
    Guest(Opened),
    /// The browser must go to a provider first.
    Redirect(String),
    /// Whoever reads the mail of this address is in by that mail, if they may come in.
    ByMail(MailedProof),
}

/// How somebody wants to come in.
#[derive(Clone, Debug)]
pub struct LogIn {
    /// By which provider.
    pub provider: ProviderId,
    /// What came in with the request.
    pub input: AuthInput,
    /// Whether the session outlives the browser.
    pub is_remembered: bool,
    /// The browser, where the provider has asked it something before.
    pub browser: Option<BrowserKey>,
    /// Where a browser goes on that comes in by a mail: a path of this site, which whoever reads it must judge.
    pub next: Option<String>,
}

/// Logs somebody in by a provider.
///
/// # Errors
/// [`Error::NotProved`] with the provider's text, [`Error::Disabled`], [`Error::TooManyTries`], [`Error::Busy`], and
/// what creating a user may refuse where the identity has none yet.
pub async fn log_in(services: &Services, scope: &Scope, wanted: &LogIn) -> Result<Outcome, Error> {
    let configured = services.provider(&wanted.provider)?;
    if configured.flow == Flow::Mail {
        return ask_by_mail(services, scope, (configured, wanted)).await.map(Outcome::ByMail);
    }
    limit_tries(services, scope, (configured, &wanted.input)).await?;
    let answer = match try_log_in(services, scope, wanted).await {
        // Changed since it was proved: another log-in has hashed the password anew, or it is another password now. Or two
        // first log-ins have come at once.
        Err(Error::Conflict | Error::Taken(_)) => try_log_in(services, scope, wanted).await,
        answer => answer,
    };
    if let Err(Error::EmailNotVerified { email, .. }) = &answer {
        request_mail(services, scope, (MailRequest::ConfirmEmail, email)).await?;
    }
    answer
}

/// Nobody's tries are counted but those of mails: the owner of an account can always come in by one.
async fn ask_by_mail(
    services: &Services,
    scope: &Scope,
    (configured, wanted): (&Configured, &LogIn),
) -> Result<MailedProof, Error> {
    let LogIn { input, is_remembered, next, .. } = wanted;
    let (next, is_remembered) = (next.as_deref(), *is_remembered);
    let wish = Wish { configured, actor_type: USER, input, next, is_remembered, is_by_program: false };
    log_in_by_mail::ask(services, scope, wish).await
}

pub(super) fn email_in(input: &AuthInput) -> Option<EmailAddress> {
    input.body.get("email").and_then(|email| EmailAddress::parse(email).ok())
}

async fn try_log_in(services: &Services, scope: &Scope, wanted: &LogIn) -> Result<Outcome, Error> {
    let LogIn { provider, input, is_remembered, browser, .. } = wanted;
    let configured = services.provider(provider)?;
    let mut identities = services.identities(configured, scope);
    if let Some(browser) = browser {
        identities = identities.seen_by(browser.clone(), None);
    }
    // It could not become an account, and an unknown address is to be answered as a wrong password is.
    if services.rules.registration.mode != RegistrationMode::Open {
        identities = identities.closed();
    }
    let response = configured.provider.authenticate(input, &identities).await?;
    match judge(response) {
        Proof::Elsewhere(Elsewhere { location, .. }) => Ok(Outcome::Redirect(location)),
        Proof::ByMail(_) => Err(Error::UnknownProvider),
        Proof::Failed(reason) => {
            note_failure(services, scope, (provider, &identities, input)).await?;
            Err(Error::NotProved(reason))
        }
        Proof::Proved(identity) => {
            let asked = resolve_user::ask(services, scope, (configured, &identity)).await?;
            let logged_in = come_in(services, scope, (&identity, *is_remembered, &asked), &identities).await?;
            Ok(Outcome::LoggedIn(Box::new(logged_in)))
        }
        Proof::External(outsider) => {
            let opened = external_user::come_in(services, scope, configured, (outsider, *is_remembered)).await?;
            Ok(Outcome::Guest(opened))
        }
    }
}

/// Where a browser must go first, and what it is to be asked there.
#[derive(Clone, Debug, PartialEq)]
pub struct Elsewhere {
    /// Where.
    pub location: String,
    /// What a script has to ask the browser for, and send.
    pub options: Option<Value>,
}

/// What a provider's answer means.
pub(super) enum Proof {
    Elsewhere(Elsewhere),
    Proved(AuthIdentity),
    External(Outsider),
    ByMail(MailedProof),
    Failed(String),
}

/// A location wins over success, a user over an identity; success without either is a failure, and so is a mail where the
/// provider is none of mails.
pub(super) fn judge(response: AuthResponse) -> Proof {
    match response {
        AuthResponse { location: Some(location), options, .. } => Proof::Elsewhere(Elsewhere { location, options }),
        AuthResponse { success: true, user: Some(user), auth_identity: proved, .. } => {
            Proof::External(Outsider { user, proved })
        }
        AuthResponse { success: true, auth_identity: Some(identity), .. } => Proof::Proved(identity),
        AuthResponse { mail: Some(mail), .. } => Proof::ByMail(mail),
        AuthResponse { error, .. } => Proof::Failed(error.unwrap_or_else(|| "Authentication failed".to_owned())),
    }
}

/// Whose account is tried: what the provider asks for that is no secret, an address as such, else its beginning. Nothing
/// else that was sent counts, or whoever guesses would choose where their tries are counted.
fn account_in(configured: &Configured, input: &AuthInput) -> Option<String> {
    let named = configured.fields.iter().find(|field| !field.is_secret())?;
    if named.kind == InputKind::Email {
        return EmailAddress::parse(input.body.get(named.name)?).ok().map(String::from);
    }
    let typed = input.body.get(named.name)?.trim().to_lowercase();
    let beginning: String = typed.chars().take(MAX_ACCOUNT_CHARS).collect();
    Some(format!("{} {beginning}", configured.id))
}

/// Unknown and known accounts are counted alike.
pub(super) async fn limit_tries(
    services: &Services,
    scope: &Scope,
    (configured, input): (&Configured, &AuthInput),
) -> Result<(), Error> {
    let limits = &services.rules.limits;
    let client = client_subject(scope);
    let mut tries = vec![Bucket { name: "log_in_client", subject: &client, limit: limits.log_in_per_ip }];
    let account = account_in(configured, input);
    // Strict for one client at one account, wide for all at one: nobody locks somebody else out with a few tries.
    let client_at_account = account.as_ref().map(|account| format!("{client} {account}"));
    if let (Some(account), Some(both)) = (&account, &client_at_account) {
        tries.push(Bucket { name: "log_in_account_client", subject: both, limit: limits.log_in_per_account });
        let limit = limits.log_in_per_account_anywhere;
        tries.push(Bucket { name: "log_in_account", subject: account, limit });
    }
    services.take(scope, &tries).await
}

/// Whoever failed is told nothing of whether the account exists; admins see whose it was.
pub(super) async fn note_failure(
    services: &Services,
    scope: &Scope,
    (provider, identities, input): (&ProviderId, &AuthIdentityProviderService, &AuthInput),
) -> Result<(), Error> {
    let named = identities.looked_up().or_else(|| email_in(input).map(String::from));
    let identity = identities.recall(named.as_deref().unwrap_or_default()).await?;
    let target = match identity.as_ref().map(|identity| (identity.actor_id(USER), &identity.id)) {
        Some((Some(user), _)) => Target::User(UserId::new(user)),
        Some((None, identity)) => Target::AuthIdentity(identity.clone()),
        None => Target::Unknown,
    };
    let event = Event { kind: EventKind::AuthFailed, target, details: json!({ "provider": provider.as_str() }) };
    let mut tx = services.platform.db.begin().await?;
    events::record(&mut tx, &services.platform.entropy, scope, event).await?;
    Ok(tx.commit().await?)
}

pub(super) async fn come_in(
    services: &Services,
    scope: &Scope,
    (identity, is_remembered, asked): (&AuthIdentity, bool, &Asked),
    identities: &AuthIdentityProviderService,
) -> Result<LoggedIn, Error> {
    let db = &services.platform.db;
    // A session that is only opened, and ends none, is opened again by who lost it in a power cut.
    let is_all = identity.actor_id(USER).is_some() && !identities.has_written() && scope.actor == Actor::Visitor;
    let mut tx = if is_all { db.begin_relaxed().await? } else { db.begin().await? };
    identities.commit(&mut tx).await?;
    let user = if let Some(id) = identity.actor_id(USER) {
        UserId::new(id)
    } else {
        let user = create_user::for_identity(services, scope, (identity, asked), &mut tx).await?;
        if services.rules.registration.requires_verified_email() && user.email_verified_at.is_none() {
            // They have an account now, which the mail that follows makes theirs.
            tx.commit().await?;
            return Err(Error::EmailNotVerified { user: user.id, email: user.email });
        }
        user.id
    };
    let logged_in = open_session(services, scope, (&user, identity, is_remembered), &mut tx).await?;
    if let Some(named) = asked.named() {
        resolve_user::name(&logged_in.session.id, named, &mut tx).await?;
    }
    tx.commit().await?;
    Ok(logged_in)
}

/// Asks whether this user may log in now, and notes that they do, together with what else is written of it: the
/// transaction must not be kept where they may not.
pub(super) async fn admit(
    services: &Services,
    scope: &Scope,
    (user, writes): (&UserId, Vec<Write>),
    tx: &mut Tx,
) -> Result<User, Error> {
    let user = users::note_login(tx, user, scope.now, writes).await?.ok_or(Error::Disabled)?;
    if services.rules.registration.requires_verified_email() && user.email_verified_at.is_none() {
        return Err(Error::EmailNotVerified { user: user.id, email: user.email });
    }
    Ok(user)
}

/// Asks whether this user may log in now, opens the session, and ends the one that their browser had.
pub(super) async fn open_session(
    services: &Services,
    scope: &Scope,
    (user, identity, is_remembered): (&UserId, &AuthIdentity, bool),
    tx: &mut Tx,
) -> Result<LoggedIn, Error> {
    let provider = &identity.provider_identity.provider;
    let new = NewSession {
        actor_type: USER.to_owned(),
        user_id: Some(user.clone()),
        external_user: None,
        auth_identity_id: identity.id.clone(),
        provider: provider.clone(),
        is_remembered,
    };
    let entropy = &services.platform.entropy;
    let (session, opening) = sessions::open_with(entropy, scope, (&new, services.rules.lifetime))?;
    let event = Event {
        kind: EventKind::SessionCreated,
        target: Target::User(user.clone()),
        details: json!({ "provider": provider.as_str(), "session_id": session.id.as_str() }),
    };
    let writes = vec![opening, events::record_with(entropy, scope, &event)];
    let user = admit(services, scope, (user, writes), tx).await?;
    if let Actor::User { id, session, .. } = &scope.actor {
        sessions::revoke(tx, id, session).await?;
    }
    Ok(LoggedIn { user, session })
}
