//! The browser flow: addresses that the browser itself is sent to, or that the script of an application calls for it, as
//! `next-auth/react` 4 does. Each answer is a redirect, or with `X-Auth-Return-Redirect` or `json=true` the address in
//! JSON. What goes wrong is said at `/login?error=CODE`, by one of a few codes. What changes something wants the word of
//! `/auth/csrf`, which another site can't read (double submit).

mod answer;
mod call_back;
mod csrf;
mod providers;
mod sign_in;
mod sign_out;

pub use call_back::{__path_come_back, __path_log_in, come_back, log_in};
pub use csrf::{__path_csrf, CsrfAnswer, csrf, csrf_cookie_beside};
pub use providers::{__path_providers, BrowserProvider, ProviderType, providers};
pub use sign_in::{
    __path_set_out, __path_show_error, __path_show_log_in, __path_sign_in, set_out, show_error, show_log_in, sign_in,
};
pub use sign_out::{__path_sign_out, sign_out};
