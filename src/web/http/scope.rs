//! Who asks: the layer that finds it out once a request, and the extractors by which a page says whom it is for.
//! A page for people who are logged in sends others to `/login`; one for admins answers 403 to others. The functions
//! below ask for the right again: no page is trusted to have done so.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    middleware::Next,
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::request::Parts;

use super::{
    client::{client_ip, user_agent},
    error::PageError,
    flash::Flash,
    next::OwnPath,
    render::Nonce,
};
use crate::{
    events::{Actor, Client, Scope},
    flows::{self, Guest, Holder, Resumed, Visit},
    sessions::SessionKey,
    web::{state::WebState, ui::Viewer},
};

/// The id of a request in the log and in the answer.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Who asks, with what a page needs to answer.
#[derive(Clone)]
pub struct Asked {
    /// Who, from where, when.
    pub scope: Scope,
    /// The session and its user, for who is logged in.
    pub resumed: Option<Arc<Resumed>>,
    /// The session of who is logged in and has no account here.
    pub guest: Option<Arc<Guest>>,
    /// What the answer before has left.
    pub flash: Flash,
    /// Whether there is a flash to take away.
    pub has_flash: bool,
    /// The word that marks this answer's scripts.
    pub nonce: Nonce,
}

impl Asked {
    /// Who is behind the session that asks, with an account here or without.
    pub fn holder(&self) -> Option<Holder> {
        let of_user = self.resumed.as_deref().map(Holder::from);
        of_user.or_else(|| self.guest.as_deref().map(Holder::from))
    }
}

/// Finds out who asks and hands it on; a session that has ended is none.
///
/// # Errors
/// [`PageError`] if the database can't be asked.
pub async fn identify(State(state): State<WebState>, mut request: Request, next: Next) -> Result<Response, PageError> {
    let now = state.services.platform.clock.now();
    let visit = match request.extensions().get::<tower_sessions::Session>().and_then(tower_sessions::Session::id) {
        Some(id) => flows::resume(&state.services, SessionKey::from_cookie(id), now).await?,
        None => None,
    };
    let (resumed, guest) = match visit {
        Some(Visit::User(resumed)) => (Some(Arc::from(resumed)), None),
        Some(Visit::Guest(guest)) => (None, Some(Arc::from(guest))),
        None => (None, None),
    };
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    let headers = request.headers();
    let client = Client {
        ip: peer.map(|peer| client_ip(peer, headers, &state.site.trusted_proxies)),
        user_agent: user_agent(headers),
        request_id: request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
    };
    let actor = resumed.as_ref().map_or(Actor::Visitor, |resumed: &Arc<Resumed>| Actor::User {
        id: resumed.user.id.clone(),
        role: resumed.user.role,
        session: resumed.session.id.clone(),
    });
    let (flash, has_flash) = state.flash.read(headers, now);
    let nonce = Nonce::new(URL_SAFE_NO_PAD.encode(state.services.platform.entropy.bytes::<16>()));
    let asked = Asked { scope: Scope { actor, client, now }, resumed, guest, flash, has_flash, nonce };
    request.extensions_mut().insert(asked);
    Ok(next.run(request).await)
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, PageError> {
        parts.extensions.get::<Self>().cloned().ok_or(PageError::Internal)
    }
}

/// Somebody who is logged in.
pub struct LoggedIn {
    /// Who asks.
    pub asked: Asked,
    /// Their session and who they are.
    pub resumed: Arc<Resumed>,
}

impl LoggedIn {
    /// How the frame of a page shows them.
    pub fn viewer(&self) -> Viewer {
        let user = &self.resumed.user;
        Viewer {
            name: user.full_name().unwrap_or_default(),
            email: user.email.to_string(),
            may_manage_users: user.role.may_manage_users(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LoggedIn {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageError> {
        let asked = Asked::from_request_parts(parts, state).await?;
        if asked.guest.is_some() {
            return Err(PageError::Forbidden);
        }
        let Some(resumed) = asked.resumed.clone() else {
            let here = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            return Err(PageError::NotLoggedIn { next: OwnPath::parse(here) });
        };
        Ok(Self { asked, resumed })
    }
}

/// Somebody who may manage users.
pub struct Manager(pub LoggedIn);

impl<S: Send + Sync> FromRequestParts<S> for Manager {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageError> {
        let logged_in = LoggedIn::from_request_parts(parts, state).await?;
        if logged_in.asked.scope.may_manage_users() { Ok(Self(logged_in)) } else { Err(PageError::Forbidden) }
    }
}
