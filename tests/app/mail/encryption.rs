//! TLS to a mail server by another hand: from the first byte and by STARTTLS, with a password that travels inside it
//! alone. A server that can't prove to be the one gets neither password nor mail.

use serde_json::json;

use crate::harness::{Kept, MailServer, TestApp, on_both_databases};

on_both_databases! {
    a_mail_and_the_password_travel_by_starttls,
    a_mail_and_the_password_travel_by_tls,
    a_server_with_a_certificate_for_another_name_gets_nothing,
    a_server_that_only_the_operator_knows_gets_nothing_unless_told,
    a_wrong_password_is_said_and_the_mail_waits,
}

const LOGIN: [&str; 2] = ["--login", "door:s3cret"];
const PASSWORD: &str = "username = \"door\"\npassword = \"s3cret\"\n";

async fn sent_by(app: &TestApp, server: &MailServer, encryption: &str) -> Kept {
    let sender = app.another_process_with(&(server.settings(encryption) + PASSWORD)).await;
    let (id, issued) = sender.put_link("bob@example.org", &json!({ "letter": "reset_password" })).await;
    app.mail_becomes(&id, "sent").await;
    let mut mails = server.mails();
    assert_eq!(mails.len(), 1);
    let mail = mails.remove(0);
    assert!(mail.read().text.contains(issued.token.expose()));
    mail
}

async fn a_mail_and_the_password_travel_by_starttls(app: TestApp) {
    let arguments = [&["--encryption", "starttls"][..], &LOGIN].concat();
    let Some(server) = MailServer::start(&app, &arguments).await else { return };
    let mail = sent_by(&app, &server, "starttls").await;
    assert_eq!((mail.is_encrypted, mail.login.as_deref()), (true, Some("door")));
}

async fn a_mail_and_the_password_travel_by_tls(app: TestApp) {
    let arguments = [&["--encryption", "tls"][..], &LOGIN].concat();
    let Some(server) = MailServer::start(&app, &arguments).await else { return };
    let mail = sent_by(&app, &server, "tls").await;
    assert_eq!((mail.is_encrypted, mail.login.as_deref()), (true, Some("door")));
}

/// Sends a mail that must wait, and answers with the reason that admins see.
async fn put_off(app: &TestApp, settings: &str, server: &MailServer) -> String {
    let sender = app.another_process_with(settings).await;
    let id = sender.put_mail("bob@example.org", &json!({ "letter": "test" })).await;
    app.mail_becomes(&id, "put off").await;
    assert_eq!(server.mails(), []);
    assert_eq!(app.number("SELECT max(attempts) FROM mails").await, 0, "it is not the mail's fault");
    app.text_for("SELECT reason FROM mails WHERE id = $1", id.as_str()).await.unwrap()
}

async fn a_server_with_a_certificate_for_another_name_gets_nothing(app: TestApp) {
    let arguments = ["--encryption", "starttls", "--certificate-for", "mail.example.org"];
    let Some(server) = MailServer::start(&app, &arguments).await else { return };
    let reason = put_off(&app, &server.settings("starttls"), &server).await;
    assert!(reason.contains("certificate not valid for name \"localhost\""), "{reason}");
}

async fn a_server_that_only_the_operator_knows_gets_nothing_unless_told(app: TestApp) {
    let Some(server) = MailServer::start(&app, &["--encryption", "tls"]).await else { return };
    let settings = server.settings("tls");
    let (untold, _) = settings.split_once("ca_file").unwrap();
    let reason = put_off(&app, untold, &server).await;
    assert!(reason.contains("UnknownIssuer"), "{reason}");
}

async fn a_wrong_password_is_said_and_the_mail_waits(app: TestApp) {
    let arguments = [&["--encryption", "starttls"][..], &LOGIN].concat();
    let Some(server) = MailServer::start(&app, &arguments).await else { return };
    let settings = server.settings("starttls") + &PASSWORD.replace("s3cret", "wr0ng");
    let reason = put_off(&app, &settings, &server).await;
    assert!(reason.contains("535") && !reason.contains("wr0ng"), "{reason}");
}
