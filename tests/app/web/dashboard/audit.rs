//! `/dashboard/audit`: what happened, for admins only, with filters, pages and files for programs.

use crate::harness::{ADMIN, MAILS, PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    nobody_but_admins_reads_the_log,
    what_happened_is_told_in_words,
    who_proves_to_be_somebody_is_named with MAILS,
    filters_stand_in_the_address,
    pages_lead_through_all_of_it,
    a_file_holds_what_the_page_shows,
    what_cannot_be_read_shows_the_log,
}

async fn nobody_but_admins_reads_the_log(app: TestApp) {
    app.admin().await;
    for path in ["/dashboard/audit", "/dashboard/audit/export?format=csv"] {
        app.form().get(path).await.expect_status(302);
    }
    let bob = app.member("bob@example.org").await;
    for path in ["/dashboard/audit", "/dashboard/audit/export?format=csv"] {
        bob.get(path).await.expect_status(403);
    }
}

async fn what_happened_is_told_in_words(app: TestApp) {
    let admin = app.admin().await;
    app.member("bob@example.org").await;
    app.form().log_in("bob@example.org", "wrong password").await.expect_status(302);
    let id = app.user_id("bob@example.org").await;
    admin.post("/api/disable-user", &[("id", &id)]).await.expect_status(302);
    let rows = admin.get("/dashboard/audit").await.rows();
    assert!(rows[0][1].starts_with("User disabled") && rows[0][1].ends_with("ended sessions: 1"), "{:?}", rows[0]);
    assert!(rows[0][2] == ADMIN && rows[0][3] == "bob@example.org");
    assert!(rows[1][1].starts_with("Log-in failed") && rows[1][2] == "Visitor", "{:?}", rows[1]);
    assert!(rows.iter().any(|row| row[1].starts_with("User created")));
    admin.post("/api/delete-user", &[("id", &id), ("confirm", "bob@example.org")]).await.expect_status(302);
    let rows = admin.get("/dashboard/audit").await.rows();
    assert!(rows[0][1].starts_with("User deleted") && rows[0][3] == "bob@example.org", "{:?}", rows[0]);
    assert!(!admin.get("/dashboard/audit").await.body.contains(PASSWORD));
    app.member("eve@example.org").await.log_out().await;
    let id = app.user_id("eve@example.org").await;
    admin.post("/api/disable-user", &[("id", &id)]).await.expect_status(302);
    assert_eq!(admin.get("/dashboard/audit").await.rows()[0][1], "User disabled");
}

async fn who_proves_to_be_somebody_is_named(app: TestApp) {
    let admin = app.admin().await;
    app.member_by_mail("bob@example.org").await;
    app.form().log_in("bob@example.org", "wrong password").await.expect_status(302);
    app.form().post("/api/forgot-password", &[("email", "bob@example.org")]).await.expect_redirect("/link");
    let client = app.form();
    client.post(&app.mail("bob@example.org", "reset_password").await.link(), &[]).await.expect_status(302);
    client.post("/api/reset-password", &[("new_password", "a brand new password")]).await.expect_redirect("/account");
    let rows = admin.get("/dashboard/audit?q=bob%40example.org").await.rows();
    for (what, who) in [
        ("Logged in", "bob@example.org"),
        ("E-mail confirmed", "bob@example.org"),
        ("Password changed", "bob@example.org"),
        // Anybody can type the address of another.
        ("User created", "Visitor"),
        ("Log-in failed", "Visitor"),
        ("Password forgotten", "Visitor"),
    ] {
        let found: Vec<_> = rows.iter().filter(|row| row[1].starts_with(what)).collect();
        assert!(!found.is_empty(), "{what}: {rows:?}");
        assert!(found.iter().all(|row| row[2] == who && row[3] == "bob@example.org"), "{found:?}");
    }
    // Programs are told what is stored.
    let lines = admin.get("/dashboard/audit/export?kind=session.created&q=bob%40example.org").await.body;
    assert!(lines.contains(r#""actor_id":null,"actor_type":"visitor""#), "{lines}");
}

async fn filters_stand_in_the_address(app: TestApp) {
    let admin = app.admin().await;
    app.member("bob@example.org").await;
    app.member("eve@example.org").await;
    let rows = admin.get("/dashboard/audit?q=Bob%40example.org").await.rows();
    assert!(!rows.is_empty() && rows.iter().all(|row| row[3] == "bob@example.org" || row[2] == "bob@example.org"));
    let rows = admin.get("/dashboard/audit?kind=user.created").await.rows();
    assert_eq!(rows.len(), 3);
    assert_eq!(admin.get("/dashboard/audit?from=2026-11-21&to=2026-11-21&kind=user.created").await.rows().len(), 3);
    for nothing in ["to=2026-11-20", "from=2026-11-22", "q=nobody%40example.org", "kind=user.deleted", "q=%25"] {
        admin.get(&format!("/dashboard/audit?{nothing}")).await.expect_status(200).expect_text("Nothing matches");
    }
}

async fn pages_lead_through_all_of_it(app: TestApp) {
    let admin = app.admin().await;
    for number in 0..40 {
        app.form().log_in("nobody@example.org", "wrong password").await;
        if number % 9 == 8 {
            app.advance(std::time::Duration::from_mins(5));
        }
    }
    for number in 0..10 {
        app.member(&format!("p{number}@example.org")).await;
    }
    let (mut path, mut seen) = ("/dashboard/audit".to_owned(), 0);
    loop {
        let page = admin.get(&path).await;
        seen += page.rows().len();
        match page.link("Next") {
            Some(next) => path = next,
            None => break,
        }
    }
    assert_eq!(i64::try_from(seen).unwrap(), app.number("SELECT count(*) FROM events").await);
    assert!(admin.get(&path).await.link("Previous").is_some());
}

async fn a_file_holds_what_the_page_shows(app: TestApp) {
    let admin = app.admin().await;
    let client = app.form();
    for (email, program) in [("bob@example.org", "=cmd|' /C calc'!A1"), ("eve@example.org", "Moz;=cmd|' /C calc'!A1;x")]
    {
        let request = client.request(&http::Method::POST, "/api/register").header("user-agent", program);
        request.form(&[("email", email), ("password", PASSWORD)]).send().await.unwrap();
    }
    let csv = admin.get("/dashboard/audit/export?format=csv").await;
    csv.expect_status(200);
    assert_eq!(csv.header("content-disposition"), Some("attachment; filename=\"audit.csv\""));
    assert!(csv.body.contains(",\"'=cmd|") && !csv.body.contains(",\"=cmd"), "{}", csv.body);
    // A spreadsheet that parts cells by semicolons must not find a formula behind one.
    assert!(csv.body.contains("Moz;'=cmd|") && !csv.body.contains(";=cmd"), "{}", csv.body);
    let events = app.number("SELECT count(*) FROM events").await;
    assert_eq!(i64::try_from(csv.body.lines().count()).unwrap(), events + 1);
    let lines = admin.get("/dashboard/audit/export?format=ndjson&kind=user.created").await.body;
    let kinds: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["user.created"; 3]);
}

async fn what_cannot_be_read_shows_the_log(app: TestApp) {
    let admin = app.admin().await;
    for query in ["kind=x&from=y&to=z", "after=%00", "after=x'--", "before=zzzz", "q=%00", "from=9999999-99-99"] {
        admin.get(&format!("/dashboard/audit?{query}")).await.expect_status(200);
    }
    admin.get("/dashboard/audit/export?format=pdf").await.expect_status(400);
}
