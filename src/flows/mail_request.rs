//! What visitors ask to be mailed at an address: a link to set a password anew, another link to confirm the address, the
//! first one of all by registering with it, one to log in by.
//! Asking writes the same row for every address and looks nothing up, so that neither the answer nor its time tells who
//! has an account; a job answers soon after. Nobody is told that too many were asked for: the links before still work.

use sqlx::Row;

use super::{
    Error, LogIn, LostPassword, MailedLogIn, Outcome, Services, USER, confirm_email,
    link::{CONFIRM_EMAIL, RESET_IDENTITY, RESET_PASSWORD, SET_PASSWORD},
    log_in, log_in_by_mail, recover, register_by_mail,
    services::client_subject,
};
use crate::{
    auth::{MailedProof, providers::EMAILPASS},
    events::{Actor, Client, Scope},
    platform::{Bucket, OneTime, Refused, Tx},
    shared::{EmailAddress, ProviderId},
};

/// The kind of the rows that registrations are kept in.
pub(super) const REGISTER: &str = "register";
/// The kind of the rows that log-ins by mail are kept in.
pub(super) const LOG_IN: &str = "log_in";
/// Sorts behind every digit of an id.
const BEHIND_ALL: char = '~';
/// The longest name of somebody that is looked up, in bytes.
const MAX_IDENTIFIER_BYTES: usize = 320;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailRequest {
    /// A link to set the password anew.
    ResetPassword,
    /// Another link to confirm the address that was registered.
    ConfirmEmail,
}

impl MailRequest {
    fn as_str(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset_password",
            Self::ConfirmEmail => "confirm_email",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::ResetPassword, Self::ConfirmEmail].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Asks for a mail at an address, whether anybody has it or not.
///
/// # Errors
/// [`Error::TooManyTries`] for a client that asks too often.
pub async fn request_mail(
    services: &Services,
    scope: &Scope,
    (request, email): (MailRequest, &EmailAddress),
) -> Result<(), Error> {
    let provider = services.providers.first_of(EMAILPASS).map(|configured| configured.id.clone());
    let about = LostPassword {
        actor_type: USER.to_owned(),
        provider: provider.unwrap_or_else(|| ProviderId::new("")),
        identifier: email.to_string(),
    };
    ask(services, scope, (request, &about)).await
}

/// Asks for a link to set a password anew, for whoever is known to the provider, whether anybody is or not. A provider
/// that there is not knows nobody.
///
/// # Errors
/// [`Error::UnknownActorType`], [`Error::UnknownProvider`] for one that there is and that accounts of this type may not
/// use, [`Error::TooManyTries`] for a client that asks too often.
pub async fn request_reset(services: &Services, scope: &Scope, lost: &LostPassword) -> Result<(), Error> {
    let mut lost = lost.clone();
    match services.provider_of(&lost.actor_type, &lost.provider) {
        // What somebody makes up is not stored, whatever it is made of.
        Err(Error::UnknownProvider) if services.providers.get(&lost.provider).is_none() => {
            lost.provider = ProviderId::new("");
        }
        allowed => drop(allowed?),
    }
    ask(services, scope, (MailRequest::ResetPassword, &lost)).await
}

/// What was asked for in the place of a link that has expired.
pub enum Renewed {
    /// A mail of this kind.
    Mail(MailRequest),
    /// A mail to log in by.
    LogIn(Box<LogIn>, MailedProof),
}

/// Asks for another mail in the place of one whose link has expired; answers what was asked for.
///
/// # Errors
/// [`Error::NotFound`] for a link that only its sender can renew, [`Error::TooManyTries`].
pub async fn renew_link(services: &Services, scope: &Scope, token: &OneTime) -> Result<Renewed, Error> {
    if let Some(mailed) = MailedLogIn::of(services, token).filter(|mailed| mailed.actor_type == USER) {
        let wanted = mailed.once_more(&token.email);
        return match log_in(services, scope, &wanted).await? {
            Outcome::ByMail(proof) => Ok(Renewed::LogIn(Box::new(wanted), proof)),
            _ => Err(Error::NotFound),
        };
    }
    let request = renewal_of(token).ok_or(Error::NotFound)?;
    match recover::lost_by(token).filter(|_| request == MailRequest::ResetPassword) {
        Some(lost) => request_reset(services, scope, &lost).await?,
        None => request_mail(services, scope, (request, &token.email)).await?,
    }
    Ok(Renewed::Mail(request))
}

/// Whether who holds a link that has expired can have another.
pub fn is_renewable(services: &Services, token: &OneTime) -> bool {
    MailedLogIn::of(services, token).is_some_and(|mailed| mailed.actor_type == USER) || renewal_of(token).is_some()
}

/// What to ask for to get another mail in the place of one whose link has expired; `None` where only its sender can.
fn renewal_of(token: &OneTime) -> Option<MailRequest> {
    if token.is_for(CONFIRM_EMAIL) {
        Some(MailRequest::ConfirmEmail)
    } else if [RESET_PASSWORD, SET_PASSWORD, RESET_IDENTITY].into_iter().any(|purpose| token.is_for(purpose)) {
        Some(MailRequest::ResetPassword)
    } else {
        None
    }
}

async fn ask(services: &Services, scope: &Scope, (request, about): (MailRequest, &LostPassword)) -> Result<(), Error> {
    let client = client_subject(scope);
    let limits = &services.rules.limits;
    let per_client = [Bucket { name: "recover_client", subject: &client, limit: limits.recover_per_ip }];
    services.take(scope, &per_client).await?;
    let known_by =
        EmailAddress::parse(&about.identifier).map_or_else(|_| about.identifier.trim().to_owned(), String::from);
    if known_by.len() > MAX_IDENTIFIER_BYTES || known_by.contains('\0') {
        return Ok(());
    }
    let per_account = [Bucket { name: "recover_account", subject: &known_by, limit: limits.recover_per_account }];
    match services.platform.limits.take(scope.now, &per_account).await {
        Ok(()) => {}
        Err(Refused::TooMany { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let mut tx = services.platform.db.begin().await?;
    let way = Some((about.actor_type.as_str(), about.provider.as_str()));
    let new = NewRequest { kind: request.as_str(), email: &known_by, way, sealed: None };
    insert(services, scope, new, &mut tx).await?;
    tx.commit().await?;
    services.mail_requested.notify_one();
    Ok(())
}

/// A request that was taken away to be answered.
struct Taken {
    id: String,
    kind: String,
    /// Whose password is lost, where one is.
    lost: LostPassword,
    email: EmailAddress,
    sealed: Option<String>,
    scope: Scope,
}

/// Answers one of the requests; whether there was one. Of many who answer at once, one answers each.
///
/// # Errors
/// [`Error::Internal`] if the database fails; the request is still there then.
pub async fn answer_mail_request(services: &Services) -> Result<bool, Error> {
    let mut tx = services.platform.db.begin().await?;
    let Some(taken) = take(services, &mut tx).await? else { return Ok(false) };
    match answer(services, &taken, &mut tx).await {
        Ok(()) => tx.commit().await?,
        Err(error @ (Error::Internal(_) | Error::Busy { .. })) => {
            tx.rollback().await?;
            put_back(services, &taken).await?;
            return Err(error);
        }
        Err(refusal) => {
            // What was begun for a user who can't be made is undone first.
            tx.rollback().await?;
            give_up(services, &taken, &refusal).await?;
        }
    }
    Ok(true)
}

async fn answer(services: &Services, taken: &Taken, tx: &mut Tx) -> Result<(), Error> {
    let Taken { kind, lost, email, sealed, scope, .. } = taken;
    if kind == REGISTER {
        return register_by_mail::answer(services, scope, (email, sealed.as_deref()), tx).await;
    }
    if kind == LOG_IN {
        return log_in_by_mail::answer(services, scope, (email, sealed.as_deref()), tx).await;
    }
    match MailRequest::parse(kind) {
        Some(MailRequest::ResetPassword) => recover::send_link(services, scope, lost, tx).await,
        Some(MailRequest::ConfirmEmail) => confirm_email::send_link_again(services, scope, email, tx).await,
        None => {
            tracing::error!("a mail was asked for that this version does not know");
            Ok(())
        }
    }
}

/// Puts a request that can't be answered now behind all others, in the order of which chance decides again.
async fn put_back(services: &Services, taken: &Taken) -> Result<(), Error> {
    let mut tx = services.platform.db.begin().await?;
    sqlx::query("UPDATE mail_requests SET id = $1 WHERE id = $2")
        .bind(format!("{BEHIND_ALL}{}", services.platform.entropy.uuid_v4()))
        .bind(&taken.id)
        .execute(&mut *tx)
        .await?;
    Ok(tx.commit().await?)
}

/// Takes away what is refused; the owner of an address that is taken is told.
async fn give_up(services: &Services, taken: &Taken, refusal: &Error) -> Result<(), Error> {
    let mut tx = services.platform.db.begin().await?;
    let done = sqlx::query("DELETE FROM mail_requests WHERE id = $1").bind(&taken.id).execute(&mut *tx).await?;
    let is_ours = done.rows_affected() == 1;
    if is_ours && matches!(refusal, Error::Taken(_)) {
        confirm_email::say_taken(services, &taken.scope, &taken.email, &mut tx).await?;
    } else if is_ours {
        tracing::info!(%refusal, "a registration came to nothing");
    }
    Ok(tx.commit().await?)
}

/// Takes away the oldest request of an address that chance chooses.
async fn take(services: &Services, tx: &mut Tx) -> Result<Option<Taken>, sqlx::Error> {
    let row = sqlx::query(
        "DELETE FROM mail_requests WHERE id =
             (SELECT id FROM mail_requests WHERE email = (SELECT email FROM mail_requests ORDER BY id LIMIT 1)
              ORDER BY created_at, id LIMIT 1)
         RETURNING id, kind, email, ip, user_agent, request_id, sealed, actor_type, provider",
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let client = Client {
        ip: row.try_get::<Option<String>, _>(3)?.and_then(|ip| ip.parse().ok()),
        user_agent: row.try_get(4)?,
        request_id: row.try_get::<Option<String>, _>(5)?.unwrap_or_default(),
    };
    let identifier: String = row.try_get(2)?;
    Ok(Some(Taken {
        id: row.try_get(0)?,
        kind: row.try_get(1)?,
        email: EmailAddress::from_stored(identifier.clone()),
        lost: LostPassword {
            actor_type: row.try_get(7)?,
            provider: ProviderId::new(row.try_get::<String, _>(8)?),
            identifier,
        },
        sealed: row.try_get(6)?,
        scope: Scope { actor: Actor::Visitor, client, now: services.platform.clock.now() },
    }))
}

/// A request that is to be kept.
pub(super) struct NewRequest<'a> {
    /// Its kind.
    pub kind: &'static str,
    /// At which address, or for whom else.
    pub email: &'a str,
    /// For which kind of account and provider, where a password is lost or somebody logs in.
    pub way: Option<(&'a str, &'a str)>,
    /// What nobody may read meanwhile.
    pub sealed: Option<&'a str>,
}

pub(super) async fn insert(
    services: &Services,
    scope: &Scope,
    new: NewRequest<'_>,
    tx: &mut Tx,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO mail_requests
             (id, kind, email, ip, user_agent, request_id, created_at, sealed, actor_type, provider)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    // Answered in no order that anybody could foresee: where requests and answers take turns, the ones of an account
    // that is there would always make the same others wait.
    .bind(services.platform.entropy.uuid_v4())
    .bind(new.kind)
    .bind(new.email)
    .bind(scope.client.ip.map(|ip| ip.to_string()))
    .bind(scope.client.user_agent.as_deref())
    .bind(Some(scope.client.request_id.as_str()).filter(|id| !id.is_empty()))
    .bind(scope.now.as_micros())
    .bind(new.sealed)
    .bind(new.way.map_or("", |(actor_type, _)| actor_type))
    .bind(new.way.map_or("", |(_, provider)| provider))
    .execute(&mut **tx)
    .await
    .map(drop)
}
