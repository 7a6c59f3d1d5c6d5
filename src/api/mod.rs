//! Addresses for programs: JSON over HTTP. They ask the same flows as the pages and pass the same layers, health excepted.

pub mod auth;
pub mod body;
pub mod browser;
pub mod caller;
pub mod error;
pub mod fields;
pub mod forward;
pub mod health;
pub mod invites;
pub mod openapi;
pub mod params;
pub mod path_id;
pub mod session;
pub mod token;
pub mod users;
pub mod values;

use axum::{Router, response::IntoResponse};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    platform::Db,
    web::{
        site::Programs,
        state::{Site, WebState},
    },
};
pub use browser::csrf_cookie_beside;
use error::ApiError;
pub use openapi::Configured;
use openapi::{Audience, Part};

const LOG_IN: Part = Part {
    name: "Log in",
    about: "People prove who they are, by a provider, and get a bearer token, which lasts a day and ends with its session.",
};
const SESSIONS: Part = Part {
    name: "Sessions and tokens",
    about: "A session is where somebody is logged in. Tokens and the cookie of a browser are of one, and end with it.",
};
const BROWSER: Part = Part {
    name: "Browser flow",
    about: "Where a browser is sent to log in, and what `next-auth/react` 4 calls for it. Errors lead to `/login?error=CODE`.",
};
const USERS: Part = Part { name: "Users", about: "What admins do with users; and who one is oneself." };
const INVITES: Part = Part {
    name: "Invites",
    about: "An invite promises an account with a role to one address, which has one at a time.",
};
const DOOR: Part = Part { name: "Applications behind the door", about: "A proxy asks before it passes a request on." };
const HEALTH: Part = Part { name: "Health", about: "For whoever looks after the server; outside of every limit." };
const DESCRIPTION: Part = Part { name: "Description", about: "What you are reading." };
/// The parts of the API in the order in which they are read.
const PARTS: [Part; 8] = [LOG_IN, SESSIONS, BROWSER, USERS, INVITES, DOOR, HEALTH, DESCRIPTION];

/// Every address for programs that passes the layers of the site, and how they are refused there.
pub fn programs() -> Programs {
    Programs { routes: routes().into(), own: is_ours, refusal: |status| ApiError::for_status(status).into_response() }
}

/// How the process is; outside of the layers of the site.
pub fn health(db: Db) -> Router {
    Router::from(health::routes()).with_state(db)
}

/// The description of every address for programs, as JSON.
pub fn description(site: &Site, configured: &Configured) -> String {
    openapi::document(site, configured, &PARTS)
}

fn described() -> OpenApi {
    let mut api = routes().into_openapi();
    api.merge(Audience::Anyone.of(&HEALTH, health::routes()).into_openapi());
    api
}

/// Whether a path is for programs. Scripts of other origins may be let in here, so that no page may be.
fn is_ours(path: &str) -> bool {
    let first = path.strip_prefix('/').and_then(|rest| rest.split('/').next());
    matches!(first, Some("auth" | "admin" | ".well-known" | "openapi.json"))
}

/// Every address for programs that passes the layers of the site.
fn routes() -> OpenApiRouter<WebState> {
    let log_in = OpenApiRouter::default()
        .routes(routes!(auth::providers))
        .routes(routes!(auth::authenticate, auth::begin))
        .routes(routes!(auth::call_back, auth::come_back))
        .routes(routes!(auth::register))
        .routes(routes!(auth::reset_password))
        .routes(routes!(auth::update));
    let sessions = OpenApiRouter::default()
        .routes(routes!(session::show, session::open, session::end))
        .routes(routes!(token::refresh));
    let door = OpenApiRouter::default().routes(routes!(forward::check)).routes(routes!(forward::go_back));
    OpenApiRouter::default()
        .merge(Audience::Anyone.of(&LOG_IN, log_in))
        .merge(Audience::Known.of(&SESSIONS, sessions))
        .merge(Audience::Anyone.of(&SESSIONS, OpenApiRouter::default().routes(routes!(token::keys))))
        .merge(Audience::Anyone.of(&BROWSER, browser_flow()))
        .merge(administration())
        .merge(Audience::Anyone.of(&DOOR, door))
        .merge(Audience::Anyone.of(&DESCRIPTION, OpenApiRouter::default().routes(routes!(openapi::show))))
}

/// What a browser is sent to, or calls as `next-auth/react` does.
fn browser_flow() -> OpenApiRouter<WebState> {
    OpenApiRouter::default()
        .routes(routes!(browser::providers))
        .routes(routes!(browser::csrf))
        .routes(routes!(browser::set_out, browser::sign_in))
        .routes(routes!(browser::come_back, browser::log_in))
        .routes(routes!(browser::sign_out))
        .routes(routes!(browser::show_log_in))
        .routes(routes!(browser::show_error))
}

/// What admins do, and what stands beside it.
fn administration() -> OpenApiRouter<WebState> {
    let users = OpenApiRouter::default()
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::show, users::update, users::delete))
        .routes(routes!(users::disable))
        .routes(routes!(users::enable))
        .routes(routes!(users::sessions, users::end_sessions));
    let invites = OpenApiRouter::default()
        .routes(routes!(invites::list, invites::create))
        .routes(routes!(invites::show, invites::delete))
        .routes(routes!(invites::resend));
    OpenApiRouter::default()
        .merge(Audience::Known.of(&USERS, OpenApiRouter::default().routes(routes!(users::me))))
        .merge(Audience::Managers.of(&USERS, users))
        .merge(Audience::Managers.of(&INVITES, invites))
        .merge(Audience::Known.of(&INVITES, OpenApiRouter::default().routes(routes!(invites::accept))))
}
