//! The binary as a process: its commands, its end by signals, and what survives when it is killed.

mod commands;
mod invites;
mod kill;
mod logs;
mod mail;
mod signals;
mod webhooks;

use std::process::Stdio;

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
};

use crate::harness::TestApp;

/// The binary, told to use the database of this test.
fn latchkey(app: &TestApp) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    command.arg("--config").arg(app.config_file()).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// A server in a process of its own.
struct Server {
    child: Child,
    url: String,
    output: Lines<BufReader<ChildStderr>>,
}

impl Server {
    /// Starts it, and waits until it says where it listens.
    async fn start(app: &TestApp) -> Self {
        Self::start_with(app, &[]).await
    }

    /// The same with settings from the environment.
    async fn start_with(app: &TestApp, settings: &[(&str, String)]) -> Self {
        let mut command = latchkey(app);
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        let mut child = command.arg("serve").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = output.next_line().await.unwrap().expect("the server says where it listens");
            let said: Option<serde_json::Value> = serde_json::from_str(&line).ok();
            if let Some(address) = said.as_ref().and_then(|said| said["address"].as_str()) {
                break address.to_owned();
            }
        };
        Self { child, url: format!("http://{address}"), output }
    }

    /// Sends it a signal.
    fn signal(&self, signal: &str) {
        let id = self.child.id().expect("the server runs").to_string();
        let done = std::process::Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(done.success());
    }
}
