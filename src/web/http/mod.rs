//! How requests come in and answers go out: who asks, forms, cookies, errors, headers. No page knows more of HTTP than
//! what stands here.

pub mod assets;
pub mod away;
pub mod client;
pub mod error;
pub mod flash;
pub mod form;
pub mod landing;
pub mod layers;
pub mod next;
pub mod page;
pub mod pending;
pub mod refusal;
pub mod render;
pub mod scope;
pub mod sealed_cookie;
pub mod session_cookie;
