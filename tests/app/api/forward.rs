//! `GET /auth/forward`: what a proxy is told, and what people meet who come through nginx.

use reqwest::Method;

use crate::harness::{Client, Nginx, PASSWORD, Page, TestApp, on_both_databases};

on_both_databases! {
    who_is_logged_in_is_named_to_the_proxy,
    a_visitor_is_sent_to_log_in_and_comes_back,
    nobody_is_sent_to_a_site_that_is_none_of_ours with ORIGINS,
    an_application_may_be_for_a_role,
    an_application_behind_nginx_knows_who_asks,
}

const ORIGINS: &str = r#"server.forward_origins = ["https://app.example.org"]"#;

async fn asked_by_proxy(client: &Client, path: &str, headers: &[(&str, &str)]) -> Page {
    let mut request = client.request(&Method::GET, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request).await
}

async fn who_is_logged_in_is_named_to_the_proxy(app: TestApp) {
    let admin = app.admin().await;
    let answer = asked_by_proxy(&admin, "/auth/forward", &[]).await;
    answer.expect_status(200);
    let told = ["remote-email", "remote-name", "remote-role"].map(|name| answer.header(name));
    assert_eq!(told, [Some("ada@example.org"), Some("Ada Lovelace"), Some("admin")]);
    assert_eq!(answer.header("remote-user"), Some(app.user_id("ada@example.org").await.as_str()));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    admin.log_out().await;
    asked_by_proxy(&admin, "/auth/forward", &[]).await.expect_status(302);
}

async fn a_visitor_is_sent_to_log_in_and_comes_back(app: TestApp) {
    let visitor = app.script();
    let asked =
        [("x-forwarded-proto", "http"), ("x-forwarded-host", "localhost:3000"), ("x-forwarded-uri", "/app?a=b")];
    let answer = asked_by_proxy(&visitor, "/auth/forward", &asked).await;
    answer.expect_status(302);
    assert_eq!(answer.header("location"), Some("http://localhost:3000/login?next=/app%3Fa%3Db"));
    let for_nginx = asked_by_proxy(&visitor, "/auth/forward?unauthorized=401", &asked).await;
    assert_eq!(for_nginx.expect_status(401).header("location"), answer.header("location"));
    let original = [("x-original-url", "http://localhost:3000/app?a=b")];
    let answer = asked_by_proxy(&visitor, "/auth/forward", &original).await;
    assert_eq!(answer.header("location"), Some("http://localhost:3000/login?next=/app%3Fa%3Db"));
}

async fn nobody_is_sent_to_a_site_that_is_none_of_ours(app: TestApp) {
    let visitor = app.script();
    let sent = async |url: &str| {
        let answer = asked_by_proxy(&visitor, "/auth/forward", &[("x-original-url", url)]).await;
        answer.header("location").unwrap().to_owned()
    };
    assert_eq!(
        sent("https://app.example.org/a?b=c").await,
        "http://localhost:3000/login?next=/auth/return%3Fto%3Dhttps%253A//app.example.org/a%253Fb%253Dc"
    );
    for foreign in [
        "https://evil.test/",
        "http://app.example.org/",
        "https://app.example.org:8443/",
        "https://app.example.org@evil.test/",
        "https://app.example.org.evil.test/",
        "javascript:alert(1)",
        "//evil.test",
    ] {
        assert_eq!(sent(foreign).await, "http://localhost:3000/login", "{foreign}");
        let back = visitor.get(&format!("/auth/return?to={}", foreign.replace('@', "%40"))).await;
        back.expect_status(404);
    }
    let back = visitor.get("/auth/return?to=https%3A//app.example.org/a%3Fb%3Dc").await;
    assert_eq!(back.expect_status(302).header("location"), Some("https://app.example.org/a?b=c"));
}

async fn an_application_may_be_for_a_role(app: TestApp) {
    let (admin, bob) = (app.admin().await, app.member("bob@example.org").await);
    asked_by_proxy(&admin, "/auth/forward?role=admin", &[]).await.expect_status(200);
    asked_by_proxy(&bob, "/auth/forward?role=admin", &[]).await.expect_status(403);
    asked_by_proxy(&bob, "/auth/forward?role=member", &[]).await.expect_status(200);
    asked_by_proxy(&bob, "/auth/forward?role=king", &[]).await.expect_status(400);
    // Misspelled, it would let everybody in.
    asked_by_proxy(&bob, "/auth/forward?roles=admin", &[]).await.expect_status(400);
}

async fn an_application_behind_nginx_knows_who_asks(app: TestApp) {
    let address = Nginx::free_address();
    let settings = format!("server.public_url = \"http://{address}\"\nserver.trusted_proxies = [\"127.0.0.1\"]");
    let behind = app.another_process_with(&settings).await;
    let Some(nginx) = Nginx::start(&behind, address).await else { return };
    app.admin().await;

    let outside = behind.behind(&nginx.url);
    let browser = outside.form();
    let refused = browser.get("/reports?year=2026").await;
    let login = format!("{}/login?next=/reports%3Fyear%3D2026", nginx.url);
    assert_eq!(refused.expect_status(302).header("location"), Some(login.as_str()));
    let login = browser.get("/login?next=/reports%3Fyear%3D2026").await;
    let next = login.expect_status(200).value_of("next").unwrap();
    let fields = [("email", "ada@example.org"), ("password", PASSWORD), ("next", next.as_str())];
    browser.post("/api/login", &fields).await.expect_redirect("/reports?year=2026");

    let named = format!(
        "remote-user={}\nremote-email=ada@example.org\nremote-name=Ada Lovelace\nremote-role=admin",
        app.user_id("ada@example.org").await
    );
    let forged = [("remote-email", "eve@example.org"), ("remote-role", "admin"), ("remote-user", "1")];
    assert_eq!(asked_by_proxy(&browser, "/reports?year=2026", &forged).await.expect_status(200).body, named);
    asked_by_proxy(&outside.form(), "/reports", &forged).await.expect_status(302);
    browser.log_out().await;
    browser.get("/reports").await.expect_status(302);
}
