//! What visitors ask to be mailed at an address: a link to set a password anew, another link to confirm the address.
//! Asking writes the same row for every address and looks nothing up, so that neither the answer nor its time tells who
//! has an account; a job answers soon after. Nobody is told that too many were asked for: the links before still work.

use sqlx::Row;

use super::{Error, Services, confirm_email, recover, services::client_subject};
use crate::{
    events::{Actor, Client, Scope},
    platform::{Bucket, Refused, Tx},
    shared::EmailAddress,
};

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
    insert(services, scope, (request, email), &mut tx).await?;
    tx.commit().await?;
    services.mail_requested.notify_one();
    Ok(())
}

/// Answers one of the requests, by chance; whether there was one. Of many who answer at once, one answers each.
///
/// # Errors
/// [`Error::Internal`] if the database fails; the request is still there then.
pub async fn answer_mail_request(services: &Services) -> Result<bool, Error> {
    let mut tx = services.platform.db.begin().await?;
    let row = sqlx::query(
        "DELETE FROM mail_requests WHERE id = (SELECT id FROM mail_requests ORDER BY id LIMIT 1)
         RETURNING kind, email, ip, user_agent, request_id",
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(false) };
    let client = Client {
        ip: row.try_get::<Option<String>, _>(2)?.and_then(|ip| ip.parse().ok()),
        user_agent: row.try_get(3)?,
        request_id: row.try_get::<Option<String>, _>(4)?.unwrap_or_default(),
    };
    let scope = Scope { actor: Actor::Visitor, client, now: services.platform.clock.now() };
    let email = EmailAddress::from_stored(row.try_get(1)?);
    match MailRequest::parse(&row.try_get::<String, _>(0)?) {
        Some(MailRequest::ResetPassword) => recover::send_link(services, &scope, &email, &mut tx).await?,
        Some(MailRequest::ConfirmEmail) => confirm_email::send_link_again(services, &scope, &email, &mut tx).await?,
        None => tracing::error!("a mail was asked for that this version does not know"),
    }
    tx.commit().await?;
    Ok(true)
}

async fn insert(
    services: &Services,
    scope: &Scope,
    (request, email): (MailRequest, &EmailAddress),
    tx: &mut Tx,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO mail_requests (id, kind, email, ip, user_agent, request_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    // Answered in no order that anybody could foresee: where requests and answers take turns, the ones of an account
    // that is there would always make the same others wait.
    .bind(services.platform.entropy.uuid_v4())
    .bind(request.as_str())
    .bind(email.as_str())
    .bind(scope.client.ip.map(|ip| ip.to_string()))
    .bind(scope.client.user_agent.as_deref())
    .bind(Some(scope.client.request_id.as_str()).filter(|id| !id.is_empty()))
    .bind(scope.now.as_micros())
    .execute(&mut **tx)
    .await
    .map(drop)
}
