//! What programs do: log in for a token, show it on every request, and list users. The check of a token stands beside a
//! bare handler that reads one row by its primary key with the database's own driver.

use std::time::Duration;

use crate::{
    Extent, Outcome,
    accounts::{ADMIN, PEOPLE, admin_token, authenticate, is_given_token},
    client::{Client, get},
    database::Database,
    load::{self, Load, Requests, percentile},
    server::Server,
    sessions::{self, CONNECTIONS},
    table::{Cell, Column},
};

/// How many connections log in, as people do who are measured at the log-in page.
const LOG_IN_CONNECTIONS: usize = 8;
/// How many connections list users.
const LIST_CONNECTIONS: usize = 8;
const MIN_RATIO: f64 = 0.5;
const MAX_P99: Duration = Duration::from_millis(20);

/// Measures it.
pub async fn measure(database: &Database, extent: Extent, column: &mut Column<'_>) -> Outcome<()> {
    let server = Server::start(database, None).await?;
    let log_ins = Requests { each: (0..PEOPLE).map(authenticate).collect(), is_right: is_given_token };
    let made = load::run(server.address, LOG_IN_CONNECTIONS, extent.load, log_ins).await?.per_second()?;
    column.note("API: log-ins, 8 at once", "", Cell::alone(format!("{made:.1}/s"), true));
    let bearer = format!("authorization: Bearer {}\r\n", admin_token(&server).await?);
    check(&server, (database, extent), &bearer, column).await?;
    list(&server, extent, &bearer, column).await
}

async fn check(
    server: &Server,
    (database, extent): (&Database, Extent),
    bearer: &str,
    column: &mut Column<'_>,
) -> Outcome<()> {
    let request = get("/admin/users/me", bearer);
    let answer = Client::connect(server.address).await?.ask(&request).await?;
    if !String::from_utf8_lossy(&answer.body).contains(ADMIN) {
        return Err(format!("the token is not known: {}", answer.head).into());
    }
    let bare_before = sessions::bare(database, extent).await?;
    let requests = Requests { each: vec![request], is_right: |answer| answer.status == 200 };
    let mut load = load::run(server.address, CONNECTIONS, extent.load, requests).await?;
    let bare = f64::midpoint(bare_before, sessions::bare(database, extent).await?);
    let checked = load.per_second()?;
    let cell = Cell::rates(checked, bare, checked / bare >= MIN_RATIO);
    column.note("API: token checks, 32 connections", "ratio 0.50, one row", cell);
    let (text, is_good) = p99(&mut load);
    column.note("API: token check p99", "20 ms", Cell::alone(text, is_good));
    Ok(())
}

async fn list(server: &Server, extent: Extent, bearer: &str, column: &mut Column<'_>) -> Outcome<()> {
    for (what, path) in
        [("API: 50 users", "/admin/users"), ("API: 50 users, found by 1 in 150 (zoe)", "/admin/users?q=zoe")]
    {
        let requests = Requests { each: vec![get(path, bearer)], is_right: |answer| answer.status == 200 };
        let mut load = load::run(server.address, LIST_CONNECTIONS, extent.load, requests).await?;
        let made = load.per_second()?;
        let (text, _) = p99(&mut load);
        column.note(what, "", Cell::alone(format!("{made:.1}/s, p99 {text}"), true));
    }
    Ok(())
}

fn p99(load: &mut Load) -> (String, bool) {
    let p99 = percentile(&mut load.times, 99);
    (format!("{:.1} ms", p99.as_secs_f64() * 1e3), p99 <= MAX_P99)
}
