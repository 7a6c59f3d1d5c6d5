//! Addresses that are not all ASCII: the domain travels as the name service knows it, to every server; a local part only
//! to a server that says it takes such ones (RFC 6531).

use serde_json::json;

use crate::harness::{MailServer, TestApp, on_both_databases, smtp_settings};

on_both_databases! {
    a_domain_that_is_not_ascii_goes_to_every_server,
    a_local_part_that_is_not_ascii_goes_to_servers_that_take_it,
    a_local_part_that_is_not_ascii_fails_visibly_elsewhere,
}

async fn a_domain_that_is_not_ascii_goes_to_every_server(app: TestApp) {
    let Some(server) = MailServer::start(&app, &[]).await else { return };
    let settings = smtp_settings(server.address) + "\nmail.from = \"Tür <door@tür.example>\"";
    let sender = app.another_process_with(&settings).await;
    let id = sender.put_mail("Ada@Bücher.example", &json!({ "letter": "test" })).await;
    app.mail_becomes(&id, "sent").await;
    let mail = server.mails().remove(0);
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("door@xn--tr-xka.example", &["ada@xn--bcher-kva.example".to_owned()][..])
    );
    assert!(mail.options.is_empty() && mail.data.is_ascii(), "{mail:?}");
    assert_eq!((mail.read().from, mail.read().to), (mail.from, mail.to));
    let recipient = app.text_for("SELECT recipient FROM mails WHERE id = $1", id.as_str()).await;
    assert_eq!(recipient.as_deref(), Some("ada@bücher.example"), "people read it as they write it");
}

async fn a_local_part_that_is_not_ascii_goes_to_servers_that_take_it(app: TestApp) {
    let Some(server) = MailServer::start(&app, &["--smtputf8"]).await else { return };
    let sender = app.another_process_with(&smtp_settings(server.address)).await;
    let id = sender.put_mail("jürgen@bücher.example", &json!({ "letter": "test" })).await;
    app.mail_becomes(&id, "sent").await;
    let mail = server.mails().remove(0);
    assert_eq!(mail.to, ["jürgen@xn--bcher-kva.example"]);
    assert!(mail.options.contains(&"SMTPUTF8".to_owned()), "{:?}", mail.options);
    assert_eq!(mail.read().to, mail.to);
}

async fn a_local_part_that_is_not_ascii_fails_visibly_elsewhere(app: TestApp) {
    let Some(server) = MailServer::start(&app, &[]).await else { return };
    let sender = app.another_process_with(&smtp_settings(server.address)).await;
    let id = sender.put_mail("jürgen@example.org", &json!({ "letter": "test" })).await;
    app.mail_becomes(&id, "failed").await;
    let reason = app.text_for("SELECT reason FROM mails WHERE id = $1", id.as_str()).await.unwrap();
    assert!(reason.contains("SMTPUTF8"), "{reason}");
    let other = sender.put_mail("bob@example.org", &json!({ "letter": "test" })).await;
    app.mail_becomes(&other, "sent").await;
    assert_eq!(server.mails().len(), 1);
}
