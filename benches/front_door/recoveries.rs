//! Forgotten passwords: how many requests are answered in a second, whoever they are for.

use crate::{
    Extent, Outcome,
    client::post,
    database::Database,
    load::{self, Requests},
    server::Server,
    table::{Cell, Column},
};

const CONNECTIONS: usize = 32;

/// Measures them.
pub async fn measure(database: &Database, extent: Extent, column: &mut Column<'_>) -> Outcome<()> {
    let server = Server::start(database, None).await?;
    let ask = |number: usize| post("/api/forgot-password", &format!("email=somebody.{number}@latchkey.example"));
    let requests = Requests {
        each: (0..1_000).map(ask).collect(),
        is_right: |answer| answer.status == 302 && answer.header("location") == Some("/link"),
    };
    let made = load::run(server.address, CONNECTIONS, extent.load, requests).await?.per_second()?;
    column.note("reset requests, 32 connections", "", Cell::alone(format!("{made:.0}/s"), made > 0.0));
    Ok(())
}
