//! What is put into the outbox arrives once, in order, and leaves nothing behind.

use serde_json::json;

use crate::harness::{Manner, Smtp, TestApp, on_both_databases};

on_both_databases! {
    a_mail_arrives_once_and_its_link_is_forgotten,
    the_code_of_a_mail_is_stored_hashed_before_it_leaves,
    mails_to_one_person_arrive_in_order,
    a_mail_whose_link_has_ended_is_never_sent,
    where_no_transport_is_configured_nothing_leaves,
    a_server_that_stops_lets_go_of_its_mails,
}

async fn a_mail_arrives_once_and_its_link_is_forgotten(app: TestApp) {
    let smtp = Smtp::start(Manner::Honest).await;
    let sender = app.another_process_with(&smtp.settings()).await;
    let (id, issued) = sender.put_link("bob@example.org", &json!({ "letter": "reset_password" })).await;
    let received = smtp.take(1).await;
    assert_eq!(received[0].from, "MAIL FROM:<no-reply@localhost>");
    assert_eq!(received[0].to, ["RCPT TO:<bob@example.org>"]);
    let mail = received[0].read();
    assert_eq!(mail.id, format!("{id}@localhost"));
    assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("no-reply@localhost", &["bob@example.org".to_owned()][..]));
    let link = format!("http://localhost:3000/link/{}", issued.token.expose());
    assert!(mail.text.lines().any(|line| line == link), "{}", mail.text);
    assert!(mail.html.contains(&format!("href=\"{link}\"")), "{}", mail.html);
    app.mail_becomes(&id, "sent").await;
    let kept = "SELECT coalesce(sealed, '') || coalesce(reason, '') || coalesce(claim, '') FROM mails WHERE id = $1";
    assert_eq!(app.text_for(kept, id.as_str()).await.as_deref(), Some(""));
    app.advance(std::time::Duration::from_mins(5));
    sender.put_mail("eve@example.org", &json!({ "letter": "test" })).await;
    assert_eq!(smtp.take(2).await.len(), 2, "the first is not sent again");
}

async fn the_code_of_a_mail_is_stored_hashed_before_it_leaves(app: TestApp) {
    let smtp = Smtp::start(Manner::ToRecipients("451 later")).await;
    let sender = app.another_process_with(&smtp.settings()).await;
    let (id, issued) = sender.put_link("bob@example.org", &json!({ "letter": "reset_password" })).await;
    app.mail_becomes(&id, "put off").await;
    let hash = "SELECT code_hash FROM one_time_tokens WHERE id = $1";
    let first = app.text_for(hash, issued.id.as_str()).await.unwrap();
    let code = latchkey::platform::OneTimeCode::parse("abcd 2345").unwrap();
    let verdict = app.platform.passwords.verify(code.to_password(), Some(&first)).await.unwrap();
    assert_eq!(verdict, latchkey::platform::Verdict::Right);
    smtp.behave(Manner::Honest);
    app.advance(std::time::Duration::from_mins(2));
    assert!(smtp.take(1).await[0].read().text.contains("ABCD-2345"));
    assert_eq!(app.text_for(hash, issued.id.as_str()).await, Some(first), "it is hashed once");
}

async fn mails_to_one_person_arrive_in_order(app: TestApp) {
    let smtp = Smtp::start(Manner::ToRecipients("451 later")).await;
    let sender = app.another_process_with(&smtp.settings()).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(sender.put_mail("bob@example.org", &json!({ "letter": "test" })).await);
        app.advance(std::time::Duration::from_millis(2));
    }
    app.mail_becomes(&ids[0], "put off").await;
    assert_eq!(app.mail_state(&ids[1]).await, "waiting");
    smtp.behave(Manner::Honest);
    app.advance(std::time::Duration::from_mins(2));
    let arrived: Vec<String> = smtp.take(5).await.iter().map(|mail| mail.read().id).collect();
    assert_eq!(arrived, ids.iter().map(|id| format!("{id}@localhost")).collect::<Vec<_>>());
}

async fn a_mail_whose_link_has_ended_is_never_sent(app: TestApp) {
    let (id, _) = app.put_link("bob@example.org", &json!({ "letter": "reset_password" })).await;
    let (replaced, _) = app.put_link("eve@example.org", &json!({ "letter": "reset_password" })).await;
    app.advance(std::time::Duration::from_mins(14));
    let (newer, _) = app.put_link("eve@example.org", &json!({ "letter": "reset_password" })).await;
    app.advance(std::time::Duration::from_mins(2));
    let smtp = Smtp::start(Manner::Honest).await;
    app.another_process_with(&smtp.settings()).await;
    for (id, state) in [(&id, "dropped"), (&replaced, "dropped"), (&newer, "sent")] {
        app.mail_becomes(id, state).await;
    }
    assert_eq!(smtp.received().len(), 1);
}

async fn where_no_transport_is_configured_nothing_leaves(app: TestApp) {
    let (id, _) = app.put_link("bob@example.org", &json!({ "letter": "reset_password" })).await;
    assert!(!app.platform.outbox.is_sent());
    assert_eq!(app.mail_state(&id).await, "waiting");
    assert_eq!(app.number("SELECT count(*) FROM mails WHERE claimed_until > 0 OR attempts > 0").await, 0);
}

async fn a_server_that_stops_lets_go_of_its_mails(app: TestApp) {
    let smtp = Smtp::start(Manner::Silent).await;
    let sender = app.another_process_with(&smtp.settings().replace("\"1s\"", "\"5m\"")).await;
    let id = sender.put_mail("bob@example.org", &json!({ "letter": "test" })).await;
    smtp.called(1).await;
    sender.stop_last().await;
    let claimed = "SELECT id FROM mails WHERE id = $1 AND claimed_until > 0";
    assert_eq!(app.text_for(claimed, id.as_str()).await, None, "another process may send it at once");
    smtp.behave(Manner::Honest);
    app.another_process_with(&smtp.settings()).await;
    app.mail_becomes(&id, "sent").await;
}
