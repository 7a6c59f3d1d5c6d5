//! What the tests stand on: the real server on a port of its own for every test, on both databases, and three kinds of
//! client that come through its front door. Time stands still unless a test moves it.

mod client;
mod database;
mod held;
mod mail;
mod mail_server;
mod mails;
mod nginx;
mod openapi;
mod openid_provider;
mod page;
mod passkey;
mod people;
mod program;
mod providers;
mod receiver;
mod server;
mod smtp;
mod temp_dir;

pub use client::Client;
pub use database::Kind;
pub use held::ROOMY;
pub use mail::MAILS;
pub use mail_server::{Kept, MailServer};
pub use mails::{Read, eventually};
pub use nginx::Nginx;
pub use openapi::judge_openapi;
pub use openid_provider::{CLIENT_ID, CLIENT_SECRET, OpenIdProvider, Reply, Script, Signing};
pub use page::Page;
pub use passkey::{Behaviour, PASSKEYS, PRESENT, Passkey, SYNCED, VERIFIED};
pub use people::{ADMIN, PASSWORD, token_in};
pub use program::Program;
pub use providers::{Gate, MyAuth, directory};
pub use receiver::{Answer, Receiver, SECRET, Webhook};
pub use server::{TestApp, run};
pub use smtp::{Manner, Received, Smtp, settings as smtp_settings};

/// Makes of each `async fn name(app: TestApp)` the tests `sqlite::name` and `postgres::name`.
///
/// `with SETTINGS` behind a name puts the constant `SETTINGS`, a piece of TOML, into that server's configuration:
///
/// ```ignore
/// on_both_databases! {
///     a_wrong_password_is_refused,
///     nobody_registers_where_registration_is_closed with CLOSED,
/// }
/// ```
macro_rules! on_both_databases {
    (@test $kind:ident $name:ident [$($settings:ident)?]) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let settings: &[&str] = &[$(super::$settings)?];
            $crate::harness::run($crate::harness::Kind::$kind, settings, super::$name).await;
        }
    };
    ($($name:ident $(with $settings:ident)?),+ $(,)?) => {
        mod sqlite { $($crate::harness::on_both_databases!(@test Sqlite $name [$($settings)?]);)+ }
        mod postgres { $($crate::harness::on_both_databases!(@test Postgres $name [$($settings)?]);)+ }
    };
}
pub(crate) use on_both_databases;
