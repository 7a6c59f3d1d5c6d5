//! Webhooks as admins look after them: which endpoints there are and how they fare, what was sent and what came of it; try
//! again, and send a test. Where an endpoint lies and what signs is the operator's, in the configuration.

use super::{Error, Services, authority};
use crate::{
    events::{
        Scope,
        deliveries::{self, Counts, DeliveryFilter, DeliveryList, DeliveryPage},
        webhooks::{self, Endpoint},
    },
    platform::{Bucket, Platform},
    shared::{DeliveryId, EventId},
};

/// An endpoint, and how it fares.
#[derive(Clone, Debug)]
pub struct EndpointView {
    /// Its name.
    pub id: String,
    /// Where it lies: scheme, host and port, since what follows may be a secret.
    pub origin: String,
    /// The kinds and patterns of the events that it wants.
    pub events: Vec<String>,
    /// Whether it is told of events: it is known to all processes, and has not said that it is gone.
    pub is_told: bool,
    /// How many deliveries need a look.
    pub counts: Counts,
}

/// The endpoints, and a page of deliveries.
pub struct Webhooks {
    /// The endpoints, in the order of the configuration.
    pub endpoints: Vec<EndpointView>,
    /// The page.
    pub list: DeliveryList,
}

/// The endpoints and the deliveries that a filter leaves, the newest first.
///
/// # Errors
/// [`Error::Forbidden`] for who may not manage users.
pub async fn view_webhooks(
    services: &Services,
    scope: &Scope,
    filter: &DeliveryFilter,
    (page, limit): (&DeliveryPage, u32),
) -> Result<Webhooks, Error> {
    authority::asks_as_manager(scope)?;
    let db = &services.platform.db;
    let standings = webhooks::standings(db).await?;
    let mut endpoints = Vec::new();
    for endpoint in &services.rules.webhooks {
        let is_told = standings.iter().any(|standing| standing.id == endpoint.id && standing.gone_at.is_none());
        let counts = deliveries::counts(db, &endpoint.id).await?;
        let Endpoint { id, url, events, .. } = endpoint.clone();
        endpoints.push(EndpointView { id, origin: url.origin(), events, is_told, counts });
    }
    Ok(Webhooks { endpoints, list: deliveries::list(db, (filter, page), limit).await? })
}

/// Lets a delivery be tried again at once that failed or was put off.
///
/// # Errors
/// [`Error::NotFound`] if there is none that can still be sent, [`Error::Forbidden`].
pub async fn retry_delivery(services: &Services, scope: &Scope, id: &DeliveryId) -> Result<(), Error> {
    let mut tx = services.platform.db.begin().await?;
    authority::hold_as_manager(&mut tx, scope).await?;
    if !deliveries::retry(&mut tx, id, scope.now).await? {
        return Err(Error::NotFound);
    }
    Ok(tx.commit().await?)
}

/// Sends a test to an endpoint, by the queue of everything else. It is tried once.
///
/// # Errors
/// [`Error::NotFound`] if there is no such endpoint or it is gone, [`Error::TooManyTries`], [`Error::Forbidden`].
pub async fn send_test_webhook(services: &Services, scope: &Scope, endpoint: &str) -> Result<(), Error> {
    let Platform { db, entropy, limits, .. } = &services.platform;
    let admin = scope.user_id().ok_or(Error::Unauthorized)?;
    let (id, event) = (DeliveryId::new(entropy.uuid_v7(scope.now)), EventId::new(entropy.uuid_v7(scope.now)));
    let body = webhooks::test_payload(&event, endpoint, scope).map_err(Error::internal)?;
    let mut tx = db.begin().await?;
    authority::hold_as_manager(&mut tx, scope).await?;
    if !deliveries::put_test(&mut tx, (&id, &event), (endpoint, &body), scope.now).await? {
        return Err(Error::NotFound);
    }
    // Behind that, so that names of nothing fill no table.
    let (subject, limit) = (format!("{admin} {endpoint}"), services.rules.limits.test_webhook_per_admin);
    limits.take_in(&mut tx, scope.now, &[Bucket { name: "test_webhook", subject: &subject, limit }]).await?;
    Ok(tx.commit().await?)
}
