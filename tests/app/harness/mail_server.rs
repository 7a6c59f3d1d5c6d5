//! A mail server by another hand (aiosmtpd, set up by `.ci/setup mail-server`): a process of its own, with a certificate
//! of an authority that nobody else knows. What it takes is told by a file for each mail.

use std::{
    env, fs,
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::{Read, TestApp};

/// A mail server of one test; gone when dropped.
pub struct MailServer {
    pub address: SocketAddr,
    folder: PathBuf,
    _child: Child,
}

/// A mail as the server took it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Kept {
    /// The address in `MAIL FROM`.
    pub from: String,
    /// The addresses in `RCPT TO`.
    pub to: Vec<String>,
    /// What else stood in `MAIL FROM`.
    pub options: Vec<String>,
    /// Whether it came over TLS.
    pub is_encrypted: bool,
    /// Who was logged in.
    pub login: Option<String>,
    /// Head and body.
    pub data: String,
}

impl Kept {
    /// The mail as its recipient reads it.
    pub fn read(&self) -> Read {
        Read::parse(&self.data)
    }
}

impl MailServer {
    /// Starts one that is told this; `None` where it is not set up, which is said loudly and fails under `CI`.
    pub async fn start(app: &TestApp, arguments: &[&str]) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("target/tools/python/bin/python");
        if !python.exists() {
            assert!(env::var_os("CI").is_none(), "aiosmtpd is missing, and CI wants it; .ci/setup mail-server");
            let _ = writeln!(io::stderr(), "\n!!! SKIPPED: aiosmtpd is missing (.ci/setup mail-server)");
            return None;
        }
        let folder = app.folder().join("mail-server");
        let mut command = Command::new(python);
        command.arg(root.join("tests/app/harness/mail_server.py")).arg(&folder).args(arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next_line().await.unwrap().expect("it starts; .ci/setup mail-server brings it up to date");
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
        Some(Self { address, folder, _child: child })
    }

    /// The certificate of the authority that signed the server's.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Settings that send mails here over TLS, by the name `localhost`, believing the server's authority.
    pub fn settings(&self, encryption: &str) -> String {
        format!(
            "mail.transport = \"smtp\"\n\
             registration.require_verified_email = false\n\
             [mail.smtp]\nhost = \"localhost\"\nport = {}\nencryption = \"{encryption}\"\ntimeout = \"5s\"\n\
             ca_file = {:?}\n",
            self.address.port(),
            self.ca_file().display().to_string()
        )
    }

    /// What was taken so far, in that order.
    pub fn mails(&self) -> Vec<Kept> {
        let text = |number: usize| fs::read_to_string(self.folder.join(format!("{number}.json"))).ok();
        (0..).map_while(text).map(|text| serde_json::from_str(&text).unwrap()).collect()
    }
}
