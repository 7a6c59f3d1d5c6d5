//! Mails and processes: two senders on one database, one that is killed, and a mail server that is down for a while.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use tokio::time::timeout;

use super::Server;
use crate::harness::{Manner, Received, Smtp, TestApp, eventually, on_both_databases};

on_both_databases! {
    two_processes_send_each_mail_once,
    a_killed_process_repeats_one_mail_at_most,
    all_mails_arrive_soon_after_the_server_is_well_again,
}

const MAILS: usize = 100;
/// Within what all must have arrived when the mail server is well again.
const RECOVERY: Duration = Duration::from_mins(2);

fn settings(address: SocketAddr) -> Vec<(&'static str, String)> {
    vec![
        ("LATCHKEY_MAIL__TRANSPORT", "smtp".to_owned()),
        ("LATCHKEY_MAIL__SMTP__HOST", address.ip().to_string()),
        ("LATCHKEY_MAIL__SMTP__PORT", address.port().to_string()),
        ("LATCHKEY_MAIL__SMTP__ENCRYPTION", "none".to_owned()),
        ("LATCHKEY_MAIL__SMTP__TIMEOUT", "1s".to_owned()),
    ]
}

async fn put_mails(app: &TestApp, round: &str) {
    app.put_mails_now((0..MAILS).map(|number| format!("{round}-{number}@example.org"))).await;
}

/// How often each person got a mail.
fn counts(received: &[Received]) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for mail in received {
        *counts.entry(mail.to.join(",")).or_default() += 1;
    }
    counts
}

async fn nothing_waits(app: &TestApp) {
    let waiting = "SELECT count(*) FROM mails WHERE sent_at IS NULL";
    eventually(async || app.number(waiting).await == 0).await;
}

async fn two_processes_send_each_mail_once(app: TestApp) {
    let smtp = Smtp::start(Manner::Honest).await;
    put_mails(&app, "person").await;
    let settings = settings(smtp.address);
    let (_one, _other) = tokio::join!(Server::start_with(&app, &settings), Server::start_with(&app, &settings));
    nothing_waits(&app).await;
    let received = smtp.received();
    assert_eq!((received.len(), counts(&received).len()), (MAILS, MAILS));
}

async fn a_killed_process_repeats_one_mail_at_most(app: TestApp) {
    let smtp = Smtp::start(Manner::Honest).await;
    put_mails(&app, "person").await;
    let settings = settings(smtp.address);
    let mut server = Server::start_with(&app, &settings).await;
    smtp.take(17).await;
    server.signal("-KILL");
    server.child.wait().await.unwrap();
    let _again = Server::start_with(&app, &settings).await;
    nothing_waits(&app).await;
    let counts = counts(&smtp.received());
    assert_eq!(counts.len(), MAILS, "all have arrived");
    assert!(counts.values().sum::<usize>() <= MAILS + 1, "{counts:?}");
}

async fn all_mails_arrive_soon_after_the_server_is_well_again(app: TestApp) {
    let smtp = Smtp::start(Manner::Closing).await;
    let address = smtp.address;
    let Server { child: _running, mut output, .. } = Server::start_with(&app, &settings(address)).await;
    // Somebody has to read what it logs, or it waits for that.
    let reading = tokio::spawn(async move { while output.next_line().await.is_ok_and(|line| line.is_some()) {} });
    for manner in [Manner::Closing, Manner::Silent, Manner::HangsUpAfterData] {
        smtp.behave(manner);
        let calls = smtp.calls();
        put_mails(&app, &format!("{manner:?}")).await;
        smtp.called(calls + 3).await;
        smtp.behave(Manner::Honest);
        timeout(RECOVERY, nothing_waits(&app)).await.expect("all arrive in time");
        assert_eq!(counts(&smtp.received()).len(), MAILS, "{manner:?}");
        assert_eq!(smtp.received().len(), MAILS, "{manner:?}");
        smtp.clear();
    }
    drop(smtp);
    put_mails(&app, "refused").await;
    eventually(async || app.number("SELECT count(*) FROM mails WHERE reason IS NOT NULL").await > 2).await;
    let smtp = Smtp::at(address, Manner::Honest).await;
    timeout(RECOVERY, nothing_waits(&app)).await.expect("all arrive in time");
    assert_eq!(counts(&smtp.received()).len(), MAILS);
    reading.abort();
}
