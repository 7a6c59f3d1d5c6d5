//! Whether time tells who has an account: tries to log in with known and with unknown addresses, interleaved on one
//! connection, and how often a known one took longer than an unknown one. Half the time means that it tells nothing.

use std::time::Duration;

use crate::{
    Extent, Outcome,
    accounts::{KNOWN, UNKNOWN, failed_log_in, is_refused},
    client::Client,
    database::Database,
    load::number,
    now,
    server::Server,
    table::{Cell, Column},
};

/// Between these, the area under the curve says that the two can't be told apart.
const MIN_AREA: f64 = 0.45;
const MAX_AREA: f64 = 0.55;

/// Measures it.
pub async fn measure(database: &Database, extent: Extent, column: &mut Column<'_>) -> Outcome<()> {
    let server = Server::start(database, None).await?;
    let mut client = Client::connect(server.address).await?;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for nth in 0..extent.tries {
        // Who comes first changes, so that neither class always follows the other.
        if nth % 2 == 0 {
            known.push(time_of(&mut client, &failed_log_in(KNOWN, nth)).await?);
            unknown.push(time_of(&mut client, &failed_log_in(UNKNOWN, nth)).await?);
        } else {
            unknown.push(time_of(&mut client, &failed_log_in(UNKNOWN, nth)).await?);
            known.push(time_of(&mut client, &failed_log_in(KNOWN, nth)).await?);
        }
    }
    let area = area_under_curve(&known, &unknown);
    column.note(
        "log-in: known told from unknown by time",
        "rank-sum AUC 0.45 to 0.55",
        Cell::alone(format!("{area:.3} of {} each", extent.tries), (MIN_AREA..=MAX_AREA).contains(&area)),
    );
    Ok(())
}

async fn time_of(client: &mut Client, request: &[u8]) -> Outcome<Duration> {
    let asked = now();
    let answer = client.ask(request).await?;
    let took = asked.elapsed();
    if is_refused(&answer) { Ok(took) } else { Err(format!("a wrong answer: {}", answer.head).into()) }
}

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
