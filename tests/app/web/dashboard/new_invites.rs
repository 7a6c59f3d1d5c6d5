//! `/dashboard/invites/new`: a preview that changes nothing, and a result for each row.

use crate::harness::{ADMIN, Client, PASSWORD, Page, TestApp, on_both_databases, token_in};

on_both_databases! {
    what_can_be_no_invite_is_said_where_it_was_typed,
    another_site_invites_nobody,
    too_many_at_once_are_not_sent,
    the_preview_counts_and_changes_nothing,
    a_result_is_shown_for_each_row,
    one_is_invited_by_a_script,
    a_mail_is_written_for_each_and_its_link_is_sealed,
    five_hundred_lines_become_five_hundred_invites with MAILED,
}

const PAGE: &str = "/dashboard/invites/new";
const MAILED: &str = r#"mail.transport = "file""#;

async fn post(client: &Client, emails: &str, step: &str) -> Page {
    client.post(PAGE, &[("emails", emails), ("role", "member"), ("expires_in", "7d"), ("step", step)]).await
}

async fn what_can_be_no_invite_is_said_where_it_was_typed(app: TestApp) {
    let admin = app.admin().await;
    let long = "x".repeat(501);
    let cases = [
        ([("emails", ""), ("role", "member")], "Enter an e-mail address."),
        ([("emails", "bob@example.org"), ("role", "king")], "There is no such role."),
        ([("emails", "bob@example.org"), ("expires_in", "31d")], "From 1 hour (1h) to 30 days (30d)."),
        ([("emails", "bob@example.org"), ("expires_in", "59m")], "From 1 hour (1h) to 30 days (30d)."),
        ([("emails", "bob@example.org"), ("note", long.as_str())], "At most 500 characters"),
        ([("emails", "bob@example.org"), ("note", "a\0b")], "At most 500 characters"),
    ];
    for (fields, words) in cases {
        for step in ["", "send"] {
            let page = admin.post(PAGE, &[fields[0], fields[1], ("step", step)]).await;
            page.expect_status(400).expect_text(words);
            assert!(page.body.contains(fields[0].1), "what was typed stays");
        }
    }
    admin.post(PAGE, &[("emails", &"a".repeat(70_000))]).await.expect_status(413);
    assert_eq!(app.number("SELECT count(*) FROM invites").await, 0);
}

async fn another_site_invites_nobody(app: TestApp) {
    let admin = app.admin().await;
    let fields = [("emails", "eve@example.org"), ("role", "admin"), ("step", "send")];
    for path in [PAGE, "/api/invite"] {
        let mut request = admin.request(&reqwest::Method::POST, path).form(&fields).build().unwrap();
        request.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
        request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
        admin.execute(request).await.expect_status(403);
    }
    assert_eq!(app.number("SELECT count(*) FROM invites").await, 0);
}

async fn too_many_at_once_are_not_sent(app: TestApp) {
    let admin = app.admin().await;
    let lines: Vec<String> = (0..501).map(|number| format!("p{number}@example.org")).collect();
    for step in ["", "send"] {
        let page = post(&admin, &lines.join("\n"), step).await;
        page.expect_status(200).expect_text("501 ready").expect_text("At most 500 can be invited at once.");
        page.expect_no_text("Send 501");
    }
    assert_eq!(app.number("SELECT count(*) FROM invites").await, 0);
}

async fn the_preview_counts_and_changes_nothing(app: TestApp) {
    let admin = app.admin().await;
    app.invite(&admin, "eve@example.org", "member").await;
    let events = app.number("SELECT count(*) FROM events").await;
    let text = "Bob <bob@example.org>\nADA@example.org\neve@example.org\nnot an address\ncarl@example.org,Carl\n\
                bob@EXAMPLE.org\n\n\nnor@\n";
    let page = post(&admin, text, "").await;
    let words = "2 ready, 1 already a user, 1 already invited, 2 not an e-mail (lines 4 and 9), 1 twice (line 6)";
    page.expect_status(200).expect_text(words).expect_text("Send 2 invites").expect_text("Line 9: nor@");
    let left_out: Vec<String> = page.rows().into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(
        left_out,
        [
            "Line 2: ada@example.org",
            "Line 3: eve@example.org",
            "Line 4: not an address",
            "Line 6: bob@EXAMPLE.org",
            "Line 9: nor@"
        ]
    );
    assert_eq!(page.body.matches("button-primary").count(), 1, "one thing is meant to be done here");
    assert_eq!(page.value_of("emails").as_deref(), Some("bob@example.org\ncarl@example.org"));
    assert_eq!(app.number("SELECT count(*) FROM invites").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM mails").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM events").await, events);
}

async fn a_result_is_shown_for_each_row(app: TestApp) {
    let admin = app.admin().await;
    app.invite(&admin, "eve@example.org", "member").await;
    let page = post(&admin, "bob@example.org\r\nada@example.org\r\neve@example.org\r\ncarl@example.org", "send").await;
    page.expect_status(200).expect_text("2 people are invited. No mail was sent");
    page.expect_text("you find it again under Mail.").expect_no_text("shown once");
    let rows = page.rows();
    let results: Vec<_> = rows.iter().map(|row| (row[0].as_str(), row[1].as_str(), !row[2].is_empty())).collect();
    assert_eq!(
        results,
        [
            ("bob@example.org", "Invited", true),
            ("ada@example.org", "Already a user", false),
            ("eve@example.org", "Already invited", false),
            ("carl@example.org", "Invited", true),
        ]
    );
    assert!(rows[0][2].starts_with("http://localhost:3000/link/"), "{}", rows[0][2]);
    let mails = admin.get(&page.link("Mail").unwrap()).await;
    assert!(mails.rows().iter().any(|row| row[0].contains("bob@example.org") && row[4] == "Copy link"));
    let token = token_in(&rows[3][2]);
    app.form().get(&format!("/invite/{token}")).await.expect_status(200).expect_text("invited you");
    let again = post(&admin, "bob@example.org", "send").await;
    again.expect_status(200).expect_text("0 people are invited.").expect_text("Already invited");
}

async fn one_is_invited_by_a_script(app: TestApp) {
    app.admin().await;
    let script = app.script();
    script.log_in(ADMIN, PASSWORD).await.expect_status(200);
    let fields = [("email", " Bob@example.org"), ("role", "admin"), ("expires_in", "1h"), ("note", "Welcome")];
    let link = script.post("/api/invite", &fields).await.expect_status(200).json();
    let token = token_in(link.as_str().unwrap());
    app.form().get(&format!("/invite/{token}")).await.expect_text("Welcome").expect_text("as Admin");
    for (email, status, error) in
        [("bob@example.org", 409, "already_invited"), (ADMIN, 409, "has_account"), ("bob", 400, "invalid")]
    {
        let refused = script.post("/api/invite", &[("email", email)]).await;
        refused.expect_status(status);
        assert_eq!(refused.error(), error);
    }
    let admin = app.logged_in(ADMIN).await;
    admin.submit("/api/invite", &[("email", "bob@example.org")]).await.expect_text("This address is invited already.");
    admin.submit("/api/invite", &[("email", "carl@example.org")]).await.expect_text("Invited.");
    app.advance(std::time::Duration::from_hours(1));
    app.form().get(&format!("/invite/{token}")).await.expect_status(410);
    script.post("/api/invite", &[("email", "bob@example.org")]).await.expect_status(200);
}

async fn a_mail_is_written_for_each_and_its_link_is_sealed(app: TestApp) {
    let admin = app.admin().await;
    let page = post(&admin, "bob@example.org\ncarl@example.org", "send").await;
    let token = token_in(&page.rows()[0][2]);
    assert_eq!(app.number("SELECT count(*) FROM mails WHERE kind = 'invitation' AND sealed IS NOT NULL").await, 2);
    let linked =
        "SELECT count(*) FROM invites i JOIN mails m ON m.id = i.mail_id JOIN one_time_tokens t ON t.id = m.token_id
        WHERE t.subject = i.id AND t.email = i.email AND m.recipient = i.email";
    assert_eq!(app.number(linked).await, 2);
    assert_eq!(app.number(&format!("SELECT count(*) FROM mails WHERE sealed LIKE '%{token}%'")).await, 0);
    assert_eq!(app.number(&format!("SELECT count(*) FROM one_time_tokens WHERE token_hash = '{token}'")).await, 0);
}

async fn five_hundred_lines_become_five_hundred_invites(app: TestApp) {
    let admin = app.admin().await;
    let lines: Vec<String> =
        (0..500).map(|number| format!("Person Number{number} <person.number{number}@company.example>")).collect();
    let page = post(&admin, &lines.join("\r\n"), "").await;
    page.expect_status(200).expect_text("500 ready");
    let page = post(&admin, &page.value_of("emails").unwrap(), "send").await;
    page.expect_status(200).expect_text("500 people are invited. The mails are on their way.");
    assert!(!page.body.contains("/link/"), "links go by mail alone");
    assert_eq!(page.rows().len(), 500);
    assert_eq!(app.number("SELECT count(*) FROM invites").await, 500);
}
