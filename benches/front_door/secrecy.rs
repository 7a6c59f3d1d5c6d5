//! Whether time tells who has an account: log-ins and forgotten passwords of known and of unknown addresses, interleaved
//! on one connection, and how often a known one took longer than an unknown one. Half the time means that it tells
//! nothing.

use std::time::Duration;

use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use sqlx::Connection;

use crate::{
    Extent, Outcome,
    accounts::{KNOWN, UNKNOWN, failed_log_in, is_refused},
    client::{Answer, Client, post},
    database::{Database, execute},
    load::number,
    now,
    server::Server,
    table::{Cell, Column},
};

/// Between these, the area under the curve says that the two can't be told apart.
const MIN_AREA: f64 = 0.45;
const MAX_AREA: f64 = 0.55;

/// Who may have an account when a password is forgotten: the start of their addresses, all equally long. The first has
/// none.
const FORGETFUL: [(&str, &str); 5] =
    [("nobod", ""), ("known", "2, NULL"), ("disab", "2, 2"), ("unver", "NULL, NULL"), ("oauth", "2, NULL")];
/// How many addresses each kind has.
const EACH: usize = 60;

/// Measures it.
pub async fn measure(database: &Database, extent: Extent, column: &mut Column<'_>) -> Outcome<()> {
    let server = Server::start(database, None).await?;
    let mut client = Client::connect(server.address).await?;
    let kinds = [KNOWN, UNKNOWN];
    let ask = |kind: usize, nth| failed_log_in(kinds[kind], nth);
    let times = interleaved(&mut client, (kinds.len(), extent.tries), (&ask, is_refused)).await?;
    note(column, "log-in: known", (&times[0], &times[1]));
    forgotten(database, extent, (&mut client, column)).await
}

/// The same for forgotten passwords, of accounts of all kinds.
async fn forgotten(
    database: &Database,
    extent: Extent,
    (client, column): (&mut Client, &mut Column<'_>),
) -> Outcome<()> {
    make_forgetful(database).await?;
    let ask = |kind: usize, nth: usize| {
        post("/api/forgot-password", &format!("email={}.{:02}@latchkey.example", FORGETFUL[kind].0, nth % EACH))
    };
    let is_answered = |answer: &Answer| answer.status == 302 && answer.header("location") == Some("/link");
    let times = interleaved(client, (FORGETFUL.len(), extent.tries), (&ask, is_answered)).await?;
    for ((kind, _), those) in FORGETFUL.iter().zip(&times).skip(1) {
        note(column, &format!("forgot password: {kind}"), (those, &times[0]));
    }
    Ok(())
}

/// Accounts of each kind; those of `oauth` have no password.
async fn make_forgetful(database: &Database) -> Outcome<()> {
    let mut connection = database.connect().await?;
    for (kind, state) in FORGETFUL.iter().skip(1) {
        for nth in 0..EACH {
            let email = format!("{kind}.{nth:02}@latchkey.example");
            let id = format!("00000000-0000-7000-8001-{kind}{nth:07}");
            let sql = format!(
                "INSERT INTO users (id, email, email_verified_at, disabled_at, role, metadata, created_at, updated_at,
                     name_key, search_text)
                 VALUES ('{id}', '{email}', {state}, 'member', '{{}}', 1, 1, '', '{email}\u{1f}')
                 ON CONFLICT DO NOTHING"
            );
            execute(&mut connection, &sql).await?;
        }
    }
    Ok(connection.close().await?)
}

fn note(column: &mut Column<'_>, what: &str, (first, second): (&[Duration], &[Duration])) {
    let area = area_under_curve(first, second);
    column.note(
        &format!("{what} told from unknown by time"),
        "rank-sum AUC 0.45 to 0.55",
        Cell::alone(format!("{area:.3} of {} each", first.len()), (MIN_AREA..=MAX_AREA).contains(&area)),
    );
}

/// The times of each kind of request, in an order drawn anew for each round: what goes on in the server meanwhile has
/// rhythms of its own, with which no fixed order must fall in step.
async fn interleaved(
    client: &mut Client,
    (kinds, tries): (usize, usize),
    (ask, is_right): (Ask<'_>, fn(&Answer) -> bool),
) -> Outcome<Vec<Vec<Duration>>> {
    let mut times = vec![Vec::new(); kinds];
    let mut order: Vec<usize> = (0..kinds).collect();
    let mut random = StdRng::from_os_rng();
    for nth in 0..tries {
        order.shuffle(&mut random);
        for &kind in &order {
            let asked = now();
            let answer = client.ask(&ask(kind, nth)).await?;
            times[kind].push(asked.elapsed());
            if !is_right(&answer) {
                return Err(format!("a wrong answer: {}", answer.head).into());
            }
        }
    }
    Ok(times)
}

/// The request of a kind with a number.
type Ask<'a> = &'a dyn Fn(usize, usize) -> Vec<u8>;

/// How often one of the first took longer than one of the second, ties as half (Mann and Whitney's U over all pairs).
fn area_under_curve(first: &[Duration], second: &[Duration]) -> f64 {
    let wins = first.iter().flat_map(|a| second.iter().map(move |b| a.cmp(b)));
    let sum: f64 = wins
        .map(|order| match order {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        })
        .sum();
    sum / (number(first.len()) * number(second.len()))
}
