//! Mails as admins look after them: see what was sent, what waits and what failed; try again, hand a link on, and send
//! oneself a test. The link of a mail is shown to whoever may manage users, because without a mail server there is no
//! other way to its person; once a mail was sent, nobody sees its link any more.

use super::{Error, Letter, MailedLink, Services, Written, authority, letter};
use crate::{
    events::Scope,
    platform::{
        Bucket,
        outbox::{self, List, Mail, MailState, Page},
    },
    shared::{EmailAddress, MailId},
    users,
};

/// A page of mails, and how many need a look.
pub struct Mails {
    /// The page.
    pub list: List,
    /// How many wait; `None` if they are too many to be counted.
    pub waiting: Option<i64>,
    /// How many have failed; `None` if they are too many to be counted.
    pub failed: Option<i64>,
}

/// A link that is still in the outbox.
#[derive(Clone, Debug)]
pub struct KeptLink {
    /// The mail that holds it.
    pub mail: Mail,
    /// The link itself.
    pub link: MailedLink,
}

/// The mails in a state whose recipient holds a text, the newest first.
///
/// # Errors
/// [`Error::Forbidden`] for who may not manage users.
pub async fn list_mails(
    services: &Services,
    scope: &Scope,
    (state, recipient): (Option<MailState>, Option<&str>),
    (page, limit): (&Page, u32),
) -> Result<Mails, Error> {
    authority::asks_as_manager(scope)?;
    let db = &services.platform.db;
    Ok(Mails {
        list: outbox::list(db, (state, recipient), page, limit).await?,
        waiting: outbox::count(db, MailState::Waiting).await?,
        failed: outbox::count(db, MailState::Failed).await?,
    })
}

/// Lets a mail be sent again at once that failed or was put off.
///
/// # Errors
/// [`Error::NotFound`] if there is none that can still be sent, [`Error::Forbidden`].
pub async fn retry_mail(services: &Services, scope: &Scope, id: &MailId) -> Result<(), Error> {
    let platform = &services.platform;
    let mut tx = platform.db.begin().await?;
    authority::hold_as_manager(&mut tx, scope).await?;
    if !platform.outbox.retry(&mut tx, id, scope.now).await? {
        return Err(Error::NotFound);
    }
    Ok(tx.commit().await?)
}

/// The link of a mail that was not sent, for an admin to hand on.
///
/// # Errors
/// [`Error::NotFound`] if the mail was sent, has no link, or its link has ended; [`Error::Forbidden`].
pub async fn kept_link(services: &Services, scope: &Scope, id: &MailId) -> Result<KeptLink, Error> {
    let platform = &services.platform;
    let mut tx = platform.db.begin().await?;
    authority::hold_as_manager(&mut tx, scope).await?;
    tx.commit().await?;
    let mail = outbox::find(&platform.db, id).await?.ok_or(Error::NotFound)?;
    let content = mail.sealed().and_then(|sealed| platform.outbox.open(sealed)).ok_or(Error::NotFound)?;
    let written: Written = serde_json::from_slice(&content).map_err(Error::internal)?;
    let link = written.link.filter(|link| link.expires_at() > scope.now).ok_or(Error::NotFound)?;
    tracing::info!(mail = %mail.id, by = ?scope.user_id(), "the link of a mail was shown to an admin");
    Ok(KeptLink { mail, link })
}

/// Writes a test mail to the admin who asks; answers where it goes.
///
/// # Errors
/// [`Error::TooManyTries`], [`Error::Forbidden`].
pub async fn send_test_mail(services: &Services, scope: &Scope) -> Result<EmailAddress, Error> {
    let id = scope.user_id().ok_or(Error::Unauthorized)?;
    authority::asks_as_manager(scope)?;
    let user = users::find(&services.platform.db, id).await?.ok_or(Error::Unauthorized)?;
    let limit = services.rules.limits.mail_per_account;
    services.take(scope, &[Bucket { name: "test_mail", subject: id.as_str(), limit }]).await?;
    let mut tx = services.platform.db.begin().await?;
    authority::hold_as_manager(&mut tx, scope).await?;
    letter::write(services, scope, (&user.email, Letter::Test, None), &mut tx).await?;
    tx.commit().await?;
    Ok(user.email)
}
