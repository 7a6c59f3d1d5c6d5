//! The ways out: files in a directory, and a mail server by another hand.

use std::{fs, path::Path};

use serde_json::json;

use crate::harness::{Kept, MailServer, Read, TestApp, on_both_databases, smtp_settings};

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

async fn a_mail_server_by_another_hand_takes_the_mails(app: TestApp) {
    let Some(server) = MailServer::start(&app, &[]).await else { return };
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
    let mails: Vec<Read> = server.mails().iter().map(Kept::read).collect();
    assert_eq!(mails.len(), 10);
    for (id, to, token) in &links {
        let mail = mails.iter().find(|mail| mail.id == format!("{id}@localhost")).expect("it arrived");
        assert_eq!(mail.to, [to.as_str()]);
        let link = format!("http://localhost:3000/link/{token}");
        assert!(mail.text.contains(&link) && mail.html.contains(&link), "{}", mail.text);
    }
}
