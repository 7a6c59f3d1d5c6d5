//! `/link/{token}`: where every mailed link lands. Opening it says what it will do, for which account, with one button;
//! only the button does anything, because mail scanners open every link. `/link` is for who waits for a mail, and for
//! who types the code from one.

mod view;

use axum::{
    extract::{Path, Request, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use leptos::prelude::*;

use super::{
    http::{
        error::PageError,
        flash::Done,
        form::{self, Call, Origin, current_call},
        next::{OwnPath, home_of, query_value},
        page::page,
        pending::{Awaited, MaybePending, Pending},
        scope::Asked,
    },
    newcomer::read_email,
    state::WebState,
    words,
};
use crate::{
    flows::{
        self, Followed, MailRequest, Outcome, Renewed,
        link::{INVITE, LOG_IN, LOG_INS},
    },
    platform::{CodeFor, OneTime, OneTimeCode},
    shared::{EmailAddress, Field, FormError, Problem},
};

use view::{Opened, OpenedLink, Waiting};

/// The button of a link.
const LINK_FORM: &str = "use-link";
/// The form that takes a code.
const CODE_FORM: &str = "use-code";
/// How soon another mail may be asked for, in seconds.
const COOLDOWN_SECS: u64 = 60;

/// `GET /link`: waits for a mail, or takes a code.
///
/// # Errors
/// None.
pub async fn wait(
    State(state): State<WebState>,
    asked: Asked,
    MaybePending(pending): MaybePending,
) -> Result<Response, PageError> {
    let waiting = Waiting::new(pending, &asked, state.services.platform.outbox.is_sent());
    Ok(page(&state, &asked, move || view! { <view::WaitingPage waiting=waiting /> }))
}

/// `GET /link/{token}`.
///
/// # Errors
/// [`PageError::Internal`] if the database fails.
pub async fn show(
    State(state): State<WebState>,
    asked: Asked,
    Path(token): Path<String>,
) -> Result<Response, PageError> {
    let found = flows::open_link(&state.services, &asked.scope, &token).await?;
    if found.as_ref().is_some_and(|found| found.is_for(INVITE)) {
        return Ok(Redirect::to(&format!("/invite/{}", query_value(&token))).into_response());
    }
    let Some(found) = found else {
        let unknown = page(&state, &asked, || view! { <view::UnknownLink /> });
        return Ok((StatusCode::NOT_FOUND, unknown).into_response());
    };
    let opened = Opened {
        is_for_another: flows::is_for_another(&asked.scope, &found),
        viewer: asked.resumed.as_ref().map(|resumed| resumed.user.email.clone()),
        is_renewable: flows::is_renewable(&state.services, &found),
        refusal: asked.flash.error_of(LINK_FORM).and_then(words::of_refusal),
        address: token,
        token: found,
        now: asked.scope.now,
    };
    Ok(page(&state, &asked, move || view! { <OpenedLink opened=opened /> }))
}

/// `POST /link/{token}`: the button; the same as [`use_link`].
///
/// # Errors
/// [`PageError`] where the layers around it are missing.
pub async fn follow(
    state: State<WebState>,
    asked: Asked,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, PageError> {
    form::serve_as(state, asked, ("/api/use-link", "token", &token), request).await
}

/// Does what a mailed link is for.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the link's page, which says what has become of it.
#[server(endpoint = "use-link")]
pub async fn use_link(
    /// The secret of the link.
    #[server(default)]
    token: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let origin = Origin::new(LINK_FORM, format!("/link/{}", query_value(&token)));
    match flows::open_link(call.services(), call.scope(), &token).await {
        Ok(Some(found)) => act(&call, origin, &found, Some(&token)).await,
        Ok(None) => call.refuse(origin, FormError::NotFound),
        Err(error) => call.refuse_for(origin, error),
    }
}

/// Does what the link in a mail is for, by the code in that mail.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/link`.
#[server(endpoint = "use-code")]
pub async fn use_code(
    /// The address that the mail went to.
    #[server(default)]
    email: String,
    /// The code.
    #[server(default)]
    code: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let origin = || Origin::new(CODE_FORM, "/link").keep("email", &email);
    let wrong = FormError::Invalid { field: Field::Code, problem: Problem::WrongCode };
    let address = match read_email(&email) {
        Ok(address) => address,
        Err(error) => return call.refuse(origin(), error),
    };
    let Some(code) = OneTimeCode::parse(&code) else { return call.refuse(origin(), wrong) };
    // Who is talked into telling the code of a log-in has not asked for it in the browser of who asks.
    let waits = call.pending().is_some_and(|pending| pending.is_to_log_in(&address));
    let wanted = if waits { CodeFor::This(LOG_IN) } else { CodeFor::AllBut(&LOG_INS) };
    match flows::find_by_code(call.services(), call.scope(), (&address, &code), wanted).await {
        Ok(found) => act(&call, origin(), &found, None).await,
        Err(flows::Error::NotProved(_)) => call.refuse(origin(), wrong),
        Err(error) => call.refuse_for(origin(), error),
    }
}

/// What both have in common: follows, and sends the browser on.
async fn act(call: &Call, origin: Origin, found: &OneTime, secret: Option<&str>) -> Result<(), FormError> {
    let registered = call.pending().and_then(Pending::registered).cloned();
    let followed = match flows::follow_link(call.services(), call.scope(), (found, registered.as_ref())).await {
        Ok(followed) => followed,
        // Who has the mail may know it.
        Err(flows::Error::Taken(_)) => return call.refuse(origin, FormError::HasAccount),
        Err(error) => return call.refuse_for(origin, error),
    };
    let is_logged_in = call.resumed().is_ok();
    match followed {
        Followed::EmailConfirmed(logged_in) => {
            call.end_pending();
            if let Some(logged_in) = &logged_in {
                call.log_in(&logged_in.session).await?;
            }
            let to = if logged_in.is_some() || is_logged_in { "/account" } else { "/login" };
            call.go_on(&OwnPath::known(to), Some(Done::EmailConfirmed))
        }
        Followed::EmailConfirmedElsewhere(link) => {
            call.set_pending(&Pending::Password { link });
            call.go_on(&OwnPath::known("/reset-password"), Some(Done::EmailConfirmedElsewhere))
        }
        Followed::MaySetPassword(link) => {
            call.set_pending(&Pending::Password { link });
            call.go_on(&OwnPath::known("/reset-password"), None)
        }
        Followed::EmailChangeUndone(link) => {
            call.set_pending(&Pending::Password { link });
            call.go_on(&OwnPath::known("/reset-password"), Some(Done::EmailTakenBack))
        }
        Followed::PasswordDisowned => {
            call.log_out().await?;
            call.go_on(&OwnPath::known("/login"), Some(Done::PasswordDisowned))
        }
        Followed::EmailChanged => {
            call.end_pending();
            let to = if is_logged_in { "/account" } else { "/login" };
            call.go_on(&OwnPath::known(to), Some(Done::EmailChanged))
        }
        Followed::LoggedIn(logged_in, mailed) => {
            call.end_pending();
            call.log_in(&logged_in.session).await?;
            call.remember_way(&mailed.provider);
            let next = mailed.next.as_deref().and_then(OwnPath::parse);
            call.go_on(&next.unwrap_or_else(|| home_of(&logged_in.user)), None)
        }
        Followed::Invite => {
            // Its page is reached by a secret; the code has proved as much, and gets one of its own.
            let secret = match secret {
                Some(secret) => secret.to_owned(),
                None => match flows::link_again(call.services(), call.scope(), found).await {
                    Ok(token) => token.expose().to_owned(),
                    Err(error) => return call.refuse_for(origin, error),
                },
            };
            let page = OwnPath::parse(&format!("/invite/{}", query_value(&secret)));
            call.go_on(&page.unwrap_or_else(|| OwnPath::known("/link")), None)
        }
    }
}

/// Makes a link useless that its receiver has not asked for.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes on to the log-in.
#[server(endpoint = "void-link")]
pub async fn void_link(
    /// The secret of the link.
    #[server(default)]
    token: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let origin = Origin::new("void-link", format!("/link/{}", query_value(&token)));
    let found = match flows::open_link(call.services(), call.scope(), &token).await {
        Ok(Some(found)) => found,
        Ok(None) => return call.refuse(origin, FormError::NotFound),
        Err(error) => return call.refuse_for(origin, error),
    };
    match flows::void_link(call.services(), call.scope(), &found).await {
        Ok(()) => call.go_on(&OwnPath::known("/login"), Some(Done::LinkVoided)),
        Err(error) => call.refuse_for(origin, error),
    }
}

/// Mails another link in the place of one that has expired.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes on to wait for the mail.
#[server(endpoint = "renew-link")]
pub async fn renew_link(
    /// The secret of the link.
    #[server(default)]
    token: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let origin = Origin::new("renew-link", format!("/link/{}", query_value(&token)));
    let found = match flows::open_link(call.services(), call.scope(), &token).await {
        Ok(Some(found)) => found,
        Ok(None) => return call.refuse(origin, FormError::NotFound),
        Err(error) => return call.refuse_for(origin, error),
    };
    let now = call.scope().now;
    let pending = match flows::renew_link(call.services(), call.scope(), &found).await {
        Ok(Renewed::LogIn(wanted, mail)) => Pending::log_in(&wanted, &mail, now),
        Ok(Renewed::Mail(MailRequest::ResetPassword)) => Pending::mail(Awaited::NewPassword, found.email, now),
        // Who has an old link has not thereby proved the password: confirming will not log them in.
        Ok(Renewed::Mail(MailRequest::ConfirmEmail)) => {
            let awaited = Awaited::Confirmation { user: crate::shared::UserId::new(found.id.as_str()) };
            Pending::mail(awaited, found.email, now)
        }
        Err(error) => return call.refuse_for(origin, error),
    };
    call.set_pending(&pending);
    call.go_on(&OwnPath::known("/link"), Some(Done::MailAskedAgain))
}

/// Asks for the awaited mail once more.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/link`.
#[server(endpoint = "send-again")]
pub async fn send_again() -> Result<(), FormError> {
    let call = current_call()?;
    let origin = Origin::new("send-again", "/link");
    let Some(Pending::Mail { awaited, email, asked_at }) = call.pending().cloned() else {
        return call.refuse(origin, FormError::NotFound);
    };
    let waited = call.scope().now.since(crate::platform::Timestamp::from_micros(asked_at)).as_secs();
    if waited < COOLDOWN_SECS {
        let retry_after_secs = u32::try_from(COOLDOWN_SECS - waited).unwrap_or(1);
        return call.refuse(origin, FormError::RateLimited { retry_after_secs });
    }
    let asked = match &awaited {
        Awaited::Confirmation { .. } => ask_again(&call, MailRequest::ConfirmEmail, &email).await,
        Awaited::NewPassword => ask_again(&call, MailRequest::ResetPassword, &email).await,
        Awaited::LogIn(log_in) => match flows::log_in(call.services(), call.scope(), &log_in.at(&email)).await {
            Ok(Outcome::ByMail(_)) => Ok(()),
            Ok(_) => Err(flows::Error::NotFound),
            Err(error) => Err(error),
        },
        // Asked for by who is logged in, with the password.
        Awaited::NewEmail => return call.go_on(&OwnPath::known("/account"), None),
    };
    if let Err(error) = asked {
        return call.refuse_for(origin, error);
    }
    call.set_pending(&Pending::mail(awaited, email, call.scope().now));
    call.go_on(&OwnPath::known("/link"), Some(Done::MailAskedAgain))
}

async fn ask_again(call: &Call, request: MailRequest, email: &EmailAddress) -> Result<(), flows::Error> {
    flows::request_mail(call.services(), call.scope(), (request, email)).await
}
