//! The second half of a log-in by mail for programs: the secret of the mailed link, or address and code. An identity that
//! has no account gets a token too, where identities are made at all.

use super::{MailedLogIn, account_of, prove, purpose_of, use_up};
use crate::{
    auth::{AuthIdentity, AuthInput, Configured},
    events::Scope,
    flows::{
        Access, Ask, Error, RegistrationMode, Services, USER, authenticate::open_for_program, find_by_code,
        login::note_failure, open_link, services::client_subject,
    },
    platform::{Bucket, CodeFor, OneTime, OneTimeCode, OneTimeState, Tx},
    shared::EmailAddress,
    users,
};

/// Lets a program in that proves by a mail who somebody is.
///
/// # Errors
/// [`Error::NotProved`] for what is no link or code that can be used for this, [`Error::Disabled`],
/// [`Error::RegistrationClosed`], [`Error::DomainNotAllowed`], [`Error::TooManyTries`], [`Error::Busy`].
pub(in crate::flows) async fn call_back(
    services: &Services,
    scope: &Scope,
    (ask, configured): (&Ask, &Configured),
) -> Result<Access, Error> {
    let answer = match token_in(services, scope, ask).await {
        Ok(token) => let_in(services, scope, (ask, configured), &token).await,
        Err(error) => Err(error),
    };
    if let Err(Error::NotProved(_)) = &answer {
        let identities = services.identities(configured, scope);
        note_failure(services, scope, (&ask.provider, &identities, &ask.input)).await?;
    }
    answer
}

fn is_invalid() -> Error {
    Error::NotProved("Invalid token".to_owned())
}

/// The token that was sent, or whose code was.
async fn token_in(
    services: &Services,
    scope: &Scope,
    Ask { actor_type, provider, input }: &Ask,
) -> Result<OneTime, Error> {
    let AuthInput { query, body, .. } = input;
    let token = match (body.get("token").or_else(|| query.get("token")), body.get("code")) {
        (Some(secret), _) => by_secret(services, scope, secret).await?,
        (None, Some(typed)) => {
            let email = body.get("email").and_then(|email| EmailAddress::parse(email).ok());
            let (Some(email), Some(code)) = (email, OneTimeCode::parse(typed)) else {
                return Err(Error::NotProved("Invalid code".to_owned()));
            };
            find_by_code(services, scope, (&email, &code), CodeFor::This(purpose_of(actor_type))).await?
        }
        (None, None) => return Err(Error::NotProved("No code provided".to_owned())),
    };
    let is_for = |wanted: MailedLogIn| wanted.actor_type == *actor_type && wanted.provider == *provider;
    let is_good = token.state == OneTimeState::Ready && MailedLogIn::of(services, &token).is_some_and(is_for);
    if is_good { Ok(token) } else { Err(is_invalid()) }
}

async fn by_secret(services: &Services, scope: &Scope, secret: &str) -> Result<OneTime, Error> {
    let (client, limit) = (client_subject(scope), services.rules.limits.code_per_ip);
    services.take(scope, &[Bucket { name: "code_client", subject: &client, limit }]).await?;
    open_link(services, scope, secret).await?.ok_or_else(is_invalid)
}

async fn let_in(
    services: &Services,
    scope: &Scope,
    (ask, configured): (&Ask, &Configured),
    token: &OneTime,
) -> Result<Access, Error> {
    let answer = match try_to_let_in(services, scope, (ask, configured), token).await {
        // Another mail to the same person was first: theirs is what is stored now.
        Err(Error::Conflict | Error::Taken(_)) => try_to_let_in(services, scope, (ask, configured), token).await,
        answer => answer,
    };
    answer.map_err(|error| if matches!(error, Error::Conflict) { is_invalid() } else { error })
}

async fn try_to_let_in(
    services: &Services,
    scope: &Scope,
    (ask, configured): (&Ask, &Configured),
    token: &OneTime,
) -> Result<Access, Error> {
    let signer = services.platform.signing_keys.signer(scope.now).await?;
    let mut identities = services.identities(configured, scope).proved_by_mail(token.email.clone());
    let has_user = users::find_by_email(&services.platform.db, &token.email).await?.is_some();
    if services.rules.registration.mode == RegistrationMode::Closed && !(has_user && ask.actor_type == USER) {
        identities = identities.closed();
    }
    let mut identity = prove(configured, &identities, &ask.input).await?;
    let mut tx = services.platform.db.begin().await?;
    use_up(scope, (token, &identities), &mut tx).await?;
    if ask.actor_type == USER && gets_account(services, (&identity, token), &mut tx).await? {
        let user = account_of(services, scope, (&identity, &token.email), &mut tx).await?;
        identity.app_metadata.insert(format!("{USER}_id"), user.to_string());
    }
    let opened = (ask.actor_type.as_str(), &identity, None);
    let token = open_for_program(services, scope, opened, (&signer, &mut tx)).await?;
    tx.commit().await?;
    Ok(Access::Token(token))
}

/// Whether there is an account to come in to, or one is made.
async fn gets_account(
    services: &Services,
    (identity, token): (&AuthIdentity, &OneTime),
    tx: &mut Tx,
) -> Result<bool, Error> {
    let is_open = services.rules.registration.mode == RegistrationMode::Open;
    let has_account = is_open || identity.actor_id(USER).is_some();
    Ok(has_account || users::find_by_email_in(tx, &token.email).await?.is_some())
}
