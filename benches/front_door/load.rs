//! Load: some connections that each send their next request when the last one is answered, for some time.

use std::{net::SocketAddr, rc::Rc, time::Duration};

use tokio::task::LocalSet;

use crate::{
    Outcome,
    client::{Answer, Client},
    now,
};

/// What came of a load.
#[derive(Default)]
pub struct Load {
    /// How many requests were answered as they should be.
    pub answered: usize,
    /// How long that took.
    pub took: Duration,
    /// How long each of them took.
    pub times: Vec<Duration>,
    /// The first answer that was wrong.
    pub wrong: Option<String>,
}

impl Load {
    /// Answers in a second; nothing if any was wrong.
    pub fn per_second(&self) -> Outcome<f64> {
        if let Some(wrong) = &self.wrong {
            return Err(format!("a wrong answer under load: {wrong}").into());
        }
        Ok(number(self.answered) / self.took.as_secs_f64())
    }
}

/// The requests of a load, and what their answers must be.
pub struct Requests {
    /// Each connection takes the next one.
    pub each: Vec<Vec<u8>>,
    /// Whether an answer is right.
    pub is_right: fn(&Answer) -> bool,
}

/// Sends `requests` over so many connections for some time.
pub async fn run(address: SocketAddr, connections: usize, lasting: Duration, requests: Requests) -> Outcome<Load> {
    let requests = Rc::new(requests);
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(Client::connect(address).await?);
    }
    let local = LocalSet::new();
    let started = now();
    let tasks: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(nth, client)| local.spawn_local(one(client, nth, (connections, lasting), Rc::clone(&requests))))
        .collect();
    local.await;
    let mut load = Load { took: started.elapsed(), ..Load::default() };
    for task in tasks {
        let one = task.await??;
        load.answered += one.answered;
        load.times.extend(one.times);
        load.wrong = load.wrong.or(one.wrong);
    }
    Ok(load)
}

async fn one(
    mut client: Client,
    nth: usize,
    (connections, lasting): (usize, Duration),
    requests: Rc<Requests>,
) -> Outcome<Load> {
    let (started, mut load, mut next) = (now(), Load::default(), nth);
    while started.elapsed() < lasting {
        let asked = now();
        let answer = client.ask(&requests.each[next % requests.each.len()]).await?;
        load.times.push(asked.elapsed());
        next += connections;
        if (requests.is_right)(&answer) {
            load.answered += 1;
        } else {
            load.wrong = Some(answer.head);
            break;
        }
    }
    Ok(load)
}

/// The time below which so many of a hundred lie.
pub fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let at = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(at).copied().unwrap_or_default()
}

/// A count as what one calculates with.
#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
pub fn number(count: usize) -> f64 {
    count as f64
}
