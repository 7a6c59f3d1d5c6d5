//! What visitors ask to be mailed at an address: a link to set a password anew, another link to confirm the address, the
//! first one of all by registering with it.
//! Asking writes the same row for every address and looks nothing up, so that neither the answer nor its time tells who
//! has an account; a job answers soon after. Nobody is told that too many were asked for: the links before still work.

use sqlx::Row;

use super::{Error, Services, confirm_email, recover, register_by_mail, services::client_subject};
use crate::{
    events::{Actor, Client, Scope},
    platform::{Bucket, Refused, Tx},
    shared::EmailAddress,
};

/// The kind of the rows that registrations are kept in.
pub(super) const REGISTER: &str = "register";

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
    let client = client_subject(scope);
    let limits = &services.rules.limits;
    let per_client = [Bucket { name: "recover_client", subject: &client, limit: limits.recover_per_ip }];
    services.take(scope, &per_client).await?;
    let per_account = [Bucket { name: "recover_account", subject: email.as_str(), limit: limits.recover_per_account }];
    match services.platform.limits.take(scope.now, &per_account).await {
        Ok(()) => {}
        Err(Refused::TooMany { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let mut tx = services.platform.db.begin().await?;
    let new = NewRequest { kind: request.as_str(), email, sealed: None };
    insert(services, scope, new, &mut tx).await?;
    tx.commit().await?;
    services.mail_requested.notify_one();
    Ok(())
}

/// A request that was taken away to be answered.
struct Taken {
    id: String,
    kind: String,
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
        Err(error @ (Error::Internal(_) | Error::Busy { .. })) => return Err(error),
        Err(refusal) => {
            // What was begun for a user who can't be made is undone first.
            tx.rollback().await?;
            give_up(services, &taken, &refusal).await?;
        }
    }
    Ok(true)
}

async fn answer(services: &Services, taken: &Taken, tx: &mut Tx) -> Result<(), Error> {
    let Taken { kind, email, sealed, scope, .. } = taken;
    if kind == REGISTER {
        return register_by_mail::answer(services, scope, (email, sealed.as_deref()), tx).await;
    }
    match MailRequest::parse(kind) {
        Some(MailRequest::ResetPassword) => recover::send_link(services, scope, email, tx).await,
        Some(MailRequest::ConfirmEmail) => confirm_email::send_link_again(services, scope, email, tx).await,
        None => {
            tracing::error!("a mail was asked for that this version does not know");
            Ok(())
        }
    }
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
         RETURNING id, kind, email, ip, user_agent, request_id, sealed",
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let client = Client {
        ip: row.try_get::<Option<String>, _>(3)?.and_then(|ip| ip.parse().ok()),
        user_agent: row.try_get(4)?,
        request_id: row.try_get::<Option<String>, _>(5)?.unwrap_or_default(),
    };
    Ok(Some(Taken {
        id: row.try_get(0)?,
        kind: row.try_get(1)?,
        email: EmailAddress::from_stored(row.try_get(2)?),
        sealed: row.try_get(6)?,
        scope: Scope { actor: Actor::Visitor, client, now: services.platform.clock.now() },
    }))
}

/// A request that is to be kept.
pub(super) struct NewRequest<'a> {
    /// Its kind.
    pub kind: &'static str,
    /// At which address.
    pub email: &'a EmailAddress,
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
        "INSERT INTO mail_requests (id, kind, email, ip, user_agent, request_id, created_at, sealed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    // Answered in no order that anybody could foresee: where requests and answers take turns, the ones of an account
    // that is there would always make the same others wait.
    .bind(services.platform.entropy.uuid_v4())
    .bind(new.kind)
    .bind(new.email.as_str())
    .bind(scope.client.ip.map(|ip| ip.to_string()))
    .bind(scope.client.user_agent.as_deref())
    .bind(Some(scope.client.request_id.as_str()).filter(|id| !id.is_empty()))
    .bind(scope.now.as_micros())
    .bind(new.sealed)
    .execute(&mut **tx)
    .await
    .map(drop)
}
