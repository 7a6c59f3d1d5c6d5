//! Mail servers that refuse, hang, close or lie: nothing is lost, nothing fails that is not its own fault, and what fails
//! says why.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Manner, Smtp, TestApp, on_both_databases};

on_both_databases! {
    a_refused_mail_fails_at_once_with_its_reason,
    a_server_in_trouble_is_no_mails_fault,
    a_mail_that_is_put_off_too_often_is_given_up,
    a_password_is_never_sent_where_encryption_is_missing,
}

async fn a_refused_mail_fails_at_once_with_its_reason(app: TestApp) {
    let smtp = Smtp::start(Manner::ToRecipients("550 no such user here")).await;
    let sender = app.another_process_with(&smtp.settings()).await;
    let (id, _) = sender.put_link("bob@example.org", &json!({ "letter": "reset_password" })).await;
    app.mail_becomes(&id, "failed").await;
    let reason = app.text_for("SELECT reason FROM mails WHERE id = $1", id.as_str()).await.unwrap();
    assert!(reason.contains("550") && reason.contains("no such user here"), "{reason}");
    smtp.behave(Manner::Honest);
    let other = sender.put_mail("bob@example.org", &json!({ "letter": "test" })).await;
    app.mail_becomes(&other, "sent").await;
    assert_eq!(app.mail_state(&id).await, "failed", "a failed mail stays so until somebody tries again");
}

async fn a_server_in_trouble_is_no_mails_fault(app: TestApp) {
    let smtp = Smtp::start(Manner::Closing).await;
    let password = "username = \"door\", password = \"secret\", timeout";
    let sender = app.another_process_with(&smtp.settings().replace("timeout", password)).await;
    for manner in [Manner::Closing, Manner::Silent, Manner::WrongPassword] {
        smtp.behave(manner);
        let calls = smtp.calls();
        let id = sender.put_mail("bob@example.org", &json!({ "letter": "test" })).await;
        smtp.called(calls + 1).await;
        app.mail_becomes(&id, "put off").await;
        assert_eq!(app.number("SELECT max(attempts) FROM mails").await, 0, "{manner:?}");
        sender.change("DELETE FROM mails").await;
    }
    assert_eq!(smtp.received(), []);
}

async fn a_mail_that_is_put_off_too_often_is_given_up(app: TestApp) {
    let smtp = Smtp::start(Manner::ToRecipients("451 greylisted")).await;
    let sender = app.another_process_with(&smtp.settings()).await;
    let id = sender.put_mail("bob@example.org", &json!({ "letter": "test" })).await;
    app.mail_becomes(&id, "put off").await;
    app.change("UPDATE mails SET attempts = 59").await;
    app.advance(Duration::from_secs(10));
    app.mail_becomes(&id, "failed").await;
    let reason = app.text_for("SELECT reason FROM mails WHERE id = $1", id.as_str()).await.unwrap();
    assert!(reason.contains("60 tries") && reason.contains("greylisted"), "{reason}");
}

async fn a_password_is_never_sent_where_encryption_is_missing(app: TestApp) {
    let smtp = Smtp::start(Manner::Honest).await;
    let sender = app.another_process_with(&smtp.settings().replace("\"none\"", "\"starttls\"")).await;
    let id = sender.put_mail("bob@example.org", &json!({ "letter": "test" })).await;
    app.mail_becomes(&id, "put off").await;
    let reason = app.text_for("SELECT reason FROM mails WHERE id = $1", id.as_str()).await.unwrap();
    assert!(reason.contains("STARTTLS"), "{reason}");
    assert_eq!(smtp.received(), []);
}
