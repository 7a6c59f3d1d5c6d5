//! `latchkey keys …`: the keys that sign bearer tokens, for whoever owns the machine. Only what is public of them is shown.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{CliError, Told, print, tell};
use crate::{flows, platform::PublicKey};

/// `keys …`.
#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// Lists the keys whose tokens may still live, the newest first.
    List(KeysOutput),
    /// Makes a new key, which signs from now on, and prints its id; tokens of the one before go on to work.
    Rotate(KeysOutput),
}

/// How to say it.
#[derive(Args)]
pub(super) struct KeysOutput {
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// Does what is asked for.
pub(super) async fn run(told: &Told, command: KeysCommand) -> Result<(), CliError> {
    match command {
        KeysCommand::List(output) => list(told, &output).await,
        KeysCommand::Rotate(output) => rotate(told, &output).await,
    }
}

async fn list(told: &Told, output: &KeysOutput) -> Result<(), CliError> {
    let found = told.services.platform.signing_keys.published(told.scope.now).await.map_err(flows::Error::from)?;
    if output.json {
        return print(&Value::Array(found.iter().map(key_json).collect()).to_string());
    }
    let lines: Vec<String> =
        found.iter().map(|key| format!("{}  {}  {}", key.id, key.created_at, state(key))).collect();
    print(&lines.join("\n"))
}

async fn rotate(told: &Told, output: &KeysOutput) -> Result<(), CliError> {
    let id = told.services.platform.signing_keys.rotate(told.scope.now).await.map_err(flows::Error::from)?;
    tell(output.json, &json!({ "id": id }), &id)
}

fn state(key: &PublicKey) -> &'static str {
    if key.retired_at.is_some() { "retired" } else { "signing" }
}

fn key_json(key: &PublicKey) -> Value {
    json!({ "id": key.id, "created_at": key.created_at, "retired_at": key.retired_at, "state": state(key) })
}
