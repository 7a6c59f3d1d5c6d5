//! `/dashboard/webhooks`: what admins see of endpoints and deliveries, and can do with them.

use std::time::Duration;

use crate::harness::{ADMIN, Answer, Receiver, SECRET, TestApp, eventually, on_both_databases};

on_both_databases! {
    nobody_but_admins_sees_webhooks,
    without_endpoints_the_page_says_how_to_get_one,
    endpoints_are_shown_without_what_is_secret,
    a_test_is_sent_and_tried_once,
    one_admin_sends_only_so_many_tests with FEW_TESTS,
    a_failed_delivery_says_why_and_is_tried_again,
    an_endpoint_that_is_gone_is_shown_as_gone,
    the_list_is_filtered_and_paged_by_its_address,
}

const FEW_TESTS: &str = "limits.test_webhook_per_admin = \"2/10m\"";
const PAGE: &str = "/dashboard/webhooks";

async fn becomes(app: &TestApp, statement: &str, number: i64) {
    eventually(async || app.number(statement).await == number).await;
}

const DELIVERED: &str = "SELECT count(delivered_at) FROM webhook_deliveries";
const FAILED: &str = "SELECT count(failed_at) FROM webhook_deliveries";

async fn nobody_but_admins_sees_webhooks(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(500)).await;
    app.admin().await;
    let member = app.member("bob@example.org").await;
    let sender = app.another_process_with(&receiver.settings("shop")).await;
    sender.logged_in("bob@example.org").await;
    receiver.take(1).await;
    let id = app.text_for("SELECT id FROM webhook_deliveries WHERE endpoint = $1", "shop").await.unwrap();
    app.form().get(PAGE).await.expect_redirect("/login?next=/dashboard/webhooks");
    member.get(PAGE).await.expect_status(403).expect_no_text("shop");
    for (endpoint, fields) in
        [("/api/retry-delivery", [("id", id.as_str())]), ("/api/send-test-webhook", [("endpoint", "shop")])]
    {
        member.post(endpoint, &fields).await.expect_status(403);
        app.script().post(endpoint, &fields).await.expect_status(401);
    }
    assert_eq!(app.number("SELECT count(*) FROM webhook_deliveries").await, 1);
}

async fn without_endpoints_the_page_says_how_to_get_one(app: TestApp) {
    let admin = app.admin().await;
    let page = admin.get(PAGE).await;
    page.expect_status(200).expect_text("No endpoints yet").expect_text("[[webhooks]]").expect_no_text("Try again");
    admin.post("/api/send-test-webhook", &[("endpoint", "shop")]).await.expect_status(404);
}

async fn endpoints_are_shown_without_what_is_secret(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(200)).await;
    app.admin().await;
    let settings = receiver.settings("shop") + "events = [\"user.*\", \"session.created\"]";
    let sender = app.another_process_with(&settings).await;
    let admin = sender.logged_in(ADMIN).await;
    becomes(&app, DELIVERED, 1).await;
    let page = admin.get(PAGE).await;
    page.expect_text("shop").expect_text(&format!("http://{}", receiver.address)).expect_text("Active");
    page.expect_text("user.*, session.created").expect_text("0 waiting, 0 failed").expect_text("200 OK");
    page.expect_text("session.created").expect_text("Delivered");
    let secret = SECRET.strip_prefix("whsec_").unwrap();
    assert!(["t0ken", "/hooks", secret].iter().all(|word| !page.body.contains(word)), "{}", page.body);
}

async fn a_test_is_sent_and_tried_once(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(200)).await;
    app.admin().await;
    let settings = receiver.settings("shop") + "events = [\"invite.*\"]";
    let sender = app.another_process_with(&settings).await;
    let admin = sender.logged_in(ADMIN).await;
    admin.submit("/api/send-test-webhook", &[("endpoint", "shop")]).await.expect_text("A test is on its way");
    let test = &receiver.take(1).await[0];
    assert!(test.is_signed_by(SECRET));
    let data = test.json();
    assert_eq!((data["type"].as_str(), data["data"]["target"]["id"].as_str()), (Some("webhook.test"), Some("shop")));
    let ada = app.user_id(ADMIN).await;
    assert_eq!(data["data"]["actor"]["id"].as_str(), Some(ada.as_str()));
    becomes(&app, DELIVERED, 1).await;
    receiver.behave(Answer::Status(400));
    admin.submit("/api/send-test-webhook", &[("endpoint", "shop")]).await.expect_text("A test is on its way");
    becomes(&app, FAILED, 1).await;
    admin.get(PAGE).await.expect_text("400 Bad Request").expect_text("Active, with failures");
    for endpoint in ["nobody", "", "\0"] {
        admin.post("/api/send-test-webhook", &[("endpoint", endpoint)]).await.expect_status(404);
    }
}

async fn one_admin_sends_only_so_many_tests(app: TestApp) {
    let (shop, log) = tokio::join!(Receiver::start(Answer::Status(200)), Receiver::start(Answer::Status(200)));
    let ada = app.admin().await;
    app.member("bob@example.org").await;
    let id = app.user_id("bob@example.org").await;
    ada.post("/api/change-role", &[("id", &id), ("role", "admin")]).await.expect_status(302);
    let settings = ["shop", "log"].map(|id| if id == "shop" { shop.settings(id) } else { log.settings(id) });
    let settings = settings.map(|settings| settings + "events = [\"invite.*\"]\n").concat();
    let sender = app.another_process_with(&settings).await;
    let (ada, bob) = (sender.logged_in(ADMIN).await, sender.logged_in("bob@example.org").await);
    let test = async |admin: &crate::harness::Client, endpoint: &str| {
        admin.post("/api/send-test-webhook", &[("endpoint", endpoint)]).await
    };
    for endpoint in ["shop", "shop", "log"] {
        test(&ada, endpoint).await.expect_status(302);
    }
    let refused = test(&ada, "shop").await;
    assert!(refused.expect_status(429).retry_after_secs().is_some());
    assert_eq!(app.number("SELECT count(*) FROM webhook_deliveries").await, 3);
    test(&bob, "shop").await.expect_status(302);
    for _ in 0..3 {
        test(&ada, "nobody").await.expect_status(404);
    }
    app.advance(Duration::from_mins(5));
    test(&ada, "shop").await.expect_status(302);
}

async fn a_failed_delivery_says_why_and_is_tried_again(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(500)).await;
    app.admin().await;
    let sender = app.another_process_with(&receiver.settings("shop")).await;
    let admin = sender.logged_in(ADMIN).await;
    becomes(&app, "SELECT coalesce(max(attempts), 0) FROM webhook_deliveries", 1).await;
    let next = "/dashboard/webhooks?endpoint=shop&state=waiting";
    let page = admin.get(next).await;
    page.expect_text("Put off").expect_text("500 Internal Server Error").expect_text("14:00 UTC");
    receiver.behave(Answer::Status(200));
    let id = app.text_for("SELECT id FROM webhook_deliveries WHERE endpoint = $1", "shop").await.unwrap();
    let answer = admin.post("/api/retry-delivery", &[("id", id.as_str()), ("next", next)]).await;
    answer.expect_status(302).expect_redirect(next);
    admin.get(next).await.expect_text("tried again");
    becomes(&app, DELIVERED, 1).await;
    admin.get(next).await.expect_text("Nothing matches");
    for id in [id.as_str(), "nobody", "\0"] {
        admin.post("/api/retry-delivery", &[("id", id)]).await.expect_status(404);
    }
    assert_eq!(receiver.received().len(), 2);
}

async fn an_endpoint_that_is_gone_is_shown_as_gone(app: TestApp) {
    let receiver = Receiver::start(Answer::Status(410)).await;
    app.admin().await;
    let sender = app.another_process_with(&receiver.settings("shop")).await;
    let admin = sender.logged_in(ADMIN).await;
    becomes(&app, "SELECT count(gone_at) FROM webhook_endpoints", 1).await;
    let page = admin.get(PAGE).await;
    page.expect_text("Gone")
        .expect_text("410 Gone: nothing more is sent there")
        .expect_no_text("Send a test")
        .expect_no_text("Try again");
    admin.post("/api/send-test-webhook", &[("endpoint", "shop")]).await.expect_status(404);
}

async fn the_list_is_filtered_and_paged_by_its_address(app: TestApp) {
    let (shop, log) = tokio::join!(Receiver::start(Answer::Status(200)), Receiver::start(Answer::Status(500)));
    app.admin().await;
    let settings = format!("{}{}events = [\"session.created\"]", shop.settings("shop"), log.settings("log"));
    let sender = app.another_process_with(&settings).await;
    let admin = sender.logged_in(ADMIN).await;
    for number in 0..59 {
        sender.form().log_in(&format!("nobody-{number}@example.org"), "wr0ng-and-long").await.expect_status(302);
        app.advance(Duration::from_millis(2));
    }
    becomes(&app, DELIVERED, 60).await;
    becomes(&app, "SELECT coalesce(max(attempts), 0) FROM webhook_deliveries WHERE endpoint = 'log'", 1).await;
    let page = admin.get("/dashboard/webhooks?endpoint=shop").await;
    let listed = |page: &crate::harness::Page| page.rows().into_iter().filter(|row| row.len() == 7).collect::<Vec<_>>();
    assert_eq!(listed(&page).len(), 50);
    let next = admin.get(&page.link("Next").unwrap()).await;
    assert_eq!(listed(&next).len(), 10);
    assert_eq!(listed(&admin.get(&next.link("Previous").unwrap()).await), listed(&page));
    assert_eq!(listed(&admin.get("/dashboard/webhooks?endpoint=log&state=waiting").await).len(), 1);
    admin.get("/dashboard/webhooks?endpoint=log&state=failed").await.expect_text("Nothing matches");
    for odd in ["state=x", "after=nobody", "before=%00", "endpoint=%00", "endpoint=nobody"] {
        assert!([200, 400].contains(&admin.get(&format!("{PAGE}?{odd}")).await.status), "{odd}");
    }
}
