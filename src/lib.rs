//! Latchkey: the front door of a web application.
//!
//! A module uses the floors below it, never its own ceiling: `shared` < `platform` < `events` < `auth`, `users`,
//! `sessions` < `flows` < `web`, `api`, `islands`, `jobs` < `app`, `cli`. The only `cfg(feature)` of the crate stand
//! here: `shared` and `islands` reach the browser, all else is the server.

pub mod islands;
pub mod shared;

#[cfg(feature = "ssr")]
pub mod api;
#[cfg(feature = "ssr")]
pub mod app;
#[cfg(feature = "ssr")]
pub mod auth;
#[cfg(feature = "ssr")]
pub mod cli;
#[cfg(feature = "ssr")]
pub mod config;
#[cfg(feature = "ssr")]
pub mod events;
#[cfg(feature = "ssr")]
pub mod flows;
#[cfg(feature = "ssr")]
pub mod jobs;
#[cfg(feature = "ssr")]
pub mod platform;
#[cfg(feature = "ssr")]
pub mod sessions;
#[cfg(feature = "ssr")]
pub mod users;
#[cfg(feature = "ssr")]
pub mod web;

#[cfg(feature = "ssr")]
pub use app::Latchkey;

/// Starts the islands of a page; called once by the page's loader script.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
