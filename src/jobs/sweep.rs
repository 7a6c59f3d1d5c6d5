//! Sweeps away what has ended by time: sessions, remembered states of redirects, refilled rate limits, old one-time
//! tokens, mails and deliveries. What has ended is refused whether it was swept or not; this only keeps the file small. Several processes may
//! sweep at once.

use std::{future::Future, time::Duration};

use crate::{auth, events::deliveries, flows::Services, platform::one_time, sessions};

/// How often it sweeps.
const EVERY: Duration = Duration::from_mins(10);

/// Sweeps now and then, until told to stop.
pub async fn sweep_until(services: Services, stop: impl Future<Output = ()>) {
    let mut ticks = tokio::time::interval(EVERY);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = sweep(&services).await {
            tracing::warn!(%error, "sweeping failed, the next time comes in {EVERY:?}");
        }
    }
}

async fn sweep(services: &Services) -> Result<(), sqlx::Error> {
    let platform = &services.platform;
    let now = platform.clock.now();
    let sessions = sessions::sweep(&platform.db, services.rules.lifetime, now).await?;
    let bearer_tokens = sessions::sweep_tokens(&platform.db, now).await?;
    let signing_keys = platform.signing_keys.sweep(now).await?;
    let states = auth::sweep_states(&platform.db, now).await?;
    let limits = platform.limits.sweep(now).await?;
    let tokens = one_time::sweep(&platform.db, now).await?;
    let mails = platform.outbox.sweep(&platform.db, now).await?;
    let webhooks = deliveries::sweep(&platform.db, now).await?;
    tracing::debug!(sessions, bearer_tokens, signing_keys, states, limits, tokens, mails, webhooks, "swept");
    Ok(())
}
