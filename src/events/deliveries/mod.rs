//! Deliveries: one event on its way to one endpoint. They are made after the event, from the mark that it was written with,
//! so that none is made for what never happened, none is lost, and none is made twice. Whoever sends claims one at a time:
//! nobody else touches it until the claim ends, so that a process that dies delays what it held and loses nothing. Called by
//! the job that delivers and by the webhooks page.

mod list;
mod queue;
mod tell;

pub use list::{Counts, Delivery, DeliveryFilter, DeliveryList, DeliveryPage, DeliveryState, counts, list};
pub use queue::{DueDelivery, claim, give_up, mark_delivered, put_off, put_test, release, retry, sweep};
pub use tell::tell;

#[cfg(test)]
mod tests;
