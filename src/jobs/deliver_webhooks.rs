//! Tells endpoints of events. One task makes deliveries of what was written; each endpoint has a task of its own that sends
//! a few at a time, so that one that is slow or silent holds up nobody else. What is not taken is tried again for a day and
//! a half, and then given up where admins see it. A delivery may arrive twice, under the same id.

use std::{future::Future, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    events::{
        self,
        deliveries::{self, DueDelivery},
        webhooks::{self, Endpoint},
    },
    flows::Services,
    platform::{HttpClient, HttpClientError, HttpError, HttpRequest, HttpSettings, Platform, Reach, Timestamp},
};

/// How often it looks for events and deliveries.
const EVERY: Duration = Duration::from_millis(500);
/// How long it leaves a database alone that is in trouble.
const TROUBLE: Duration = Duration::from_secs(5);
/// How long an endpoint may take to answer.
const TIME_LIMIT: Duration = Duration::from_secs(15);
/// How much of an answer is read; only so that the connection can be used again.
const MAX_ANSWER_BYTES: usize = 4_096;
/// How long a delivery belongs to the process that sends it: longer than that can take.
const LEASE: Duration = Duration::from_secs(30);
/// How many deliveries to one endpoint are on their way at once, in one process.
const PARALLEL: usize = 4;
/// How long deliveries in flight may take when the server is told to stop.
const GRACE: Duration = Duration::from_secs(5);
/// How long a delivery waits after each try that failed, as Standard Webhooks advises; by chance up to a fifth less, so that
/// not all come back at once.
const BACK_OFFS: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
];
/// How often it is tried to note what came of a delivery; one of which nobody knows is sent again.
const NOTE_TRIES: u32 = 3;

/// Who delivers: the endpoints, and the clients that reach them.
pub struct Courier {
    services: Services,
    public: HttpClient,
    anywhere: HttpClient,
}

/// What came of a try.
enum Outcome {
    /// It was taken.
    Taken(String),
    /// The endpoint is gone for good.
    Gone,
    /// It was not taken this time.
    Refused(String),
    /// There is nothing to send any more.
    Nothing(String),
}

/// Tells of what happens: a change means that there is something to send, the end that the server stops.
type News = watch::Receiver<()>;

impl Courier {
    /// Delivers to the configured endpoints, as `user_agent`.
    ///
    /// # Errors
    /// [`HttpClientError`] if TLS can't be set up.
    pub fn new(services: Services, user_agent: &str) -> Result<Self, HttpClientError> {
        let client = |reach| {
            let settings = HttpSettings { reach, time_limit: TIME_LIMIT, max_body_bytes: MAX_ANSWER_BYTES };
            HttpClient::new(settings, user_agent)
        };
        Ok(Self { services, public: client(Reach::Public)?, anywhere: client(Reach::Anywhere)? })
    }

    fn platform(&self) -> &Platform {
        &self.services.platform
    }

    fn now(&self) -> Timestamp {
        self.platform().clock.now()
    }
}

/// Delivers until told to stop; then what is in flight may end.
pub async fn deliver_webhooks_until(courier: Courier, stop: impl Future<Output = ()>) {
    let courier = Arc::new(courier);
    let (told, news) = watch::channel(());
    let mut working = JoinSet::new();
    for endpoint in courier.services.rules.webhooks.clone() {
        working.spawn(serve(courier.clone(), Arc::new(endpoint), news.clone()));
    }
    if !working.is_empty() {
        tokio::select! {
            () = stop => {}
            () = tell(&courier, &told) => {}
        }
    }
    drop(told);
    while let Some(ended) = working.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a webhook's task ended badly");
        }
    }
}

/// Makes deliveries of events, again and again.
async fn tell(courier: &Courier, told: &watch::Sender<()>) {
    let Platform { db, entropy, .. } = courier.platform();
    loop {
        let wait = match deliveries::tell(db, entropy, courier.now()).await {
            Ok(0) => EVERY,
            Ok(_) => {
                told.send_replace(());
                EVERY
            }
            Err(error) => {
                tracing::warn!(%error, "webhooks could not be told of events, the next try comes in {TROUBLE:?}");
                TROUBLE
            }
        };
        pause(wait).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "another process, or a command, may have written an event: nobody tells")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Delivers to one endpoint until the news end.
async fn serve(courier: Arc<Courier>, endpoint: Arc<Endpoint>, mut news: News) {
    let mut in_flight = JoinSet::new();
    loop {
        let wait = match fill(&courier, &endpoint, (&mut in_flight, &news)).await {
            Ok(()) => EVERY,
            Err(error) => {
                tracing::warn!(%error, endpoint = endpoint.id, "deliveries could not be looked for");
                TROUBLE
            }
        };
        tokio::select! {
            Some(ended) = in_flight.join_next() => log_panic(ended),
            changed = tokio::time::timeout(wait, news.changed()) => {
                if matches!(changed, Ok(Err(_))) {
                    break;
                }
            }
        }
    }
    while let Some(ended) = in_flight.join_next().await {
        log_panic(ended);
    }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a delivery ended badly");
    }
}

/// Sets as many deliveries on their way as there is room for.
async fn fill(
    courier: &Arc<Courier>,
    endpoint: &Arc<Endpoint>,
    (in_flight, news): (&mut JoinSet<()>, &News),
) -> Result<(), sqlx::Error> {
    let Platform { db, entropy, .. } = courier.platform();
    while in_flight.len() < PARALLEL {
        let claimed = deliveries::claim((db, entropy), &endpoint.id, (courier.now(), LEASE)).await?;
        let Some(due) = claimed else { break };
        in_flight.spawn(deliver((courier.clone(), endpoint.clone()), due, news.clone()));
    }
    Ok(())
}

/// Sends one delivery and notes what came of it; lets go of it where that takes too long for a server that stops.
async fn deliver((courier, endpoint): (Arc<Courier>, Arc<Endpoint>), due: DueDelivery, news: News) {
    let outcome = tokio::select! {
        outcome = attempt(&courier, &endpoint, &due) => outcome.map(Some),
        () = cut_off(news) => Ok(None),
    };
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::warn!(%error, delivery = %due.id, "an event could not be looked up, it is tried again soon");
            return;
        }
    };
    let mut tries = 1;
    while let Err(error) = note(&courier, (&endpoint, &due), outcome.as_ref()).await {
        tracing::warn!(%error, delivery = %due.id, "what came of a delivery could not be noted");
        if tries == NOTE_TRIES {
            break;
        }
        tries += 1;
        pause(EVERY).await;
    }
}

/// Ends a while after the news have ended.
async fn cut_off(mut news: News) {
    while news.changed().await.is_ok() {}
    pause(GRACE).await;
}

async fn attempt(courier: &Courier, endpoint: &Endpoint, due: &DueDelivery) -> Result<Outcome, sqlx::Error> {
    let body = match &due.body {
        Some(body) => body.clone(),
        None => match events::find_event(&courier.platform().db, &due.event).await? {
            Some(event) => webhooks::payload_of(&event).map_err(|error| sqlx::Error::Encode(error.into()))?,
            None => return Ok(Outcome::Nothing("the event is not there any more".to_owned())),
        },
    };
    Ok(match post(courier, endpoint, (due, body)).await {
        Ok(status) if status.is_success() => Outcome::Taken(status.to_string()),
        Ok(StatusCode::GONE) => Outcome::Gone,
        Ok(status) if status.is_redirection() => Outcome::Refused(format!("{status}: redirects are not followed")),
        Ok(status) => Outcome::Refused(status.to_string()),
        Err(error) => Outcome::Refused(error.to_string()),
    })
}

/// Posts what is to be sent, signed for this moment.
async fn post(
    courier: &Courier,
    endpoint: &Endpoint,
    (due, body): (&DueDelivery, String),
) -> Result<StatusCode, HttpError> {
    let client = if endpoint.reach == Reach::Anywhere { &courier.anywhere } else { &courier.public };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in webhooks::headers(endpoint, (&due.event, courier.now()), &body) {
        let value = HeaderValue::try_from(value).map_err(|error| HttpError::Failed(error.to_string()))?;
        headers.insert(name, value);
    }
    let request = HttpRequest { method: Method::POST, url: &endpoint.url, headers, body: body.into_bytes() };
    client.send(request).await.map(|answer| answer.status)
}

/// Notes what came of a try: (1) taken → delivered; (2) gone → nothing more goes there; (3) not taken → later, and given up
/// in the end, a test at once; (4) nothing to send → given up; (5) cut off → back.
async fn note(
    courier: &Courier,
    (endpoint, due): (&Endpoint, &DueDelivery),
    outcome: Option<&Outcome>,
) -> Result<(), sqlx::Error> {
    let (db, now, id) = (&courier.platform().db, courier.now(), &endpoint.id);
    match outcome {
        Some(Outcome::Taken(answer)) => {
            tracing::debug!(delivery = %due.id, endpoint = id, "a webhook was delivered");
            deliveries::mark_delivered(db, due, (now, answer)).await
        }
        Some(Outcome::Gone) => {
            tracing::warn!(
                endpoint = id,
                "an endpoint says that it is gone; nothing is sent there until the next start"
            );
            deliveries::give_up(db, due, (now, webhooks::GONE)).await?;
            webhooks::mark_gone(db, id, now).await
        }
        Some(Outcome::Refused(answer)) => note_refusal(courier, (endpoint, due), answer).await,
        Some(Outcome::Nothing(answer)) => deliveries::give_up(db, due, (now, answer)).await,
        None => deliveries::release(db, due, now).await,
    }
}

async fn note_refusal(
    courier: &Courier,
    (endpoint, due): (&Endpoint, &DueDelivery),
    answer: &str,
) -> Result<(), sqlx::Error> {
    let (db, now, id) = (&courier.platform().db, courier.now(), &endpoint.id);
    let Some(wait) = back_off(courier, due) else {
        tracing::warn!(answer, delivery = %due.id, endpoint = id, "a webhook was not taken and is given up");
        return deliveries::give_up(db, due, (now, answer)).await;
    };
    tracing::info!(answer, delivery = %due.id, endpoint = id, "a webhook was not taken, trying again");
    deliveries::put_off(db, due, (now.plus(wait), answer)).await
}

/// How long a delivery waits that was not taken; `None` where that was its last try.
fn back_off(courier: &Courier, due: &DueDelivery) -> Option<Duration> {
    let longest = BACK_OFFS.get(due.attempts as usize).filter(|_| due.body.is_none())?;
    let [chance] = courier.platform().entropy.bytes::<1>();
    Some(longest.mul_f64(1.0 - f64::from(chance) / 255.0 / 5.0))
}
