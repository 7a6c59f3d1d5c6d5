//! What a provider writes waits for the flow; state is read once, by the browser and the provider that set it.

use std::time::Duration;

use latchkey::{
    auth::{AuthIdentityProviderService, BrowserKey, Error},
    shared::ProviderId,
};
use serde_json::{Map, json};

use crate::harness::{TestApp, on_both_databases};

on_both_databases! {
    nothing_is_stored_before_the_flow_commits,
    one_entity_of_a_provider_is_one_identity,
    two_instances_of_a_kind_do_not_see_each_other,
    an_update_is_stored_with_the_commit,
    what_was_changed_since_it_was_read_is_not_committed,
    state_is_read_once_by_the_browser_that_set_it,
    state_ends_after_twenty_minutes,
}

fn service(app: &TestApp, provider: &str, browser: Option<&str>) -> AuthIdentityProviderService {
    let platform = &app.platform;
    let service = AuthIdentityProviderService::new(platform, ProviderId::new(provider), platform.clock.now());
    match browser {
        Some(secret) => service.seen_by(BrowserKey::new(secret), Some(format!("errand of {secret}"))),
        None => service,
    }
}

async fn commit(app: &TestApp, service: &AuthIdentityProviderService) -> Result<(), Error> {
    let mut tx = app.platform.db.begin().await.unwrap();
    service.commit(&mut tx).await?;
    tx.commit().await.unwrap();
    Ok(())
}

async fn nothing_is_stored_before_the_flow_commits(app: TestApp) {
    let first = service(&app, "a", None);
    let created = first.create("bob", Map::new(), Map::new()).unwrap();
    assert_eq!(first.retrieve("bob").await.unwrap(), Some(created.clone()));
    assert_eq!(service(&app, "a", None).retrieve("bob").await.unwrap(), None);
    assert_eq!(app.number("SELECT count(*) FROM auth_identities").await, 0);
    commit(&app, &first).await.unwrap();
    assert_eq!(service(&app, "a", None).retrieve("bob").await.unwrap(), Some(created));
}

async fn one_entity_of_a_provider_is_one_identity(app: TestApp) {
    let (first, second) = (service(&app, "a", None), service(&app, "a", None));
    first.create("bob", Map::new(), Map::new()).unwrap();
    assert!(matches!(first.create("bob", Map::new(), Map::new()), Err(Error::Taken)));
    second.create("bob", Map::new(), Map::new()).unwrap();
    commit(&app, &first).await.unwrap();
    assert!(matches!(commit(&app, &second).await, Err(Error::Taken)));
    assert_eq!(app.number("SELECT count(*) FROM auth_identities").await, 1, "the loser left nothing");
}

async fn two_instances_of_a_kind_do_not_see_each_other(app: TestApp) {
    let (first, second) = (service(&app, "a", None), service(&app, "b", None));
    first.create("bob", Map::new(), Map::new()).unwrap();
    commit(&app, &first).await.unwrap();
    assert_eq!(second.retrieve("bob").await.unwrap(), None);
    second.create("bob", Map::new(), Map::new()).unwrap();
    commit(&app, &second).await.unwrap();
    assert_eq!(app.number("SELECT count(*) FROM provider_identities").await, 2);
}

async fn an_update_is_stored_with_the_commit(app: TestApp) {
    let first = service(&app, "a", None);
    first.create("bob", Map::new(), Map::from_iter([("name".to_owned(), json!("Bob"))])).unwrap();
    commit(&app, &first).await.unwrap();
    let secret = Map::from_iter([("password".to_owned(), json!("hash"))]);
    let second = service(&app, "a", None);
    second.update("bob", secret.clone()).await.unwrap();
    commit(&app, &second).await.unwrap();
    let stored = service(&app, "a", None).retrieve("bob").await.unwrap().unwrap().provider_identity;
    assert_eq!((stored.provider_metadata, stored.user_metadata["name"].as_str()), (secret, Some("Bob")));
    assert!(matches!(second.update("nobody", Map::new()).await, Err(Error::NotFound)));
}

async fn what_was_changed_since_it_was_read_is_not_committed(app: TestApp) {
    let first = service(&app, "a", None);
    first.create("bob", Map::from_iter([("password".to_owned(), json!("old"))]), Map::new()).unwrap();
    commit(&app, &first).await.unwrap();
    let (reader, rehasher, changer) = (service(&app, "a", None), service(&app, "a", None), service(&app, "a", None));
    reader.retrieve("bob").await.unwrap();
    rehasher.update("bob", Map::from_iter([("password".to_owned(), json!("old, hashed anew"))])).await.unwrap();
    changer.update("bob", Map::from_iter([("password".to_owned(), json!("new"))])).await.unwrap();
    commit(&app, &changer).await.unwrap();
    for late in [reader, rehasher] {
        assert!(matches!(commit(&app, &late).await, Err(Error::Changed)));
    }
    let stored = service(&app, "a", None).retrieve("bob").await.unwrap().unwrap().provider_identity;
    assert_eq!(stored.provider_metadata["password"], "new");
}

async fn state_is_read_once_by_the_browser_that_set_it(app: TestApp) {
    let mine = service(&app, "a", Some("mine"));
    mine.set_state("key", "value").await.unwrap();
    for other in [service(&app, "a", Some("other")), service(&app, "b", Some("mine")), service(&app, "a", None)] {
        assert_eq!(other.get_state("key").await.unwrap(), None);
    }
    assert_eq!(mine.get_state("another").await.unwrap(), None);
    let back = service(&app, "a", None).seen_by(BrowserKey::new("mine"), None);
    assert_eq!(back.get_state("key").await.unwrap().as_deref(), Some("value"));
    assert_eq!(
        back.errand().as_deref(),
        Some("errand of mine"),
        "what the browser was sent away for comes back with it"
    );
    assert_eq!(mine.get_state("key").await.unwrap(), None);
    assert!(service(&app, "a", None).set_state("key", "value").await.is_err());
}

async fn state_ends_after_twenty_minutes(app: TestApp) {
    let before = service(&app, "a", Some("mine"));
    before.set_state("early", "1").await.unwrap();
    before.set_state("late", "2").await.unwrap();
    app.advance(Duration::from_secs(20 * 60 - 1));
    assert_eq!(service(&app, "a", Some("mine")).get_state("early").await.unwrap().as_deref(), Some("1"));
    app.advance(Duration::from_secs(1));
    assert_eq!(service(&app, "a", Some("mine")).get_state("late").await.unwrap(), None);
}
