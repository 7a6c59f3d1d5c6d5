//! `/health/live` and `/health/ready`.

use crate::harness::{TestApp, on_both_databases};

on_both_databases! {
    a_server_that_serves_is_live_and_ready,
    a_server_whose_migrations_are_another_versions_is_not_ready,
}

async fn a_server_that_serves_is_live_and_ready(app: TestApp) {
    let script = app.script();
    assert_eq!(script.get("/health/live").await.expect_status(200).json()["status"], "live");
    assert_eq!(script.get("/health/ready").await.expect_status(200).json()["status"], "ready");
}

async fn a_server_whose_migrations_are_another_versions_is_not_ready(app: TestApp) {
    let mut tx = app.platform.db.begin().await.unwrap();
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = 2").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    app.script().get("/health/live").await.expect_status(200);
    app.script().get("/health/ready").await.expect_status(503);
}
