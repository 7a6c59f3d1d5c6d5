//! What a process writes to its log: which page answered how, and no secret, however much is logged and whatever went
//! wrong with a request.

use http::Method;

use super::Server;
use crate::harness::{Client, MAILS, PASSWORD, TestApp, on_both_databases};

on_both_databases! {
    no_log_holds_the_secret_of_a_link with MAILS,
}

/// Reads it, writes to it, from another site, too, with more than is taken and by methods that nobody knows here.
async fn ask_in_every_way(client: &Client, path: &str) {
    client.get(path).await;
    client.post(path, &[]).await;
    for method in [Method::HEAD, Method::PUT, Method::OPTIONS] {
        client.request(&method, path).send().await.unwrap();
    }
    let elsewhere = client.request(&Method::POST, path).header("sec-fetch-site", "cross-site");
    elsewhere.send().await.unwrap();
    client.request(&Method::POST, path).body("x".repeat(70_000)).send().await.unwrap();
}

async fn no_log_holds_the_secret_of_a_link(app: TestApp) {
    let admin = app.admin().await;
    app.member_by_mail("bob@example.org").await;
    app.form().post("/api/forgot-password", &[("email", "bob@example.org")]).await.expect_redirect("/link");
    let reset = app.mail("bob@example.org", "reset_password").await.written.link.unwrap().token;
    admin.post("/api/invite", &[("email", "eve@example.org"), ("role", "member")]).await.expect_status(302);
    let invite = app.mail("eve@example.org", "invitation").await.written.link.unwrap().token;
    app.change("UPDATE invites SET expires_at = 1").await;

    let server = Server::start_with(&app, &[("RUST_LOG", "trace,tower_http::csrf::service=trace".to_owned())]).await;
    let mut there = app.clone();
    there.url.clone_from(&server.url);
    let Server { mut child, mut output, .. } = server;
    // Somebody has to read what it logs, or it waits for that.
    let reading = tokio::spawn(async move {
        let mut said = Vec::new();
        while let Some(line) = output.next_line().await.unwrap() {
            said.push(line);
        }
        said
    });
    let (form, script) = (there.form(), there.script());
    for token in [&reset, &invite] {
        let paths = [
            format!("/link/{token}"),
            format!("/invite/{token}"),
            format!("/link/{token}/"),
            format!("/link/{token}/x"),
            format!("//link/{token}"),
            format!("/invite/{token}%00"),
            format!("/{token}"),
            format!("/api/{token}"),
            format!("/api/use-link/{token}"),
            format!("/dashboard/users/{token}"),
            format!("/pkg/{token}"),
            format!("/login?next=/link/{token}"),
        ];
        for path in &paths {
            ask_in_every_way(&form, path).await;
            ask_in_every_way(&script, path).await;
        }
        for function in ["use-link", "void-link", "renew-link", "accept-invite", "ask-for-invite", "profile"] {
            let referer = format!("{}/link/{token}", there.url);
            let fields = [("token", token.as_str()), ("password", PASSWORD)];
            let request = form.request(&Method::POST, &format!("/api/{function}")).form(&fields);
            request.header("referer", referer).header("user-agent", token).send().await.unwrap();
        }
    }
    child.kill().await.unwrap();
    let said = reading.await.unwrap();
    let answered = |route: &str| said.iter().any(|line| line.contains(&format!("\"route\":\"{route}\"")));
    assert!(answered("/link/{token}") && answered("/invite/{token}") && answered("/api/use-link"), "{said:#?}");
    let secrets = [reset.as_str(), invite.as_str(), PASSWORD];
    let telling: Vec<_> = said.iter().filter(|line| secrets.iter().any(|secret| line.contains(secret))).collect();
    assert!(telling.is_empty(), "{telling:#?}");
}
