//! Webhooks on their way: what arrives and how, what happens when it does not, and where nothing goes.

mod delivery;
mod reach;
mod trouble;
