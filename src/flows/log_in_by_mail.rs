//! Log in by mail: somebody types an address, and whoever reads its mail is in, by the link there or by the code. Asking
//! writes the same row for every address and looks nobody up; a job mails to those who may come in. What is proved passes
//! the steps of every other way in, and comes in to the account with the address, whoever has made that.

mod by_program;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Error, LogIn, LoggedIn, RegistrationMode, Services, USER, authority, create_user,
    end_sessions::hand_over,
    held_address,
    letter::{self, Letter},
    link::{LOG_IN, LOG_IN_ELSEWHERE, LOG_INS},
    login::{Proof, judge, open_session},
    mail_request::{self, NewRequest},
    resolve_user::Asked,
    services::client_subject,
};
use crate::{
    auth::{AuthIdentity, AuthIdentityProviderService, AuthInput, Configured, Flow, MailedProof},
    events::Scope,
    platform::{Bucket, NewOneTime, OneTime, Purpose, Refused, Tx, one_time},
    shared::{EmailAddress, ProviderId, UserId},
    users::{self, User},
};
pub(super) use by_program::call_back;

/// What the seal is bound to.
const SEALED_FOR: &str = "log-in by mail";

/// A log-in that is proved by mail, as the request and then the token keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailedLogIn {
    /// By which provider.
    pub provider: ProviderId,
    /// What kind of account it is for.
    pub actor_type: String,
    /// Where a browser goes on: a path of this site, which whoever reads it must judge.
    pub next: Option<String>,
    /// Whether the session outlives the browser.
    pub is_remembered: bool,
    /// Whether a program has asked, which may hold an identity that has no account yet.
    is_by_program: bool,
    has_link: bool,
    lifetime_secs: u64,
}

impl MailedLogIn {
    /// What a token logs in to; `None` for one that logs nobody in.
    pub(super) fn of(services: &Services, token: &OneTime) -> Option<Self> {
        let sealed = token.data.as_str().filter(|_| LOG_INS.iter().any(|purpose| token.is_for(*purpose)))?;
        Self::open(services, sealed)
    }

    /// Sealed wherever it is kept: where somebody goes on may be the link of an invite.
    fn seal(&self, services: &Services) -> Result<String, Error> {
        let plain = serde_json::to_vec(self).map_err(Error::internal)?;
        Ok(services.platform.seal.seal(SEALED_FOR, &plain))
    }

    fn open(services: &Services, sealed: &str) -> Option<Self> {
        serde_json::from_slice(&services.platform.seal.open(SEALED_FOR, sealed)?).ok()
    }

    /// The same, to be asked for once more at an address.
    pub(super) fn once_more(self, email: &EmailAddress) -> LogIn {
        let body = [("email".to_owned(), email.to_string())].into();
        let input = AuthInput { body, ..AuthInput::default() };
        LogIn { provider: self.provider, input, is_remembered: self.is_remembered, next: self.next, browser: None }
    }
}

/// What a mail is for that logs in to an account of this type.
pub(super) fn purpose_of(actor_type: &str) -> Purpose {
    if actor_type == USER { LOG_IN } else { LOG_IN_ELSEWHERE }
}

/// Who asks for a mail, and for what.
pub(super) struct Wish<'a> {
    pub configured: &'a Configured,
    pub actor_type: &'a str,
    pub input: &'a AuthInput,
    pub next: Option<&'a str>,
    pub is_remembered: bool,
    pub is_by_program: bool,
}

/// Asks for the mail that proves who somebody is.
///
/// # Errors
/// [`Error::NotProved`] and [`Error::InvalidData`] where no address was typed, [`Error::TooManyTries`] for a client that
/// asks too often.
pub(super) async fn ask(services: &Services, scope: &Scope, wish: Wish<'_>) -> Result<MailedProof, Error> {
    let (client, limits) = (client_subject(scope), &services.rules.limits);
    let per_client = [Bucket { name: "log_in_mail_client", subject: &client, limit: limits.recover_per_ip }];
    services.take(scope, &per_client).await?;
    let identities = services.identities(wish.configured, scope).blind();
    let proof = match judge(wish.configured.provider.authenticate(wish.input, &identities).await?) {
        Proof::ByMail(proof) => proof,
        Proof::Failed(reason) => return Err(Error::NotProved(reason)),
        Proof::Proved(_) | Proof::External(_) | Proof::Elsewhere(_) => return Err(Error::UnknownProvider),
    };
    // Each way for itself: what is mailed by one is no use to whoever waits for another.
    let subject = format!("{} {} {}", wish.actor_type, wish.configured.id, proof.email);
    let per_account = [Bucket { name: "log_in_mail_account", subject: &subject, limit: limits.recover_per_account }];
    match services.platform.limits.take(scope.now, &per_account).await {
        Ok(()) => {}
        // Nobody is told: the mails before still work.
        Err(Refused::TooMany { .. }) => return Ok(proof),
        Err(error) => return Err(error.into()),
    }
    keep(services, scope, (&wish, &proof)).await?;
    Ok(proof)
}

async fn keep(services: &Services, scope: &Scope, (wish, proof): (&Wish<'_>, &MailedProof)) -> Result<(), Error> {
    let provider = &wish.configured.id;
    let wanted = MailedLogIn {
        provider: provider.clone(),
        actor_type: wish.actor_type.to_owned(),
        next: wish.next.map(str::to_owned),
        is_remembered: wish.is_remembered,
        is_by_program: wish.is_by_program,
        has_link: proof.has_link,
        lifetime_secs: proof.lifetime.as_secs(),
    };
    let sealed = wanted.seal(services)?;
    let new = NewRequest {
        kind: mail_request::LOG_IN,
        email: proof.email.as_str(),
        way: Some((wish.actor_type, provider.as_str())),
        sealed: Some(&sealed),
    };
    let mut tx = services.platform.db.begin().await?;
    mail_request::insert(services, scope, new, &mut tx).await?;
    tx.commit().await?;
    services.mail_requested.notify_one();
    Ok(())
}

/// Mails link and code to whoever may come in by them.
pub(super) async fn answer(
    services: &Services,
    scope: &Scope,
    (email, sealed): (&EmailAddress, Option<&str>),
    tx: &mut Tx,
) -> Result<(), Error> {
    let Some(wanted) = sealed.and_then(|sealed| MailedLogIn::open(services, sealed)) else {
        tracing::error!("a log-in by mail can't be read and came to nothing; was the instance key changed?");
        return Ok(());
    };
    let user = users::find_by_email_in(tx, email).await?;
    if !may_come_in(services, scope, (&wanted, email, user.as_ref()), tx).await? {
        return Ok(());
    }
    let new = NewOneTime {
        purpose: purpose_of(&wanted.actor_type),
        subject: user.as_ref().map_or(email.as_str(), |user| user.id.as_str()),
        email,
        data: wanted.seal(services)?.into(),
        expires_at: scope.now.plus(Duration::from_secs(wanted.lifetime_secs)),
    };
    let issued = one_time::issue(tx, &services.platform.entropy, scope.now, new).await?;
    // The page of a link knows people's own accounts alone.
    let letter = if wanted.has_link && wanted.actor_type == USER { Letter::LogInByLink } else { Letter::LogInByCode };
    letter::write(services, scope, (email, letter, Some(&issued)), tx).await?;
    Ok(())
}

/// Whether the mail would let anybody in. It is asked again when it has come back: this spares mails that are good for
/// nothing.
async fn may_come_in(
    services: &Services,
    scope: &Scope,
    (wanted, email, user): (&MailedLogIn, &EmailAddress, Option<&User>),
    tx: &mut Tx,
) -> Result<bool, Error> {
    // Another process may be configured otherwise than the one that was asked.
    let Ok(configured) = services.provider_of(&wanted.actor_type, &wanted.provider) else { return Ok(false) };
    if configured.flow != Flow::Mail {
        return Ok(false);
    }
    if let Some(user) = user {
        return Ok(user.disabled_at.is_none());
    }
    let mode = services.rules.registration.mode;
    if wanted.actor_type == USER && (mode == RegistrationMode::Open || !wanted.is_by_program) {
        let nobody = UserId::new("");
        return Ok(create_user::may_register(services, email).is_ok()
            && !held_address::is_taken(tx, (&nobody, email), scope.now).await?);
    }
    let is_known = || async { services.identities(configured, scope).retrieve(email.as_str()).await };
    Ok(mode != RegistrationMode::Closed || is_known().await?.is_some())
}

/// Logs a person in who has proved by a mail that they read it; answers where they go on, too.
///
/// # Errors
/// [`Error::Conflict`] if it was used meanwhile, [`Error::Disabled`], [`Error::RegistrationClosed`],
/// [`Error::DomainNotAllowed`], [`Error::Taken`] for an address that is held for another.
pub(super) async fn follow(
    services: &Services,
    scope: &Scope,
    token: &OneTime,
) -> Result<(LoggedIn, MailedLogIn), Error> {
    let wanted = MailedLogIn::of(services, token).filter(|wanted| wanted.actor_type == USER).ok_or(Error::NotFound)?;
    let logged_in = match try_to_follow(services, scope, (token, &wanted)).await {
        // Another mail to the same person was first: theirs is what is stored now.
        Err(Error::Conflict | Error::Taken(_)) => try_to_follow(services, scope, (token, &wanted)).await?,
        answer => answer?,
    };
    Ok((logged_in, wanted))
}

async fn try_to_follow(
    services: &Services,
    scope: &Scope,
    (token, wanted): (&OneTime, &MailedLogIn),
) -> Result<LoggedIn, Error> {
    let configured = services.provider(&wanted.provider)?;
    let identities = services.identities(configured, scope).proved_by_mail(token.email.clone());
    let identity = prove(configured, &identities, &AuthInput::default()).await?;
    let mut tx = services.platform.db.begin().await?;
    use_up(scope, (token, &identities), &mut tx).await?;
    let user = account_of(services, scope, (&identity, &token.email), &mut tx).await?;
    let logged_in = open_session(services, scope, (&user, &identity, wanted.is_remembered), &mut tx).await?;
    tx.commit().await?;
    Ok(logged_in)
}

/// Lets the provider say who reads the mail of the address that was proved: it knows them by that, and by nothing else.
pub(super) async fn prove(
    configured: &Configured,
    identities: &AuthIdentityProviderService,
    input: &AuthInput,
) -> Result<AuthIdentity, Error> {
    if configured.flow != Flow::Mail {
        return Err(Error::UnknownProvider);
    }
    match judge(configured.provider.validate_callback(input, identities).await?) {
        Proof::Proved(identity)
            if Some(identity.provider_identity.entity_id.as_str())
                == identities.proved_address().map(EmailAddress::as_str) =>
        {
            Ok(identity)
        }
        Proof::Failed(reason) => Err(Error::NotProved(reason)),
        _ => Err(Error::NotProved("Authentication failed".to_owned())),
    }
}

/// Uses the token up and stores what the provider wrote. Ways in and user are held first, as everybody holds them.
async fn use_up(
    scope: &Scope,
    (token, identities): (&OneTime, &AuthIdentityProviderService),
    tx: &mut Tx,
) -> Result<(), Error> {
    if let Some(user) = users::find_by_email_in(tx, &token.email).await? {
        authority::hold_account(tx, &user.id).await?;
    }
    identities.commit(tx).await?;
    if one_time::use_up(tx, &token.id, scope.now).await? { Ok(()) } else { Err(Error::Conflict) }
}

/// The account that somebody comes in to who has proved an address.
///
/// 1. The identity is known and the account still has the address: that account. Where nobody had proved it, what others
///    may have put into it goes.
/// 2. The identity is known and the account has another address: refused. It was proved by who has the old one.
/// 3. The identity is nobody's yet: as [`create_user::decide`] says.
async fn account_of(
    services: &Services,
    scope: &Scope,
    (identity, email): (&AuthIdentity, &EmailAddress),
    tx: &mut Tx,
) -> Result<UserId, Error> {
    let Some(id) = identity.actor_id(USER) else {
        return Ok(create_user::for_identity(services, scope, (identity, &Asked::default()), tx).await?.id);
    };
    let user = users::get_for_update(tx, &UserId::new(id)).await?;
    if user.email != *email {
        return Err(Error::LinkedElsewhere);
    }
    if user.email_verified_at.is_none() && user.disabled_at.is_none() {
        hand_over(services, scope, (&user, identity), tx).await?;
    }
    Ok(user.id)
}
