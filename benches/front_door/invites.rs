//! Invites: how many an admin's browsers make in a second, one by one, and how long 500 pasted lines take from the
//! preview to the result.

use std::time::Duration;

use crate::{
    Extent, Outcome,
    accounts::admin_cookie,
    client::{Client, post_with},
    database::Database,
    load::{self, Requests},
    now,
    server::Server,
    sessions::CONNECTIONS,
    table::{Cell, Column},
};

/// More than any machine makes while this is measured.
const EACH: usize = 40_000;
const PASTED: usize = 500;
const MAX_PASTED: Duration = Duration::from_secs(5);

/// Measures them.
pub async fn measure(database: &Database, extent: Extent, column: &mut Column<'_>) -> Outcome<()> {
    let server = Server::start(database, None).await?;
    let cookie = admin_cookie(&server).await?;
    let one = |nth: usize| post_with("/api/invite", &cookie, &format!("email=invited.{nth}@latchkey.example"));
    let is_right = |answer: &crate::client::Answer| {
        answer.status == 302 && answer.header("location").is_some_and(|to| to.starts_with("/dashboard/invites/"))
    };
    let requests = Requests { each: (0..EACH).map(one).collect(), is_right };
    let made = load::run(server.address, CONNECTIONS, extent.load, requests).await?.per_second()?;
    column.note("invites created, 32 connections", "", Cell::alone(format!("{made:.0}/s"), made > 0.0));

    let lines: Vec<String> = (0..PASTED).map(|nth| format!("pasted.{nth}%40latchkey.example")).collect();
    let mut client = Client::connect(server.address).await?;
    let started = now();
    for step in ["preview", "send"] {
        let body = format!("emails={}&step={step}", lines.join("%0A"));
        let answer = client.ask(&post_with("/dashboard/invites/new", &cookie, &body)).await?;
        let page = String::from_utf8_lossy(&answer.body);
        if answer.status != 200 || !page.contains("pasted.499@latchkey.example") {
            return Err(format!("{step} of {PASTED} invites: {}", answer.head).into());
        }
    }
    let took = started.elapsed();
    let cell = Cell::alone(format!("{:.2} s", took.as_secs_f64()), took <= MAX_PASTED);
    column.note("500 pasted lines, previewed and sent", "5 s", cell);
    Ok(())
}
