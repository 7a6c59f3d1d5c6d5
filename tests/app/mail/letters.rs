//! What is typed by people stays text: it adds no header, no recipient, no link and no markup.

use serde_json::json;

use crate::harness::{Manner, Smtp, TestApp, on_both_databases};

on_both_databases! {
    nothing_typed_adds_a_header_a_recipient_or_a_link,
    links_lead_to_the_configured_url_alone,
}

const HOSTILE: &str = "Eve\r\nBcc: eve@evil.example\r\n\r\n<a href=\"https://evil.example/x\">www.evil.example</a>\r\n.\r\nRCPT TO:<eve@evil.example>";

async fn nothing_typed_adds_a_header_a_recipient_or_a_link(app: TestApp) {
    let smtp = Smtp::start(Manner::Honest).await;
    let sender = app.another_process_with(&smtp.settings()).await;
    let letter = json!({ "letter": "invitation", "inviter": HOSTILE, "role": "member", "note": HOSTILE });
    sender.put_link("bob+tag@example.org", &letter).await;
    let received = smtp.take(1).await;
    assert_eq!(received[0].to, ["RCPT TO:<bob+tag@example.org>"]);
    let mail = received[0].read();
    assert_eq!(mail.to, ["bob+tag@example.org"]);
    let mut headers = mail.headers.clone();
    headers.sort();
    let expected = ["Auto-Submitted", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To"];
    assert_eq!(headers, expected);
    for part in [&mail.text, &mail.html] {
        for link in ["://evil", "evil.example", "eve@", "www.evil"] {
            assert!(!part.contains(link), "{link} in {part}");
        }
    }
    assert_eq!(mail.html.matches("<a ").count(), 1, "{}", mail.html);
    assert!(!mail.html.contains("src=") && !mail.html.contains("url("), "nothing is loaded: {}", mail.html);
}

async fn links_lead_to_the_configured_url_alone(app: TestApp) {
    let smtp = Smtp::start(Manner::Honest).await;
    let settings = format!("{}\nserver.public_url = \"https://login.example.org\"", smtp.settings());
    let sender = app.another_process_with(&settings).await;
    let (_, issued) = sender.put_link("bob@example.org", &json!({ "letter": "confirm_email" })).await;
    let mail = smtp.take(1).await[0].read();
    let link = format!("https://login.example.org/link/{}", issued.token.expose());
    assert!(mail.text.contains(&link) && mail.html.contains(&link), "{}", mail.text);
    assert_eq!(mail.from, "no-reply@login.example.org");
    assert!(mail.id.ends_with("@login.example.org"), "{}", mail.id);
}
