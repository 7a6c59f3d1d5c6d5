//! `/admin/invites`: what programs of admins do with invites.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Program, TestApp, on_both_databases};

on_both_databases! {
    an_invite_is_made_listed_sent_again_and_deleted,
    what_makes_no_sense_is_refused,
    invites_are_filtered_and_paged,
}

const BOB: &str = "bob@example.org";

/// Invites somebody and answers with the invite.
pub(super) async fn invite(ada: &Program, body: &Value) -> Value {
    ada.post("/admin/invites", body).await.expect_status(200).json()["invite"].clone()
}

/// Where an invite is accepted.
pub(super) fn accept_path(token: &str) -> String {
    format!("/admin/invites/accept?token={token}")
}

async fn an_invite_is_made_listed_sent_again_and_deleted(app: TestApp) {
    let ada = app.admin_program().await;
    let body = json!({
        "email": "Bob@Example.org", "role": "admin", "note": "See you\non Monday", "expires_in": "2d", "metadata": { "a": 1 },
    });
    let mut made = invite(&ada, &body).await;
    let token = made["token"].as_str().unwrap().to_owned();
    assert_eq!((&made["email"], &made["role"], &made["state"]), (&json!(BOB), &json!("admin"), &json!("pending")));
    assert_eq!((&made["note"], &made["metadata"]), (&json!("See you\non Monday"), &json!({ "a": 1 })));
    assert_eq!(made["invited_by"], app.user_id("ada@example.org").await);
    assert_eq!(made["expires_at"], "2026-11-23T14:00:00.000Z");
    let path = format!("/admin/invites/{}", made["id"].as_str().unwrap());
    made.as_object_mut().unwrap().remove("token");
    assert_eq!(ada.get(&path).await.expect_status(200).json()["invite"], made);
    let listed = ada.get("/admin/invites").await;
    listed.expect_status(200);
    assert!(!listed.body.contains("token"));
    assert_eq!(listed.json(), json!({ "invites": [made], "count": 1, "offset": 0, "limit": 50 }));

    let second = ada.post("/admin/invites", &json!({ "email": BOB })).await;
    assert_eq!(second.expect_status(422).json()["type"], "duplicate_error");
    let again = ada.post(&format!("{path}/resend"), &json!({})).await.expect_status(200).json()["invite"].clone();
    assert_ne!(again["token"], token);
    assert_eq!(again["expires_at"], "2026-11-28T14:00:00.000Z");
    // The link before goes on to work.
    app.form().get(&format!("/invite/{token}")).await.expect_status(200).expect_text("Accept invite");

    let deleted = ada.delete(&path).await.expect_status(200).json();
    assert_eq!(deleted, json!({ "id": made["id"], "object": "invite", "deleted": true }));
    let said = ada.get(&path).await.expect_status(404).json();
    assert_eq!(said["message"], format!("Invite with id: {} was not found", made["id"].as_str().unwrap()));
    ada.post(&format!("{path}/resend"), &json!({})).await.expect_status(404);
    ada.delete(&path).await.expect_status(404);
    app.form().get(&format!("/invite/{token}")).await.expect_status(404);
    let seconds = invite(&ada, &json!({ "email": BOB, "expires_in": 3600 })).await;
    assert_eq!(seconds["expires_at"], "2026-11-21T15:00:00.000Z");
}

async fn what_makes_no_sense_is_refused(app: TestApp) {
    let ada = app.admin_program().await;
    for (body, text) in [
        (json!({}), "Field 'email' is required"),
        (json!({ "email": BOB, "token": "x" }), "Unrecognized fields: 'token'"),
        (json!({ "email": "a,b@example.org" }), "Field 'email'"),
        (json!({ "email": BOB, "role": "king" }), "Field 'role'"),
        (json!({ "email": BOB, "note": "a\u{0}" }), "Field 'note'"),
        (json!({ "email": BOB, "note": "x".repeat(501) }), "Field 'note'"),
        (json!({ "email": BOB, "expires_in": "59m" }), "Field 'expires_in'"),
        (json!({ "email": BOB, "expires_in": 3599 }), "Field 'expires_in'"),
        (json!({ "email": BOB, "expires_in": "31d" }), "Field 'expires_in'"),
        (json!({ "email": BOB, "expires_in": -1 }), "Field 'expires_in'"),
        (json!({ "email": BOB, "expires_in": "soon" }), "Field 'expires_in'"),
        (json!({ "email": BOB, "metadata": [1] }), "Field 'metadata'"),
    ] {
        let said = ada.post("/admin/invites", &body).await.expect_status(400).json();
        assert_eq!(said["type"], "invalid_data");
        assert!(said["message"].as_str().unwrap().contains(text), "{said}");
    }
    let said = ada.post("/admin/invites", &json!({ "email": "ADA@example.org" })).await.expect_status(400).json();
    let text = "User account for following email(s) already exist: ada@example.org";
    assert_eq!(said, json!({ "type": "invalid_data", "message": text }));
    assert_eq!(app.number("SELECT count(*) FROM invites").await, 0);
    for query in [
        "foo=1",
        "state=gone",
        "order=id",
        "order=note",
        "limit=0",
        "limit=101",
        "after=x",
        "email=x",
        "fields=id",
        "q=%00",
    ] {
        let refused = ada.get(&format!("/admin/invites?{query}")).await;
        assert_eq!(refused.expect_status(400).json()["type"], "invalid_data", "{query}");
    }
    let closed = app.another_process_with("registration.mode = \"closed\"").await;
    let there = closed.program_of("ada@example.org").await;
    let refused = there.post("/admin/invites", &json!({ "email": BOB })).await;
    assert_eq!(refused.expect_status(400).json()["type"], "not_allowed");
}

async fn invites_are_filtered_and_paged(app: TestApp) {
    let ada = app.admin_program().await;
    let mut ids = Vec::new();
    for (nth, name) in ["bob", "c_leo", "dan", "eve", "flo"].into_iter().enumerate() {
        app.advance(Duration::from_mins(1));
        let email = format!("{name}@example{}.org", nth % 2);
        ids.push(
            invite(&ada, &json!({ "email": email, "expires_in": 3_600 * (9 - nth) })).await["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let list = async |query: &str| {
        let found = ada.get(&format!("/admin/invites?{query}")).await.expect_status(200).json();
        let names = found["invites"]
            .as_array()
            .unwrap()
            .iter()
            .map(|invite| invite["email"].as_str().unwrap().split('@').next().unwrap().to_owned());
        (names.collect::<Vec<_>>().join(" "), found["count"].as_u64().unwrap())
    };
    let accepted = app.registered("emailpass", "dan@example0.org").await;
    let token = ada.post(&format!("/admin/invites/{}/resend", ids[2]), &json!({})).await.json()["invite"]["token"]
        .as_str()
        .unwrap()
        .to_owned();
    accepted.post(&accept_path(&token), &json!({})).await.expect_status(200);
    for (query, names, count) in [
        (String::new(), "flo eve dan c_leo bob", 5),
        ("q=example1".to_owned(), "eve c_leo", 2),
        ("q=_".to_owned(), "c_leo", 1),
        ("q=%25".to_owned(), "", 0),
        ("email=EVE@example1.org".to_owned(), "eve", 1),
        ("state=accepted".to_owned(), "dan", 1),
        ("state=pending&order=email".to_owned(), "bob c_leo eve flo", 4),
        ("state=revoked".to_owned(), "", 0),
        ("order=-expires_at&state=pending".to_owned(), "bob c_leo eve flo", 4),
        ("order=created_at&limit=2&offset=1".to_owned(), "c_leo dan", 5),
        (format!("order=created_at&limit=2&after={}", ids[2]), "eve flo", 5),
        (format!("id={}&id[]={}", ids[0], ids[3]), "eve bob", 2),
        ("id=x".to_owned(), "", 0),
    ] {
        assert_eq!(list(&query).await, (names.to_owned(), count), "{query}");
    }
    app.advance(Duration::from_mins(330));
    assert_eq!(list("state=expired").await, ("flo".to_owned(), 1));
}
