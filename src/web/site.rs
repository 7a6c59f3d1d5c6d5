//! The one tree of routes for people, and the layers around it. A page that is not listed here does not exist; whatever
//! is asked for besides gets the 404 page.

use axum::{
    Router,
    extract::Request,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::{Method, StatusCode};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    csrf::ConfigError,
    limit::RequestBodyLimitLayer,
    timeout::{RequestBodyDeadlineLayer, TimeoutLayer},
};
use tower_sessions::{SessionManagerLayer, cookie::SameSite};

use super::{
    account, dashboard, docs, forgot_password,
    http::{assets, away, error::PageError, form, layers, next::OwnPath, scope},
    invite, link, login, register, reset_password, setup,
    state::WebState,
};
use crate::sessions::CookieStore;

/// The addresses for programs, and how a program is refused by what lies around them.
pub struct Programs {
    /// The addresses.
    pub routes: Router<WebState>,
    /// Whether a path is theirs, whether there is anything at it or not.
    pub own: layers::IsTheirs,
    /// The refusal of a status.
    pub refusal: layers::Refusal,
}

/// Every page and every server function, and the addresses for `programs`, with the layers that all of them share.
///
/// # Errors
/// If the public URL or an allowed origin is no origin.
pub fn routes(state: &WebState, programs: Programs) -> Result<Router, ConfigError> {
    let Programs { routes: programs, own, refusal } = programs;
    let (public_url, origins) = (&state.site.public_url, &state.site.allowed_origins);
    // Scripts of the allowed origins may change what is for programs, and nothing else.
    let programs = programs.layer((layers::other_origins(origins), layers::known_sites_only(public_url, origins)?));
    let pages = pages().merge(programs).fallback(missing);
    let platform = &state.services.platform;
    let store = CookieStore::new(platform.db.clone(), platform.clock.clone());
    let mut sessions = SessionManagerLayer::new(store)
        .with_name(state.site.session_cookie.clone())
        .with_same_site(SameSite::Lax)
        .with_secure(state.site.is_https);
    if let Some(domain) = &state.site.cookie_domain {
        sessions = sessions.with_domain(domain.clone());
    }
    // The first is the outermost. All in one call: a route clones what is within at every call of `layer`, and each of
    // those clones all that is within it.
    let around = (
        from_fn_with_state(platform.entropy.clone(), layers::trace),
        from_fn(move |request, next| layers::speak_to_programs((own, refusal), request, next)),
        CatchPanicLayer::custom(layers::after_panic),
        CompressionLayer::new(),
        from_fn(layers::bare_statuses),
        TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, state.site.request_timeout),
        layers::own_site_only(public_url, own)?,
        sessions,
        from_fn_with_state(state.clone(), scope::identify),
        from_fn(layers::hear_out),
        RequestBodyLimitLayer::new(layers::MAX_BODY_BYTES),
        RequestBodyDeadlineLayer::new(state.site.request_timeout / 2),
    );
    let mut site = pages.layer(around).with_state(state.clone());
    if state.site.is_https {
        site = site.layer(from_fn(layers::strict_transport));
    }
    Ok(site.merge(assets::routes()))
}

/// Every page and every server function.
fn pages() -> Router<WebState> {
    Router::new()
        .route("/", get(home))
        .route("/login", get(login::show))
        .route(away::PAGE, get(login::away::show))
        .route("/register", get(register::show))
        .route("/setup", get(setup::show))
        .route("/forgot-password", get(forgot_password::show))
        .route("/reset-password", get(reset_password::show))
        .route("/link", get(link::wait))
        .route("/link/{token}", get(link::show).post(link::follow))
        .route("/invite/{token}", get(invite::show))
        .route("/account", get(account::profile::show))
        .route("/account/security", get(account::security::show))
        .route("/account/sessions", get(account::sessions::show))
        .route("/account/connections", get(account::connections::show))
        .route("/dashboard", get(dashboard_home))
        .route("/dashboard/audit", get(dashboard::audit::show))
        .route("/dashboard/audit/export", get(dashboard::audit::export))
        .route("/dashboard/mail", get(dashboard::mail::show))
        .route("/dashboard/webhooks", get(dashboard::webhooks::show))
        .route("/dashboard/system", get(dashboard::system::show))
        .route("/dashboard/users", get(dashboard::users::show))
        .route("/dashboard/users/{id}", get(dashboard::user::show))
        .route("/dashboard/invites", get(dashboard::invites::show))
        .route("/dashboard/invites/new", get(dashboard::new_invites::show).post(dashboard::new_invites::answer))
        .route("/dashboard/invites/{id}", get(dashboard::invite::show))
        .route("/docs/api", get(docs::api::show))
        .route("/api/{*function}", post(form::serve))
}

/// `/` is where people start: the dashboard for who manages users, the account for others, else the log-in.
async fn home(asked: scope::Asked) -> Redirect {
    Redirect::to(match asked.resumed {
        Some(resumed) if resumed.user.role.may_manage_users() => "/dashboard/users",
        Some(_) => "/account",
        None => "/login",
    })
}

async fn dashboard_home() -> Redirect {
    Redirect::to("/dashboard/users")
}

/// The 404 page; an address with a slash too many leads to the one without.
async fn missing(request: Request) -> Response {
    let trimmed = request.uri().path().trim_end_matches('/');
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    match OwnPath::parse(trimmed) {
        Some(path) if is_read && trimmed.len() < request.uri().path().len() => {
            let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
            Redirect::permanent(&format!("{}{query}", path.as_str())).into_response()
        }
        _ => PageError::NotFound.into_response(),
    }
}
