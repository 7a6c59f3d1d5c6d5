//! Answers what visitors asked to be mailed: off the request path, so that no answer tells by its time who has an account.
//! Several processes may do this at once; each request is answered once, in the transaction that takes it away.

use std::{future::Future, time::Duration};

use crate::{
    flows::{self, Services},
    platform::Entropy,
};

/// How often it looks for requests that another process has taken in and not answered.
const EVERY: Duration = Duration::from_secs(2);
/// How long a request waits for its answer at least; up to a quarter of a second more is random.
const SOONEST: Duration = Duration::from_millis(50);

/// Answers requests as they come, until told to stop.
pub async fn answer_mail_requests_until(services: Services, stop: impl Future<Output = ()>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            () = services.mail_requested.notified() => {}
            _ = ticks.tick() => {}
        }
        rest(&services.platform.entropy).await;
        if let Err(error) = answer_all(&services).await {
            tracing::warn!(%error, "a mail that was asked for could not be written, the next try comes in {EVERY:?}");
        }
    }
}

/// Answering takes longer where there is an account, and whoever asks for something else meanwhile waits for it: so it is
/// not done at a moment that the one who asked could foresee.
#[expect(clippy::disallowed_methods, reason = "the time itself is what is wanted")]
async fn rest(entropy: &Entropy) {
    let [random] = entropy.bytes::<1>();
    tokio::time::sleep(SOONEST + Duration::from_millis(u64::from(random))).await;
}

async fn answer_all(services: &Services) -> Result<(), flows::Error> {
    while flows::answer_mail_request(services).await? {}
    Ok(())
}
