//! A database of its own for every test: a file of SQLite, or a copy of a PostgreSQL database that was migrated once.
//! A PostgreSQL that is missing is said loudly; where `CI` is set it fails the test.

use std::{
    env,
    io::{self, Write},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use latchkey::platform::{DatabaseSettings, Db};
use reqwest::Url;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;

use super::temp_dir::{TempDir, unique_number};

/// Where the tests find a PostgreSQL server on which they may make databases.
const SERVER: &str = "LATCHKEY_TEST_POSTGRES";

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// The database of one test, with a folder for what else its server keeps.
pub struct TestDatabase {
    pub url: String,
    pub folder: TempDir,
    postgres: Option<(Url, String)>,
}

impl TestDatabase {
    /// Makes a database; `None` where there is no server for it.
    pub async fn create(kind: Kind) -> Option<Self> {
        let folder = TempDir::new();
        if kind == Kind::Sqlite {
            let url = format!("sqlite://{}", folder.path().join("latchkey.db").display());
            return Some(Self { url, folder, postgres: None });
        }
        let server = server()?;
        let template = template(&server).await;
        let name = format!("latchkey_test_{}_{}", process::id(), unique_number());
        run_on(&server, &[format!("CREATE DATABASE {name} TEMPLATE {template}")]).await;
        Some(Self { url: database(&server, &name), folder, postgres: Some((server, name)) })
    }

    /// Removes it.
    pub async fn remove(self) {
        if let Some((server, name)) = &self.postgres {
            run_on(server, &[format!("DROP DATABASE {name} WITH (FORCE)")]).await;
        }
    }
}

fn server() -> Option<Url> {
    static SKIPPED: AtomicU32 = AtomicU32::new(0);
    if let Ok(url) = env::var(SERVER) {
        return Some(Url::parse(&url).expect("LATCHKEY_TEST_POSTGRES is a URL"));
    }
    assert!(env::var_os("CI").is_none(), "{SERVER} is not set, and CI wants PostgreSQL; .ci/with-postgres sets it");
    let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    // Written past the capture of the test runner, which shows nothing of tests that pass.
    let _ =
        writeln!(io::stderr(), "\n!!! SKIPPED {count} on PostgreSQL: {SERVER} is not set (.ci/with-postgres sets it)");
    None
}

/// A migrated database that others are copied from, made once a run.
async fn template(server: &Url) -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let name = format!("latchkey_test_template_{}", process::id());
            run_on(server, &[format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")]).await;
            let settings = DatabaseSettings::for_url(&database(server, &name)).unwrap();
            let db = Db::open(&settings).await.unwrap();
            db.migrate().await.unwrap();
            db.close().await;
            name
        })
        .await
}

fn database(server: &Url, name: &str) -> String {
    let mut url = server.clone();
    url.set_path(name);
    url.to_string()
}

async fn run_on(server: &Url, statements: &[String]) {
    let mut connection = PgConnection::connect(server.as_str()).await.expect("PostgreSQL answers");
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement.as_str())).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}
