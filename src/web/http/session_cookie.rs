//! The session cookie: follows the sessions that flows open and end, and holds nothing but the secret.

use tower_sessions::{Expiry, Session, cookie::time::OffsetDateTime, session::Error};

use http::HeaderValue;

use crate::{
    sessions::{self, Opened},
    web::state::Site,
};

/// Gives the browser the cookie of a session. One that is remembered stays until the session ends at the latest; the
/// other goes when the browser is closed.
///
/// # Errors
/// What the store says.
pub async fn set(cookie: &Session, opened: &Opened) -> Result<(), Error> {
    sessions::adopt(cookie, opened).await?;
    let until = OffsetDateTime::from_unix_timestamp(opened.expires_at.as_micros() / 1_000_000).ok();
    let expiry = until.filter(|_| opened.is_remembered).map_or(Expiry::OnSessionEnd, Expiry::AtDateTime);
    cookie.set_expiry(Some(expiry));
    Ok(())
}

/// Takes the cookie away.
///
/// # Errors
/// What the store says.
pub async fn clear(cookie: &Session) -> Result<(), Error> {
    cookie.flush().await
}

/// The `Set-Cookie` that takes the cookie away, whether its session was known or not. A browser that has it under
/// `__Host-` only obeys where the attributes are those with which it was set.
pub fn removal(site: &Site) -> Option<HeaderValue> {
    let secure = if site.is_https { "; Secure" } else { "" };
    let domain = site.cookie_domain.as_ref().map(|domain| format!("; Domain={domain}")).unwrap_or_default();
    let cookie = format!("{}=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0{secure}{domain}", site.session_cookie);
    HeaderValue::try_from(cookie).ok()
}
