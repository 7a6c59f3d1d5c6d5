//! What every letter says, and what none can be made to say.

use serde_json::json;

use super::*;
use crate::flows::Letter;

const HOSTILE: &str =
    "Eve <a href=\"https://evil.example\">x</a> www.evil.example eve@evil.example\r\n\r\nhttps://evil.example/x";

fn house() -> House {
    House { product: "Latchkey", public_url: "https://login.example.org".to_owned() }
}

/// A letter as it lies in the outbox.
fn written(letter: &serde_json::Value, has_link: bool) -> Written {
    let mut content = json!({
        "link": null,
        "ip": "203.0.113.5",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "at": 1_795_269_600_000_000_i64,
    });
    for (key, value) in letter.as_object().unwrap() {
        content[key] = value.clone();
    }
    if has_link {
        content["link"] = json!({ "token": "tOkEn", "code": "ABCD-1234", "expires_at": 1_795_270_500_000_000_i64 });
    }
    serde_json::from_value(content).unwrap()
}

fn letters() -> Vec<(serde_json::Value, bool)> {
    vec![
        (json!({ "letter": "confirm_email" }), true),
        (json!({ "letter": "already_registered" }), false),
        (json!({ "letter": "log_in_by_link" }), true),
        (json!({ "letter": "reset_password" }), true),
        (json!({ "letter": "set_password" }), true),
        (json!({ "letter": "password_was_reset" }), true),
        (json!({ "letter": "confirm_new_email" }), true),
        (json!({ "letter": "email_was_changed", "new": "new@example.org" }), true),
        (json!({ "letter": "email_is_taken" }), false),
        (json!({ "letter": "way_in_was_added", "name": HOSTILE }), false),
        (json!({ "letter": "invitation", "inviter": HOSTILE, "role": "member", "note": HOSTILE }), true),
        (json!({ "letter": "invite_is_wanted", "email": "late@example.org" }), false),
        (json!({ "letter": "test" }), false),
    ]
}

#[test]
fn every_letter_with_a_link_holds_it_in_both_parts() {
    for (letter, has_link) in letters() {
        let Composed { text, html } = compose(&house(), &written(&letter, has_link));
        let link = "https://login.example.org/link/tOkEn";
        assert_eq!(text.lines().any(|line| line == link), has_link, "{text}");
        assert_eq!(html.contains(&format!("href=\"{link}\"")), has_link, "{html}");
        assert_eq!(html.contains(&format!(">{link}<")), has_link, "{html}");
        for part in [&text, &html] {
            assert_eq!(part.contains("ABCD-1234"), has_link, "{part}");
            assert_eq!(part.contains("until 21 November 2026, 14:15 UTC"), has_link, "{part}");
            assert!(part.contains("21 November 2026, 14:00 UTC"), "{part}");
        }
        assert!(html.matches("<a ").count() <= 1, "one thing to do: {html}");
    }
}

#[test]
fn a_letter_with_a_code_alone_holds_no_link() {
    let Composed { text, html } = compose(&house(), &written(&json!({ "letter": "log_in_by_code" }), true));
    for part in [&text, &html] {
        assert!(part.contains("Your code:") && part.contains("ABCD-1234"), "{part}");
        assert!(part.contains("It works once, until 21 November 2026, 14:15 UTC"), "{part}");
        assert!(!part.contains("/link/") && !part.contains("tOkEn"), "{part}");
    }
    assert!(!html.contains("<a "), "{html}");
}

#[test]
fn a_letter_says_who_asked_unless_that_is_an_admin() {
    for (letter, has_link) in letters() {
        let written = written(&letter, has_link);
        let is_quiet = matches!(written.letter, Letter::Invitation { .. } | Letter::SetPassword);
        let Composed { text, html } = compose(&house(), &written);
        for part in [text, html] {
            assert_eq!(part.contains("Firefox on Linux from the address 203.0.113.5"), !is_quiet, "{part}");
        }
    }
}

#[test]
fn nothing_typed_becomes_a_link_or_markup() {
    for (letter, has_link) in letters() {
        let Composed { text, html } = compose(&house(), &written(&letter, has_link));
        for part in [&text, &html] {
            for link in ["evil.example", "://evil", "www.evil", "eve@", "new@example", "late@example"] {
                assert!(!part.contains(link), "{link} is in {part}");
            }
        }
        assert!(!html.contains("<a href=\"https: ") && !html.contains("<img") && !html.contains("<script"), "{html}");
        assert!(!text.lines().any(|line| line.starts_with("https: ")), "no line of its own: {text}");
        for url in html.split("https://").skip(1) {
            assert!(url.starts_with("login.example.org"), "{url}");
        }
    }
}

#[test]
fn a_long_note_is_cut() {
    let letter = json!({ "letter": "invitation", "inviter": null, "role": "admin", "note": "x".repeat(10_000) });
    let Composed { text, html } = compose(&house(), &written(&letter, true));
    assert!(text.len() < 2_000 && html.len() < 5_000, "{} {}", text.len(), html.len());
    assert!(text.contains("You are invited to Latchkey as an admin."), "{text}");
}
