//! Log-ins: how much of a core goes into hashing, how many there are a second, and what becomes of the server while more
//! come at once than it can take.

use std::{fs, process::Command, time::Duration};

use tokio::task::LocalSet;

use crate::{
    Extent, Outcome,
    accounts::{PEOPLE, is_logged_in, log_in},
    client::{Client, get},
    database::Database,
    footprint::megabytes,
    load::{self, Requests, number, percentile},
    now, rest,
    server::{self, Server},
    table::{Cell, Column},
};

/// How many connections keep the hashing cores busy.
pub const CONNECTIONS: usize = 8;
/// How often server and bare hasher take turns. From one second to the next the machine was up to a fifth faster or
/// slower, so there are many short ones.
const TURNS: u32 = 64;
const MIN_EFFICIENCY: f64 = 0.90;
/// What the best peers made with the same cost, alone and at eight connections.
const PEERS: [(usize, f64); 2] = [(1, 84.0), (8, 143.0)];
/// How many have logged in before.
const FIRST: usize = 8;
/// How many log in at once.
const CROWD: usize = 256;
const MAX_LIVE: Duration = Duration::from_millis(100);
const HASH_KIB: f64 = 19.0 * 1024.0;
/// How far apart two signs of life are asked for.
const PULSE: Duration = Duration::from_millis(5);

/// Measures them.
pub async fn measure(database: &Database, extent: Extent, column: &mut Column<'_>) -> Outcome<()> {
    on_one_core(database, extent, column).await?;
    on_all_cores(database, extent, column).await?;
    of_a_crowd(database, extent, column).await
}

/// Log-ins of everybody who has an account, one after the other.
pub fn log_ins() -> Requests {
    Requests { each: (0..PEOPLE).map(log_in).collect(), is_right: is_logged_in }
}

/// The server has core 0 for itself, and the bare hasher has it in turn, since the machine is not equally fast all the
/// time. Whoever asks and the database, which is a machine of its own where there is load, have another.
async fn on_one_core(database: &Database, extent: Extent, column: &mut Column<'_>) -> Outcome<()> {
    let others = [Some(std::process::id()), database.process().await?];
    pin(&others, "1")?;
    let measured = in_turn(database, extent.load / 8).await;
    pin(&others, &format!("0-{}", cores() - 1))?;
    let (made, bare) = measured?;
    column.note(
        "log-ins on one core",
        "ratio 0.90, bare hashing",
        Cell::rates(made, bare, made / bare >= MIN_EFFICIENCY),
    );
    Ok(())
}

/// Log-ins and bare hashes in a second, both as the mean of all turns.
async fn in_turn(database: &Database, lasting: Duration) -> Outcome<(f64, f64)> {
    let server = Server::start(database, Some(0)).await?;
    let secs = lasting.as_secs_f64().to_string();
    let (mut made, mut bare) = (0.0, 0.0);
    for _ in 0..TURNS {
        bare += server::bare(&["bare-hash", &secs], Some(0))?.1.parse::<f64>()?;
        made += load::run(server.address, CONNECTIONS, lasting, log_ins()).await?.per_second()?;
    }
    Ok((made / f64::from(TURNS), bare / f64::from(TURNS)))
}

/// Moves processes, and what they start from now on, to some cores.
fn pin(processes: &[Option<u32>], cores: &str) -> Outcome<()> {
    for id in processes.iter().flatten() {
        let arguments = ["-a", "-c", "-p", cores, &id.to_string()];
        let status = Command::new("taskset").args(arguments).stdout(std::process::Stdio::null()).status()?;
        if !status.success() {
            return Err("taskset failed".into());
        }
    }
    Ok(())
}

fn cores() -> usize {
    let listed = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    listed.lines().filter(|line| line.starts_with("processor")).count().max(1)
}

async fn on_all_cores(database: &Database, extent: Extent, column: &mut Column<'_>) -> Outcome<()> {
    let server = Server::start(database, None).await?;
    for (connections, peer) in PEERS {
        let made = load::run(server.address, connections, extent.load, log_ins()).await?.per_second()?;
        let what = format!("log-ins on all cores, {connections} at once");
        column.note(&what, &format!("over {peer:.0}/s, as peers"), Cell::alone(format!("{made:.1}/s"), made > peer));
    }
    Ok(())
}

async fn of_a_crowd(database: &Database, extent: Extent, column: &mut Column<'_>) -> Outcome<()> {
    let server = Server::start(database, None).await?;
    let crowd = Crowd::gather(&server).await?;
    rest(Duration::from_secs(3)).await;
    let base = server.process.memory_kib("VmRSS")?;
    let mut seen = crowd.push_in(&server, extent.load).await?;
    let live = percentile(&mut seen.live, 99);
    let text = format!("{:.1} ms of {}", live.as_secs_f64() * 1e3, seen.live.len());
    column.note("/health/live p99 while 256 log in", "100 ms", Cell::alone(text, live <= MAX_LIVE));

    let peak = server.process.memory_kib("VmHWM")?;
    let allowed = number(base) + number(cores()) * HASH_KIB * 1.25;
    let text = format!("{} over {}", megabytes(peak.saturating_sub(base)), megabytes(base));
    column.note(
        "memory they take",
        &format!("{:.1} MB, two hashes × 1.25", number(cores()) * HASH_KIB * 1.25 * 1024.0 / 1e6),
        Cell::alone(text, number(peak) <= allowed),
    );
    let text = format!("{} let in, {} put off", seen.let_in, seen.put_off);
    let is_good = seen.let_in > 0 && seen.wrong == 0;
    column.note("what they are answered", "302, or 503 with Retry-After", Cell::alone(text, is_good));
    Ok(())
}

/// Many that log in at once.
struct Crowd(Vec<Client>);

#[derive(Default)]
struct Seen {
    live: Vec<Duration>,
    let_in: usize,
    put_off: usize,
    wrong: usize,
}

impl Crowd {
    /// Each has opened the page that it logs in by, and a few have come in one after another, so that what connections
    /// and a first log-in take is no longer news.
    async fn gather(server: &Server) -> Outcome<Self> {
        let mut clients = Vec::new();
        for nth in 0..CROWD {
            let mut client = Client::connect(server.address).await?;
            client.ask(&get("/login", "")).await?;
            if nth < FIRST && !is_logged_in(&client.ask(&log_in(nth)).await?) {
                return Err("a first log-in was refused".into());
            }
            clients.push(client);
        }
        Ok(Self(clients))
    }

    /// All ask at once, wait until all are answered, and ask again.
    async fn push_in(self, server: &Server, lasting: Duration) -> Outcome<Seen> {
        let (mut clients, mut seen, started) = (self.0, Seen::default(), now());
        while started.elapsed() < lasting {
            let local = LocalSet::new();
            let asked: Vec<_> = clients
                .drain(..)
                .enumerate()
                .map(|(nth, mut client)| {
                    local.spawn_local(async move { client.ask(&log_in(nth)).await.map(|answer| (client, answer)) })
                })
                .collect();
            let address = server.address;
            let watch = local.spawn_local(async move { watch(address).await });
            local
                .run_until(async {
                    for task in asked {
                        let (client, answer) = task.await??;
                        clients.push(client);
                        match answer.status {
                            302 if is_logged_in(&answer) => seen.let_in += 1,
                            503 if answer.header("retry-after").is_some() => seen.put_off += 1,
                            _ => seen.wrong += 1,
                        }
                    }
                    Outcome::Ok(())
                })
                .await?;
            DONE.with(|done| done.set(true));
            seen.live.extend(local.run_until(watch).await??);
            DONE.with(|done| done.set(false));
        }
        Ok(seen)
    }
}

thread_local! {
    /// Whether the crowd is answered; all of this program is one thread.
    static DONE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

async fn watch(address: std::net::SocketAddr) -> Outcome<Vec<Duration>> {
    let mut client = Client::connect(address).await?;
    let mut times = Vec::new();
    while !DONE.with(std::cell::Cell::get) {
        let asked = now();
        let answer = client.ask(&get("/health/live", "")).await?;
        if answer.status != 200 {
            return Err("the server says that it does not live".into());
        }
        times.push(asked.elapsed());
        rest(PULSE).await;
    }
    Ok(times)
}
