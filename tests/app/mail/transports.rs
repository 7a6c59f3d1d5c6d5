//! The ways out: files in a directory, and a mail server by another hand (aiosmtpd, set up by `.ci/setup mail-server`).

use std::{
    env, fs,
    io::{self, Write},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::json;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

use crate::harness::{Read, TestApp, eventually, on_both_databases, smtp_settings};

on_both_databases! {
    each_mail_is_one_file,
    a_mail_server_by_another_hand_takes_the_mails,
}

fn mails_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
}

async fn each_mail_is_one_file(app: TestApp) {
    let folder = app.folder().join("mails");
    let settings = format!("mail.transport = \"file\"\nmail.directory = {:?}", folder.display().to_string());
    let sender = app.another_process_with(&settings).await;
    let (id, issued) = sender.put_link("bob@example.org", &json!({ "letter": "set_password" })).await;
    app.mail_becomes(&id, "sent").await;
    let mail = Read::parse(&fs::read_to_string(folder.join(format!("{id}.eml"))).unwrap());
    assert_eq!(mail.to, ["bob@example.org"]);
    assert!(mail.text.contains(issued.token.expose()) && mail.html.contains(issued.token.expose()));
    assert_eq!(mails_in(&folder).len(), 1);
}

/// A mail server in a process of its own, that keeps mails in a folder.
struct MailServer {
    _child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl MailServer {
    /// `None` where it is not set up, which is said loudly and fails under `CI`.
    async fn start(folder: PathBuf) -> Option<Self> {
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/python/bin/python");
        if !python.exists() {
            assert!(env::var_os("CI").is_none(), "aiosmtpd is missing, and CI wants it; .ci/setup mail-server");
            let _ = writeln!(io::stderr(), "\n!!! SKIPPED: aiosmtpd is missing (.ci/setup mail-server)");
            return None;
        }
        // Free a moment ago, and asked for again at once.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(python);
        command.args(["-m", "aiosmtpd", "--nosetuid", "--listen", &address.to_string()]);
        command.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(&folder);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn();
        eventually(async || TcpStream::connect(address).await.is_ok()).await;
        Some(Self { _child: child.unwrap(), address, folder: folder.join("new") })
    }
}

async fn a_mail_server_by_another_hand_takes_the_mails(app: TestApp) {
    let Some(server) = MailServer::start(app.folder().join("mailbox")).await else { return };
    let sender = app.another_process_with(&smtp_settings(server.address)).await;
    let mut links = Vec::new();
    for number in 0..10 {
        let to = format!("person{number}@example.org");
        let (id, issued) = sender.put_link(&to, &json!({ "letter": "reset_password" })).await;
        links.push((id, to, issued.token.expose().to_owned()));
    }
    for (id, ..) in &links {
        app.mail_becomes(id, "sent").await;
    }
    let mails: Vec<Read> = mails_in(&server.folder).iter().map(|raw| Read::parse(raw)).collect();
    assert_eq!(mails.len(), 10);
    for (id, to, token) in &links {
        let mail = mails.iter().find(|mail| mail.id == format!("{id}@localhost")).expect("it arrived");
        assert_eq!(mail.to, [to.as_str()]);
        let link = format!("http://localhost:3000/link/{token}");
        assert!(mail.text.contains(&link) && mail.html.contains(&link), "{}", mail.text);
    }
}
