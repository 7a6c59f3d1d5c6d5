//! A provider that hangs: whoever wants to come in by it is answered within seconds, and all others come in as fast as
//! without it. Both are measured in turns against one server each.

use std::{net::TcpListener, time::Duration};

use crate::{
    Extent, Outcome,
    client::get,
    database::Database,
    load::{self, Requests, percentile},
    log_ins::{CONNECTIONS, log_ins},
    server::Server,
    table::{Cell, Column},
};

/// How many people wait for the provider at once.
const WAITING: usize = 32;
/// How long anybody may have to wait.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// How much of the log-ins must be left.
const MIN_LEFT: f64 = 0.90;
const TURNS: u32 = 3;

/// Measures it.
pub async fn measure(database: &Database, extent: Extent, column: &mut Column<'_>) -> Outcome<()> {
    // Connections wait in the queue of the listener, which nobody looks after.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let option = |name: &str, value: String| (format!("LATCHKEY_PROVIDERS__ACME__OPTIONS__{name}"), value);
    let settings = [
        ("LATCHKEY_PROVIDERS__ACME__KIND".to_owned(), "oidc".to_owned()),
        option("ISSUER", format!("http://{}", silent.local_addr()?)),
        option("CLIENT_ID", "latchkey".to_owned()),
        option("CLIENT_SECRET", "a secret of nobody".to_owned()),
    ];
    let server = Server::start_with(database, None, &settings).await?;
    let (mut alone, mut beside, mut waits) = (0.0, 0.0, Vec::new());
    for _ in 0..TURNS {
        alone += load::run(server.address, CONNECTIONS, extent.load, log_ins()).await?.per_second()?;
        let (made, waited) = tokio::join!(
            load::run(server.address, CONNECTIONS, extent.load, log_ins()),
            load::run(server.address, WAITING, extent.load, sign_ins()),
        );
        beside += made?.per_second()?;
        let waited = waited?;
        waited.per_second()?;
        waits.extend(waited.times);
    }
    let turns = f64::from(TURNS);
    column.note(
        "log-ins while 32 wait for a provider that hangs",
        "ratio 0.90, without them",
        Cell::rates(beside / turns, alone / turns, beside / alone >= MIN_LEFT),
    );
    let longest = percentile(&mut waits, 100);
    let text = format!("{:.1} s of {}", longest.as_secs_f64(), waits.len());
    column.note("how long they wait at most", "5 s", Cell::alone(text, longest <= MAX_WAIT));
    Ok(())
}

/// Each is sent back to the log-in page.
fn sign_ins() -> Requests {
    let is_right = |answer: &crate::client::Answer| {
        answer.status == 302 && answer.header("location").is_some_and(|to| to.starts_with("/login?error="))
    };
    Requests { each: vec![get("/auth/signin/acme", "")], is_right }
}
