//! Mails on their way: what arrives, what happens when it does not, and what nobody can make them say.

mod addresses;
mod delivery;
mod encryption;
mod letters;
mod transports;
mod trouble;
