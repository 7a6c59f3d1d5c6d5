//! `/dashboard/invites`: the list, and what is done with one invite.

use std::time::Duration;

use crate::harness::{Client, PASSWORD, TestApp, on_both_databases, token_in};

on_both_databases! {
    nobody_but_admins_has_to_do_with_invites,
    what_the_address_says_wrong_is_ignored,
    an_invite_that_is_gone_is_said,
    the_list_is_filtered_sorted_and_paged_by_its_address,
    a_link_is_shown_once_and_works,
    a_resent_invite_lasts_longer_and_so_do_the_older_links,
    an_accepted_invite_is_not_sent_again,
    a_deleted_invite_takes_links_and_mail_along,
}

const PAGE: &str = "/dashboard/invites";

async fn invite_id(app: &TestApp, email: &str) -> String {
    app.text_for("SELECT id FROM invites WHERE email = $1", email).await.expect("there is such an invite")
}

async fn accept(app: &TestApp, token: &str) -> u16 {
    app.script().post("/api/accept-invite", &[("token", token), ("password", PASSWORD)]).await.status
}

async fn nobody_but_admins_has_to_do_with_invites(app: TestApp) {
    let admin = app.admin().await;
    app.invite(&admin, "bob@example.org", "member").await;
    let id = invite_id(&app, "bob@example.org").await;
    let member = app.member("eve@example.org").await;
    let pages = [PAGE.to_owned(), format!("{PAGE}/new"), format!("{PAGE}/{id}")];
    for page in &pages {
        app.form().get(page).await.expect_redirect(&format!("/login?next={page}"));
        member.get(page).await.expect_status(403).expect_no_text("bob@example.org");
    }
    let fields = [("id", id.as_str()), ("email", "carl@example.org"), ("emails", "carl@example.org"), ("step", "send")];
    for function in ["invite", "resend-invite", "revoke-invite", "delete-invite", "show-invite-link"] {
        member.post(&format!("/api/{function}"), &fields).await.expect_status(403);
        app.script().post(&format!("/api/{function}"), &fields).await.expect_status(401);
    }
    member.post("/dashboard/invites/new", &fields).await.expect_status(403);
    app.form().post("/dashboard/invites/new", &fields).await.expect_status(302);
    assert_eq!(app.number("SELECT count(*) FROM invites WHERE revoked_at IS NULL").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM one_time_tokens").await, 1);
}

async fn what_the_address_says_wrong_is_ignored(app: TestApp) {
    let admin = app.admin().await;
    for query in ["sort=drop", "state=x", "role=king", "limit=-1", "after=nobody", "before=%00", "q=%00", "q=%25_"] {
        let page = admin.get(&format!("{PAGE}?{query}")).await;
        assert!([200, 400].contains(&page.status), "{query}: {}", page.status);
    }
    admin.get(PAGE).await.expect_text("No invites yet").expect_text("Invite people");
    admin.get(&format!("{PAGE}?state=pending")).await.expect_text("Nothing matches");
}

async fn an_invite_that_is_gone_is_said(app: TestApp) {
    let admin = app.admin().await;
    admin.get(&format!("{PAGE}/nobody")).await.expect_status(404);
    for function in ["resend-invite", "revoke-invite", "delete-invite", "show-invite-link"] {
        for id in ["", "nobody", "a\0b"] {
            admin.post(&format!("/api/{function}"), &[("id", id)]).await.expect_status(404);
        }
    }
}

async fn found(admin: &Client, query: &str) -> Vec<String> {
    let page = admin.get(&format!("{PAGE}?{query}")).await;
    page.expect_status(200).rows().into_iter().map(|row| row[0].clone()).collect()
}

async fn the_list_is_filtered_sorted_and_paged_by_its_address(app: TestApp) {
    let admin = app.admin().await;
    let emails: Vec<String> = (0..60).map(|number| format!("p{number:02}@many.example")).collect();
    for chunk in emails.chunks(20) {
        let fields = [("emails", chunk.join("\n")), ("step", "send".to_owned()), ("expires_in", "3d".to_owned())];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        admin.post("/dashboard/invites/new", &fields).await.expect_text("20 people are invited.");
        app.advance(Duration::from_mins(1));
    }
    app.invite(&admin, "Zoe_x@other.example", "admin").await;
    assert_eq!(found(&admin, "q=E_X@").await, ["zoe_x@other.example"]);
    assert_eq!(found(&admin, "role=admin").await, ["zoe_x@other.example"]);
    assert_eq!(found(&admin, "sort=-expires&limit=25").await[0], "zoe_x@other.example");
    assert_eq!(found(&admin, "").await[0], "zoe_x@other.example");
    let mut path = format!("{PAGE}?sort=email&limit=25");
    let mut seen = Vec::new();
    loop {
        let page = admin.get(&path).await;
        page.expect_text("61 invites");
        seen.extend(page.rows().into_iter().map(|row| row[0].clone()));
        match page.link("Next").filter(|href| !href.is_empty()) {
            Some(next) => path = next,
            None => break,
        }
    }
    assert_eq!(seen.len(), 61);
    assert!(seen.is_sorted());
    let back = admin.get(&path).await.link("Previous").unwrap();
    assert_eq!(admin.get(&back).await.rows().last().unwrap()[0], "p49@many.example");
    let revoked = invite_id(&app, "p00@many.example").await;
    admin.post("/api/revoke-invite", &[("id", &revoked)]).await.expect_status(302);
    assert_eq!(found(&admin, "state=revoked").await, ["p00@many.example"]);
    app.advance(Duration::from_hours(3 * 24));
    assert_eq!(found(&admin, "state=pending").await, ["zoe_x@other.example"]);
    assert_eq!(found(&admin, "state=expired&limit=100").await.len(), 59);
}

async fn a_link_is_shown_once_and_works(app: TestApp) {
    let admin = app.admin().await;
    let first = app.invite(&admin, "bob@example.org", "member").await;
    let id = invite_id(&app, "bob@example.org").await;
    let page = admin.submit("/api/show-invite-link", &[("id", &id)]).await;
    page.expect_status(200).expect_text("It is shown once.");
    let link = page.value_of("link").unwrap();
    assert!(link.starts_with("http://localhost:3000/link/"), "{link}");
    assert_ne!(token_in(&link), first);
    assert_eq!(admin.get(&format!("{PAGE}/{id}")).await.value_of("link"), None);
    let script = app.script();
    script.log_in(crate::harness::ADMIN, PASSWORD).await.expect_status(200);
    let answered = script.post("/api/show-invite-link", &[("id", &id)]).await.expect_status(200).json();
    assert_eq!(app.number("SELECT count(*) FROM mails").await, 1, "no mail goes with it");
    assert_eq!(accept(&app, &token_in(answered.as_str().unwrap())).await, 200);
    assert_eq!(accept(&app, &token_in(&link)).await, 410);
    assert_eq!(accept(&app, &first).await, 410);
}

async fn a_resent_invite_lasts_longer_and_so_do_the_older_links(app: TestApp) {
    let admin = app.admin().await;
    let first = app.invite(&admin, "bob@example.org", "member").await;
    let id = invite_id(&app, "bob@example.org").await;
    app.advance(Duration::from_hours(8 * 24));
    let admin = {
        drop(admin);
        app.logged_in(crate::harness::ADMIN).await
    };
    admin.get(&format!("{PAGE}/{id}")).await.expect_text("Expired");
    let page = admin.submit("/api/resend-invite", &[("id", &id)]).await;
    page.expect_status(200).expect_text("Pending").expect_text("No mail was sent: this server sends none.");
    assert!(page.value_of("link").is_some());
    assert_eq!(app.number("SELECT count(*) FROM mails WHERE dropped_at IS NULL AND kind = 'invitation'").await, 1);
    app.form().get(&format!("/invite/{first}")).await.expect_status(200);
    assert_eq!(accept(&app, &first).await, 200);
    assert_eq!(accept(&app, &token_in(&page.value_of("link").unwrap())).await, 410);
}

async fn an_accepted_invite_is_not_sent_again(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, "bob@example.org", "member").await;
    let id = invite_id(&app, "bob@example.org").await;
    assert_eq!(accept(&app, &token).await, 200);
    for function in ["resend-invite", "revoke-invite", "show-invite-link"] {
        let page = admin.submit(&format!("/api/{function}"), &[("id", &id)]).await;
        page.expect_status(200).expect_text("This invite can't be accepted any more.");
    }
    admin.get(PAGE).await.expect_text("Accepted");
    app.logged_in("bob@example.org").await;
}

async fn a_deleted_invite_takes_links_and_mail_along(app: TestApp) {
    let admin = app.admin().await;
    let token = app.invite(&admin, "bob@example.org", "member").await;
    let id = invite_id(&app, "bob@example.org").await;
    admin.get(&format!("{PAGE}/{id}?confirm=delete")).await.expect_text("Delete the invite for bob@example.org?");
    admin.submit("/api/delete-invite", &[("id", &id)]).await.expect_text("The invite was deleted.");
    for table in ["invites", "one_time_tokens", "mails"] {
        assert_eq!(app.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    app.form().get(&format!("/invite/{token}")).await.expect_status(404);
    assert_eq!(accept(&app, &token).await, 410);
    assert_eq!(app.number("SELECT count(*) FROM events WHERE kind = 'invite.deleted'").await, 1);
}
