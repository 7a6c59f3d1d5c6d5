//! Addresses for people: one file a page, which is its server functions and its view. A page reads what came in, makes
//! one call on a door below and shows what came out; it holds no rule, no SQL and no hashing.

pub mod account;
pub mod dashboard;
pub mod docs;
pub mod forgot_password;
pub mod http;
pub mod invite;
pub mod link;
pub mod login;
pub mod logout;
pub mod newcomer;
pub mod other_ways;
pub mod register;
pub mod reset_password;
pub mod setup;
pub mod site;
pub mod state;
pub mod ui;
pub mod words;
