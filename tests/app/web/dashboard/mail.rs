//! `/dashboard/mail`: what admins see of mails and can do with them.

use std::time::Duration;

use serde_json::json;

use crate::harness::{ADMIN, Manner, Smtp, TestApp, on_both_databases};

on_both_databases! {
    nobody_but_admins_sees_mails,
    without_a_transport_links_are_handed_on,
    the_link_of_a_mail_that_was_sent_is_nobodys,
    a_failed_mail_says_why_and_is_tried_again,
    a_test_mail_goes_to_the_admin_who_asks,
    the_list_is_filtered_and_paged_by_its_address,
}

async fn nobody_but_admins_sees_mails(app: TestApp) {
    let (id, _) = app.put_link("eve@example.org", &json!({ "letter": "reset_password" })).await;
    app.form().get("/dashboard/mail").await.expect_redirect("/login?next=/dashboard/mail");
    let member = app.member("bob@example.org").await;
    member.get("/dashboard/mail").await.expect_status(403).expect_no_text("eve@example.org");
    for endpoint in ["/api/show-mail-link", "/api/retry-mail", "/api/send-test-mail"] {
        member.post(endpoint, &[("id", id.as_str())]).await.expect_status(403);
        app.script().post(endpoint, &[("id", id.as_str())]).await.expect_status(401);
    }
    assert_eq!(app.number("SELECT count(*) FROM mails").await, 1);
}

async fn without_a_transport_links_are_handed_on(app: TestApp) {
    let admin = app.admin().await;
    admin.get("/dashboard/mail").await.expect_status(200).expect_text("No mails yet").expect_text("kept here");
    let (id, issued) = app.put_link("bob@example.org", &json!({ "letter": "reset_password" })).await;
    let list = admin.get("/dashboard/mail").await;
    list.expect_text("Kept").expect_text("Copy link").expect_no_text("Try again");
    assert!(!list.body.contains(issued.token.expose()), "no link is shown unasked");
    let next = "/dashboard/mail?state=waiting";
    let answer = admin.post("/api/show-mail-link", &[("id", id.as_str()), ("next", next)]).await;
    answer.expect_status(302).expect_redirect(next);
    let page = admin.get(next).await;
    let link = format!("http://localhost:3000/link/{}", issued.token.expose());
    assert_eq!(page.value_of("link"), Some(link));
    page.expect_text("The link of the mail “").expect_text("”. Whoever opens it acts for bob@example.org");
    assert_eq!(admin.get(next).await.value_of("link"), None, "it is shown once");
    app.advance(Duration::from_mins(16));
    admin.post("/api/show-mail-link", &[("id", id.as_str())]).await.expect_status(404);
    admin.post("/api/show-mail-link", &[("id", "nobody")]).await.expect_status(404);
    admin.post("/api/show-mail-link", &[("id", "\0")]).await.expect_status(404);
}

async fn the_link_of_a_mail_that_was_sent_is_nobodys(app: TestApp) {
    let smtp = Smtp::start(Manner::Honest).await;
    let admin = app.admin().await;
    let sender = app.another_process_with(&smtp.settings()).await;
    let (id, issued) = sender.put_link("bob@example.org", &json!({ "letter": "reset_password" })).await;
    app.mail_becomes(&id, "sent").await;
    admin.post("/api/show-mail-link", &[("id", id.as_str())]).await.expect_status(404);
    admin.post("/api/retry-mail", &[("id", id.as_str())]).await.expect_status(404);
    let list = admin.get("/dashboard/mail").await;
    list.expect_text("bob@example.org").expect_text("Sent").expect_no_text("Copy link");
    assert!(!list.body.contains("form-actions"), "there is nothing to be done, and no room for it");
    assert!(!list.body.contains(issued.token.expose()));
    assert_eq!(smtp.received().len(), 1);
}

async fn a_failed_mail_says_why_and_is_tried_again(app: TestApp) {
    let smtp = Smtp::start(Manner::ToRecipients("550 <b>no such user</b>")).await;
    app.admin().await;
    let sender = app.another_process_with(&smtp.settings()).await;
    let admin = sender.logged_in(ADMIN).await;
    let (id, _) = sender.put_link("bob@example.org", &json!({ "letter": "reset_password" })).await;
    app.mail_becomes(&id, "failed").await;
    let list = admin.get("/dashboard/mail?state=failed").await;
    list.expect_text("0 waiting, 1 failed").expect_text("<b>no such user</b>").expect_text("Try again");
    smtp.behave(Manner::Honest);
    let next = "/dashboard/mail?state=failed";
    let answer = admin.submit("/api/retry-mail", &[("id", id.as_str()), ("next", next)]).await;
    answer.expect_text("tried again");
    app.mail_becomes(&id, "sent").await;
    admin.get(next).await.expect_text("Nothing matches");
}

async fn a_test_mail_goes_to_the_admin_who_asks(app: TestApp) {
    let smtp = Smtp::start(Manner::Honest).await;
    app.admin().await;
    let sender = app.another_process_with(&smtp.settings()).await;
    let admin = sender.logged_in(ADMIN).await;
    admin.get("/dashboard/mail").await.expect_text("Send me a test mail");
    admin.submit("/api/send-test-mail", &[("email", "eve@example.org")]).await.expect_text("on its way");
    let mail = smtp.take(1).await[0].read();
    assert_eq!((mail.to, mail.subject.as_str()), (vec![ADMIN.to_owned()], "A test mail"));
    for _ in 0..4 {
        admin.post("/api/send-test-mail", &[]).await.expect_status(302);
    }
    admin.post("/api/send-test-mail", &[]).await.expect_status(429);
}

async fn the_list_is_filtered_and_paged_by_its_address(app: TestApp) {
    let admin = app.admin().await;
    for number in 0..60 {
        app.put_mail(&format!("person{number:02}@example.org"), &json!({ "letter": "test" })).await;
        app.advance(Duration::from_millis(2));
    }
    let page = admin.get("/dashboard/mail?state=waiting").await;
    assert_eq!(page.rows().len(), 50);
    assert!(page.rows()[0][0].contains("person59@example.org"), "the newest comes first");
    let next = admin.get(&page.link("Next").unwrap()).await;
    assert_eq!(next.rows().len(), 10);
    let back = admin.get(&next.link("Previous").unwrap()).await;
    assert_eq!(back.rows(), page.rows());
    assert_eq!(admin.get("/dashboard/mail?q=PERSON07").await.rows().len(), 1);
    admin.get("/dashboard/mail?q=%25").await.expect_text("Nothing matches");
    admin.get("/dashboard/mail?state=sent").await.expect_text("Nothing matches");
    for odd in ["state=x", "after=nobody", "before=%00", "q=%00"] {
        assert!([200, 400].contains(&admin.get(&format!("/dashboard/mail?{odd}")).await.status), "{odd}");
    }
}
