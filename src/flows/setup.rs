//! Set up: the first admin, made by whoever can read the log. Open only while there is no admin; each process that
//! starts meanwhile prints a token of its own, and all of them end when one is used.

use super::{
    DirectUser, Error, LoggedIn, Services,
    create_user::{insert_direct, prepare_direct},
    login::open_session,
    services::client_subject,
};
use crate::{
    events::{Actor, Scope},
    platform::{self, Bucket, SecretToken, Tx},
    users,
};

/// What two who set up at once wait for each other on.
pub(super) const ADMINS: &str = "admins";

/// Makes a token to set up with, if there is no admin yet.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn open_setup(services: &Services) -> Result<Option<SecretToken>, Error> {
    let mut tx = services.platform.db.begin().await?;
    if users::any_admin(&mut tx).await? {
        return Ok(None);
    }
    let token = SecretToken::generate(&services.platform.entropy);
    sqlx::query("INSERT INTO setup_tokens (token_hash, created_at) VALUES ($1, $2)")
        .bind(token.hash().as_str())
        .bind(services.platform.clock.now().as_micros())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(Some(token))
}

/// Whether the first admin can still be made.
///
/// # Errors
/// [`Error::Internal`] if the database fails.
pub async fn setup_is_open(services: &Services) -> Result<bool, Error> {
    Ok(!users::has_admin(&services.platform.db).await?)
}

/// Makes the first admin and logs them in.
///
/// # Errors
/// [`Error::NotFound`] once there is an admin, [`Error::NotProved`] for a token that no log has shown, and what creating
/// a user refuses.
pub async fn set_up(services: &Services, scope: &Scope, token: &str, new: DirectUser) -> Result<LoggedIn, Error> {
    let client = client_subject(scope);
    let tries = [Bucket { name: "setup_client", subject: &client, limit: services.rules.limits.setup_per_ip }];
    services.take(scope, &tries).await?;
    let mut tx = services.platform.db.begin().await?;
    check(&mut tx, token).await?;
    tx.rollback().await?;
    // The password is hashed outside of the transaction; what was checked is checked again in it.
    let operator = Scope { actor: Actor::Operator, ..scope.clone() };
    let prepared = prepare_direct(services, &operator, &new).await?;
    let mut tx = services.platform.db.begin().await?;
    platform::lock(&mut tx, services.platform.db.dialect(), ADMINS).await?;
    check(&mut tx, token).await?;
    let (user, identity) = insert_direct(services, &operator, (new, prepared), &mut tx).await?;
    sqlx::query("DELETE FROM setup_tokens").execute(&mut *tx).await?;
    let logged_in = open_session(services, scope, (&user.id, &identity, false), &mut tx).await?;
    tx.commit().await?;
    Ok(logged_in)
}

/// Asks for the token before it asks for an admin: where another has just used it, there is one.
async fn check(tx: &mut Tx, token: &str) -> Result<(), Error> {
    let is_known = match SecretToken::parse(token) {
        Some(token) => is_setup_token(tx, &token).await?,
        None => false,
    };
    if users::any_admin(tx).await? {
        return Err(Error::NotFound);
    }
    if is_known { Ok(()) } else { Err(Error::NotProved("Invalid token".to_owned())) }
}

async fn is_setup_token(tx: &mut Tx, token: &SecretToken) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("SELECT 1 FROM setup_tokens WHERE token_hash = $1")
        .bind(token.hash().as_str())
        .fetch_optional(&mut **tx)
        .await?;
    Ok(row.is_some())
}
