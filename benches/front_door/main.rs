//! What is measured: the real release binary, run as its operator runs it and driven over real HTTP on loopback, beside a
//! bare counterpart in the same minutes. `make bench` prints one table for both databases; `BENCH_SMOKE=1` tries it all
//! with little, and `BENCH_ONLY=log-ins,lists` measures these parts alone. The load generator shares the cores with what it measures, as each bare counterpart's does.

mod accounts;
mod bare;
mod client;
mod database;
mod footprint;
mod invites;
mod lists;
mod load;
mod log_ins;
mod mails;
mod outages;
mod pages;
mod people;
mod programs;
mod recoveries;
mod secrecy;
mod seed;
mod server;
mod sessions;
mod size;
mod table;

use std::{error::Error, process::ExitCode, time::Duration};

use database::Database;
use table::Table;

/// What everything here may fail with; whoever runs it reads the text.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How much is measured.
#[derive(Clone, Copy)]
struct Extent {
    /// How many users the lists have.
    users: usize,
    /// How long one load lasts.
    load: Duration,
    /// How often a list is asked for.
    list_rounds: usize,
    /// How long a list is asked for at most.
    list_time: Duration,
    /// How often a server is started.
    starts: usize,
    /// How often each kind of log-in is timed.
    tries: usize,
}

impl Extent {
    fn chosen() -> Self {
        if std::env::var_os("BENCH_SMOKE").is_some_and(|smoke| smoke != "0") {
            return Self {
                users: 20_000,
                load: Duration::from_secs(1),
                list_rounds: 20,
                list_time: Duration::from_millis(500),
                starts: 2,
                tries: 30,
            };
        }
        Self {
            users: 1_000_000,
            load: Duration::from_secs(4),
            list_rounds: 300,
            list_time: Duration::from_secs(3),
            starts: 5,
            tries: 300,
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["bare-hash", secs] => bare::hash(secs),
        ["bare-row", url, id] => bare::serve_row(url, id),
        ["bare-page", file] => bare::serve_page(file),
        // What `cargo bench` adds of its own means nothing here.
        _ => measure(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("front_door: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One thread, so that the load generator takes no more of the machine than it must.
fn measure() -> Outcome<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let extent = Extent::chosen();
        let mut table = Table::default();
        for database in Database::all()? {
            eprintln!("==> {}: making {} users", database.name, extent.users);
            let database = database.filled(extent).await?;
            measure_on(&database, extent, &mut table).await?;
        }
        table.print();
        Ok(())
    })
}

async fn measure_on(database: &Database, extent: Extent, table: &mut Table) -> Outcome<()> {
    let mut column = table.column(database.name);
    let is_wanted = |part: &str| {
        let is_wanted = std::env::var("BENCH_ONLY").map_or(true, |only| only.split(',').any(|name| name == part));
        if is_wanted {
            eprintln!("==> {}: {part}", database.name);
        }
        is_wanted
    };
    if is_wanted("footprint") {
        footprint::measure(database, extent, &mut column).await?;
    }
    if is_wanted("log-ins") {
        log_ins::measure(database, extent, &mut column).await?;
    }
    if is_wanted("outages") {
        outages::measure(database, extent, &mut column).await?;
    }
    if is_wanted("secrecy") {
        secrecy::measure(database, extent, &mut column).await?;
    }
    if is_wanted("links") {
        recoveries::measure(database, extent, &mut column).await?;
        invites::measure(database, extent, &mut column).await?;
    }
    if is_wanted("mails") {
        mails::measure(database, extent, &mut column).await?;
    }
    if is_wanted("sessions") {
        sessions::measure(database, extent, &mut column).await?;
    }
    if is_wanted("programs") {
        programs::measure(database, extent, &mut column).await?;
    }
    if is_wanted("pages") {
        pages::measure(database, extent, &mut column).await?;
    }
    if is_wanted("lists") {
        lists::measure(database, extent, &mut column).await?;
    }
    database.clean().await
}

/// The one clock of the measurements.
#[expect(clippy::disallowed_methods, reason = "measuring time is what this program is for")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Waits where there is nothing to wait for but time.
#[expect(clippy::disallowed_methods, reason = "a server that starts or rests gives no sign")]
async fn rest(duration: Duration) {
    tokio::time::sleep(duration).await;
}
