//! The gates of the house, checked against the source itself: imports only point down, one fence between server and
//! browser, a purpose at the head of each file, no unescaped text in a page, nothing too long to be read.
//! Each gate has a test that shows it a violation. None of them needs a database.

mod gates;
mod house;
mod rust_text;

use gates::Finding;
use house::House;

/// Fails with all findings of a gate in the tree as it is.
#[track_caller]
fn assert_kept(gate: fn(&House) -> Vec<Finding>) {
    let house = House::on_disk();
    assert!(house.sources.len() > 10, "the source was not found");
    let findings: Vec<String> = gate(&house).iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// Fails unless the gate finds something in the first list of files and nothing in the second.
#[track_caller]
fn assert_can_fail(gate: fn(&House) -> Vec<Finding>, refused: &[(&str, &str)], fine: &[(&str, &str)]) {
    for &(path, text) in refused {
        assert!(!gate(&House::of(&[(path, text)])).is_empty(), "must be refused in {path}: {text}");
    }
    for &(path, text) in fine {
        assert_eq!(gate(&House::of(&[(path, text)])), [], "must pass in {path}: {text}");
    }
}

#[test]
fn imports_only_point_down() {
    assert_kept(gates::upward_imports);
}

#[test]
fn an_upward_import_is_found() {
    assert_can_fail(
        gates::upward_imports,
        &[
            ("src/platform/clock.rs", "use crate::users::User;"),
            ("src/auth/identities.rs", "fn f() { crate::users::find(); }"),
            ("src/users/users.rs", "use crate::{platform::Db, sessions};"),
            ("src/sessions/mod.rs", "use super::auth::Identity;"),
            ("src/sessions/mod.rs", "mod tests { use super::super::auth::Identity; }"),
            ("src/shared/role.rs", "use crate::platform::{clock::{Clock, Micros}};"),
            ("src/flows/login.rs", "pub use crate::web::State;"),
            ("src/web/state.rs", "use crate::config::Config;"),
            ("src/islands/password_field.rs", "use crate::web::ui;"),
            ("src/jobs/sweep.rs", "use crate::api;"),
            ("src/web/login.rs", "use crate::api;"),
        ],
        &[
            ("src/platform/clock.rs", "// use crate::users::User;\nconst A: &str = \"crate::users\";"),
            ("src/auth/identities.rs", "use crate::{auth::Error, platform::Db, shared::*};"),
            ("src/sessions/mod.rs", "mod tests { use super::auth; }"),
            ("src/sessions/list.rs", "use super::auth; pub(crate) fn f() {}"),
            ("src/flows/login.rs", "use crate::{auth, events, sessions, users::{User, find}};"),
            ("src/web/login.rs", "use crate::{flows::login, islands::PasswordField};"),
            ("src/api/session.rs", "use crate::web::http::Scope;"),
            ("src/app.rs", "use crate::{api, config::Config, web};"),
            ("src/lib.rs", "pub mod web;"),
        ],
    );
}

#[test]
fn no_page_imports_a_page_and_no_provider_a_provider() {
    assert_kept(gates::sideways_imports);
}

#[test]
fn a_sideways_import_is_found() {
    let house = |path, text| {
        House::of(&[
            ("src/web/register.rs", "pub async fn show() {}"),
            ("src/web/logout.rs", "#[server(endpoint = \"logout\")]"),
            ("src/web/words.rs", ""),
            ("src/web/account/profile.rs", "pub async fn show() {}"),
            ("src/web/account/mod.rs", ""),
            ("src/web/ui/table.rs", ""),
            ("src/auth/providers/oidc.rs", ""),
            ("src/auth/providers/common_passwords.rs", ""),
            (path, text),
        ])
    };
    for (path, text) in [
        ("src/web/login.rs", "use crate::web::register::Form;"),
        ("src/web/login.rs", "use super::register;"),
        ("src/web/login.rs", "use super::logout::Logout;"),
        ("src/web/words.rs", "use super::register;"),
        ("src/web/account/sessions.rs", "use super::profile::Menu;"),
        ("src/web/ui/field.rs", "use crate::web::register;"),
        ("src/web/http/form.rs", "use crate::web::account::profile;"),
        ("src/auth/providers/github.rs", "use super::oidc::Client;"),
        ("src/auth/providers/github.rs", "use crate::auth::providers::oidc;"),
    ] {
        assert!(!gates::sideways_imports(&house(path, text)).is_empty(), "must be refused in {path}: {text}");
    }
    for (path, text) in [
        ("src/web/login.rs", "use crate::web::{ui::table, State, http::form, words};"),
        ("src/web/site.rs", "use super::{account::profile, register};"),
        ("src/web/account/sessions.rs", "use super::Menu; use crate::web::account::menu;"),
        ("src/web/account/mod.rs", "use self::profile; use crate::web::account::profile;"),
        ("src/web/mod.rs", "use crate::web::register;"),
        ("src/auth/providers/google.rs", "use super::oidc::Client;"),
        ("src/auth/providers/emailpass.rs", "use super::common_passwords;"),
        ("src/auth/providers/mod.rs", "use crate::auth::providers::oidc;"),
    ] {
        assert_eq!(gates::sideways_imports(&house(path, text)), [], "must pass in {path}: {text}");
    }
}

#[test]
fn the_only_fence_stands_in_the_crate_root() {
    assert_kept(gates::fences);
}

#[test]
fn a_second_fence_is_found() {
    assert_can_fail(
        gates::fences,
        &[
            ("src/shared/role.rs", "#[cfg(feature = \"ssr\")]\nmod server;"),
            ("src/shared/role.rs", "#[cfg_attr(not(feature = \"ssr\"), derive(Debug))]\nstruct A;"),
            ("src/islands/mod.rs", "fn f() { if cfg!(all(test, feature = \"ssr\")) {} }"),
        ],
        &[
            ("src/lib.rs", "#[cfg(feature = \"ssr\")]\npub mod web;"),
            ("src/shared/role.rs", "#[cfg(test)]\nmod tests {}\n// cfg(feature = \"ssr\")"),
        ],
    );
}

#[test]
fn every_file_opens_with_its_purpose() {
    assert_kept(gates::nameless_files);
}

#[test]
fn a_file_without_purpose_is_found() {
    assert_can_fail(
        gates::nameless_files,
        &[("src/a.rs", "use std::fmt;\n//! Late."), ("src/a.rs", ""), ("src/a.rs", "//!\n")],
        &[("src/a.rs", "//! Roles: what a user may do.\n")],
    );
}

#[test]
fn no_text_reaches_a_page_unescaped() {
    assert_kept(gates::unescaped_text);
}

#[test]
fn unescaped_text_is_found() {
    assert_can_fail(
        gates::unescaped_text,
        &[
            ("src/web/a.rs", "view! { <Title text=name/> }"),
            ("src/web/a.rs", "view! { <Title text=move || format!(\"{name}\") /> }"),
            ("src/web/a.rs", "view! { <Title formatter=f text={name}/> }"),
            ("src/web/a.rs", "view! { <textarea name=\"note\" on:input=move |e| e > 3>{note}</textarea> }"),
            ("src/web/a.rs", "view! { <script nonce=nonce>{script}</script> }"),
            ("src/web/a.rs", "view! { <style>\"a\" {rule} </style> }"),
            ("src/web/a.rs", "view! { <noscript><p>{name}</p></noscript> }"),
            ("src/web/a.rs", "view! { <p inner_html=name></p> }"),
            ("src/web/a.rs", "view! { <p inner_html={format!(\"<b>{name}</b>\")}></p> }"),
        ],
        &[
            ("src/web/a.rs", "view! { <Title text=\"Log in {\"/> <p>{name}</p> }"),
            ("src/web/a.rs", "view! { <textarea name={name}></textarea> <p>{name}</p> }"),
            ("src/web/a.rs", "view! { <textarea prop:value=note>\"{\"</textarea> }"),
            ("src/web/a.rs", "view! { <script type=\"module\" nonce=nonce>{LOADER}</script> }"),
            ("src/web/a.rs", "view! { <title>{title}</title> <TitleBar text=name/> }"),
            ("src/web/a.rs", "view! { <svg inner_html=icons::LOCK></svg> <p inner_html=\"<b>x</b>\"></p> }"),
        ],
    );
}

#[test]
fn every_function_can_be_read_at_once() {
    assert_kept(gates::long_functions);
}

#[test]
fn a_long_function_is_found() {
    let function = |lines: usize| format!("fn f() {{\n{}}}\n", "    a();\n".repeat(lines));
    let page = |lines: usize| format!("fn f() -> View {{\n    view! {{\n{}    }}\n}}\n", "    <p/>\n".repeat(lines));
    let commented = format!("fn f() {{\n{}}}\n", "    // why\n\n".repeat(60));
    assert_can_fail(
        gates::long_functions,
        &[
            ("src/a.rs", &function(61)),
            ("src/a.rs", &page(101)),
            ("src/a.rs", &format!("impl A {{ {} }}", function(61))),
        ],
        &[("src/a.rs", &function(60)), ("src/a.rs", &page(90)), ("src/a.rs", &commented)],
    );
}

#[test]
fn every_file_can_be_read_in_one_sitting() {
    assert_kept(gates::long_files);
}

#[test]
fn a_long_file_is_found() {
    let file = |lines: usize| "// why\n".repeat(lines);
    let with_tests = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", file(390), file(300));
    assert_can_fail(
        gates::long_files,
        &[("src/a.rs", &file(401)), ("src/a.rs", &format!("{}{with_tests}", file(20)))],
        &[("src/a.rs", &file(400)), ("src/a.rs", &with_tests), ("src/a/tests.rs", &file(900))],
    );
}

#[test]
fn no_lint_is_silenced_without_a_reason() {
    assert_kept(gates::silenced_lints);
}

#[test]
fn a_silenced_lint_is_found() {
    assert_can_fail(
        gates::silenced_lints,
        &[
            ("src/a.rs", "#[allow(dead_code)]\nfn f() {}"),
            ("tests/app/a.rs", "#![allow(clippy::pedantic)]"),
            ("src/a.rs", "#[cfg_attr(test, allow(dead_code))]\nfn f() {}"),
            ("src/a.rs", "#[expect(dead_code)]\nfn f() {}"),
        ],
        &[
            ("src/a.rs", "#[expect(dead_code, reason = \"read by the linker\")]\nfn f() { allow(1); x.expect(2); }"),
            ("src/a.rs", "// #[allow(dead_code)]"),
        ],
    );
}
