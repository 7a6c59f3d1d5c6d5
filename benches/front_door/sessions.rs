//! The session check: what every application behind the door asks for on every request, beside a bare handler that reads
//! one row by its primary key with the database's own driver.

use crate::{
    Extent, Outcome,
    accounts::{ADMIN, admin_cookie},
    client::{Client, get},
    database::Database,
    load::{self, Requests},
    server::{self, Server},
    table::{Cell, Column},
};

/// How many ask at once.
pub const CONNECTIONS: usize = 32;
const MIN_RATIO: f64 = 0.5;

/// Measures it.
pub async fn measure(database: &Database, extent: Extent, column: &mut Column<'_>) -> Outcome<()> {
    let bare_before = bare(database, extent).await?;
    let server = Server::start(database, None).await?;
    let request = get("/auth/session", &admin_cookie(&server).await?);
    let answer = Client::connect(server.address).await?.ask(&request).await?;
    if !String::from_utf8_lossy(&answer.body).contains(ADMIN) {
        return Err(format!("the session is not known: {}", answer.head).into());
    }
    let requests = Requests { each: vec![request], is_right: |answer| answer.status == 200 && answer.body.len() > 2 };
    let checked = load::run(server.address, CONNECTIONS, extent.load, requests).await?.per_second()?;
    drop(server);
    let bare = f64::midpoint(bare_before, bare(database, extent).await?);
    column.note(
        "session checks, 32 connections",
        "ratio 0.50, one row",
        Cell::rates(checked, bare, checked / bare >= MIN_RATIO),
    );
    Ok(())
}

/// How often a bare handler reads one row in a second.
pub async fn bare(database: &Database, extent: Extent) -> Outcome<f64> {
    let id = database.text("SELECT id FROM users WHERE email = 'front.door@latchkey.example'").await?;
    let (_process, address) = server::bare(&["bare-row", &database.url, &id], None)?;
    let requests = Requests {
        each: vec![get("/", "")],
        is_right: |answer| answer.status == 200 && answer.body == ADMIN.as_bytes(),
    };
    load::run(address.parse()?, CONNECTIONS, extent.load / 2, requests).await?.per_second()
}
