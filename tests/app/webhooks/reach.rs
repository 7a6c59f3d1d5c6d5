//! Where webhooks do not go: private addresses, whatever they are called, unless the operator allows them; and wherever an
//! answer would like to send them.

use std::{fs, iter};

use latchkey::config::Config;

use crate::harness::{ADMIN, Answer, MailServer, Receiver, SECRET, TestApp, eventually, on_both_databases};

on_both_databases! {
    a_name_that_leads_to_a_private_address_is_not_called,
    a_redirect_is_not_followed,
    a_server_that_cannot_prove_to_be_the_one_gets_nothing,
    an_endpoint_that_can_never_work_stops_the_start,
}

async fn answer(app: &TestApp) -> String {
    eventually(async || app.number("SELECT count(answer) FROM webhook_deliveries").await == 1).await;
    app.text_for("SELECT answer FROM webhook_deliveries WHERE kind = $1", "session.created").await.unwrap()
}

async fn a_name_that_leads_to_a_private_address_is_not_called(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(200)).await;
    app.admin().await;
    let port = receiver.address.port();
    let settings =
        format!("[[webhooks]]\nid = \"shop\"\nurl = \"https://localhost:{port}/x?token=t0ken\"\nsecret = {SECRET:?}");
    let sender = app.another_process_with(&settings).await;
    sender.logged_in(ADMIN).await;
    assert_eq!(answer(&app).await, "localhost leads to private addresses, which is not allowed");
    assert_eq!(receiver.received().len(), 0);
}

async fn a_redirect_is_not_followed(app: TestApp) {
    let end = Receiver::start(Answer::Status(200)).await;
    let start = Receiver::start(Answer::Redirect(end.url())).await;
    app.admin().await;
    let sender = app.another_process_with(&start.settings("shop")).await;
    sender.logged_in(ADMIN).await;
    assert_eq!(answer(&app).await, "307 Temporary Redirect: redirects are not followed");
    assert_eq!((start.received().len(), end.received().len()), (1, 0));
}

/// What the server would say behind its certificate does not matter: nobody listens.
async fn a_server_that_cannot_prove_to_be_the_one_gets_nothing(app: TestApp) {
    let Some(server) = MailServer::start(&app, &["--encryption", "tls"]).await else { return };
    app.admin().await;
    let url = format!("https://localhost:{}/", server.address.port());
    let settings = format!("[[webhooks]]\nid = \"shop\"\nurl = {url:?}\nsecret = {SECRET:?}\nallow_private = true");
    let sender = app.another_process_with(&settings).await;
    sender.logged_in(ADMIN).await;
    let answer = answer(&app).await;
    assert!(answer.contains("invalid peer certificate: UnknownIssuer"), "{answer}");
}

async fn an_endpoint_that_can_never_work_stops_the_start(app: TestApp) {
    let file = app.folder().join("wrong.toml");
    for (url, more, reason) in [
        ("https://127.0.0.1/", "", "webhooks.shop.url"),
        ("https://10.1.2.3/", "", "10.1.2.3 is a private address"),
        ("https://169.254.169.254/latest/meta-data", "", "private address"),
        ("https://[::1]/", "", "private address"),
        ("https://[::ffff:127.0.0.1]/", "", "private address"),
        ("https://2130706433/", "", "127.0.0.1 is a private address"),
        ("https://0177.0.0.1/", "", "127.0.0.1 is a private address"),
        ("https://0x7f.1/", "", "127.0.0.1 is a private address"),
        ("http://app.example.org/", "", "must begin with `https://`"),
        ("https://app.example.org/", "events = []", "webhooks.shop.events"),
        ("https://app.example.org/", "events = [\"user.craeted\"]", "there are no events `user.craeted`"),
    ] {
        let text = format!("[[webhooks]]\nid = \"shop\"\nurl = {url:?}\nsecret = {SECRET:?}\n{more}\n");
        fs::write(&file, text).unwrap();
        let refusal = Config::load(Some(&file), iter::empty()).unwrap_err().to_string();
        assert!(refusal.contains(reason) && refusal.contains("webhooks.shop"), "{url}: {refusal}");
    }
}
