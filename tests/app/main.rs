//! Tests through the front door, on both databases, and the gates that keep the house in order.

#![cfg(test)]

mod api;
mod auth;
mod floors;
mod harness;
mod mail;
mod process;
mod security;
mod web;
mod webhooks;
