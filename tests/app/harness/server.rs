//! The server under test: built as the binary builds it, bound to a free port, stopped and swept away after the test,
//! however that ends.

use std::{
    fs,
    future::Future,
    iter,
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use latchkey::{
    Latchkey,
    app::Builder,
    config::Config,
    platform::{Clock, Platform, Timestamp},
};
use sqlx::{AssertSqlSafe, Row};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

use super::{
    Client, Kind,
    database::TestDatabase,
    providers::{Elsewhere, MyAuth, Outside, Staff, resolve_user},
};

/// When every test begins: 21 November 2026, 14:00 UTC.
const START: Timestamp = Timestamp::from_micros(1_795_269_600_000_000);
/// What every server is told, so that tests are quick: hashes that cost next to nothing, and few connections.
const CHEAP: &str = r#"
    server.listen = "127.0.0.1:0"
    database.max_connections = 4
    password.memory_kib = 8
    password.iterations = 1
"#;
/// How long a server may take to stop before the test fails.
const STOP_WITHIN: Duration = Duration::from_secs(25);

/// A running server and all that a test may do with it; clones mean the same server.
#[derive(Clone)]
pub struct TestApp {
    /// Where it is reached, without a slash at the end.
    pub url: String,
    /// Which database it runs on.
    pub kind: Kind,
    /// The time as the server sees it.
    pub clock: Clock,
    /// The database and the other tools of the server, for a look behind the front door.
    pub platform: Platform,
    /// The token for `/setup`, while there is no admin.
    pub setup_token: Option<String>,
    config: Config,
    servers: Arc<Mutex<Vec<Serving>>>,
}

struct Serving {
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    platform: Platform,
}

/// Runs a test against a server of its own; skips it where there is no database for it.
pub async fn run<T, F>(kind: Kind, settings: &[&str], test: T)
where
    T: FnOnce(TestApp) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let Some(database) = TestDatabase::create(kind).await else { return };
    let app = TestApp::start(kind, config(&database, settings)).await;
    let servers = app.servers.clone();
    let outcome = tokio::spawn(test(app)).await;
    let serving = std::mem::take(&mut *servers.lock().unwrap_or_else(PoisonError::into_inner));
    for server in serving {
        server.stop().await;
    }
    database.remove().await;
    if let Err(error) = outcome {
        resume_unwind(error.into_panic());
    }
}

/// The configuration of one test, read as the binary reads its file.
fn config(database: &TestDatabase, settings: &[&str]) -> Config {
    let folder = database.folder.path();
    let own = format!("database.url = {:?}\nkeys.directory = {:?}", database.url, folder.display().to_string());
    let mut table = toml::Table::new();
    for text in [CHEAP, &own].iter().chain(settings) {
        merge(&mut table, text.parse().expect("settings are TOML"));
    }
    let file = folder.join("latchkey.toml");
    fs::write(&file, table.to_string()).unwrap();
    Config::load(Some(&file), iter::empty()).unwrap()
}

/// What the binary is, with the providers that tests add to it.
fn builder(config: &Config) -> Builder {
    let builder = Latchkey::builder().provider::<MyAuth>().provider::<Outside>();
    let builder = builder.provider::<Elsewhere>().provider::<Staff>();
    // The hook of a program would stand before that of the configuration.
    if config.resolve_user.url.is_some() { builder } else { builder.resolve_user(resolve_user) }
}

fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

impl TestApp {
    async fn start(kind: Kind, config: Config) -> Self {
        let clock = Clock::fixed(START);
        Self::serve(kind, config, clock, Arc::default()).await
    }

    async fn serve(kind: Kind, config: Config, clock: Clock, servers: Arc<Mutex<Vec<Serving>>>) -> Self {
        let app = builder(&config).clock(clock.clone()).bind(config.clone()).await.unwrap();
        let platform = app.latchkey().platform().clone();
        let url = format!("http://{}", app.local_addr());
        let setup_token = app.latchkey().setup_token().map(str::to_owned);
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async move {
            app.serve(async { stopped.await.unwrap_or(()) }).await;
        });
        servers.lock().unwrap().push(Serving { stop, served, platform: platform.clone() });
        Self { url, kind, clock, platform, setup_token, config, servers }
    }

    /// Starts another process of the same site: same database, key, settings and clock, another port.
    pub async fn another_process(&self) -> Self {
        Self::serve(self.kind, self.config.clone(), self.clock.clone(), self.servers.clone()).await
    }

    /// The same with other settings.
    pub async fn another_process_with(&self, settings: &str) -> Self {
        let text = fs::read_to_string(self.config_file()).unwrap();
        let mut table: toml::Table = text.parse().unwrap();
        merge(&mut table, settings.parse().expect("settings are TOML"));
        let file = self.config.keys.directory.join("another.toml");
        fs::write(&file, table.to_string()).unwrap();
        let config = Config::load(Some(&file), iter::empty()).unwrap();
        Self::serve(self.kind, config, self.clock.clone(), self.servers.clone()).await
    }

    /// The same server as it is reached through a proxy.
    pub fn behind(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// The configuration as a file, for commands and other processes.
    pub fn config_file(&self) -> PathBuf {
        self.config.keys.directory.join("latchkey.toml")
    }

    /// Where this site keeps its files.
    pub fn folder(&self) -> &Path {
        &self.config.keys.directory
    }

    /// Stops the process that was started last.
    pub async fn stop_last(&self) {
        let last = self.servers.lock().unwrap().pop().expect("one was started");
        last.stop().await;
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    /// A browser without JavaScript that nobody has used yet.
    pub fn form(&self) -> Client {
        Client::form(self)
    }

    /// A script that nobody has logged in yet.
    pub fn script(&self) -> Client {
        Client::script(self)
    }

    /// The number that a statement answers, such as `SELECT count(*) FROM users`.
    pub async fn number(&self, statement: &str) -> i64 {
        let query = sqlx::query(AssertSqlSafe(statement.to_owned()));
        query.fetch_one(self.platform.db.reader()).await.unwrap().get(0)
    }

    /// The text that a statement answers for `$1`, if it answers a row.
    pub async fn text_for(&self, statement: &str, value: &str) -> Option<String> {
        let query = sqlx::query(AssertSqlSafe(statement.to_owned())).bind(value.to_owned());
        let row = query.fetch_optional(self.platform.db.reader()).await.unwrap();
        row.map(|row| row.get(0))
    }
}

impl Serving {
    async fn stop(self) {
        let _ = self.stop.send(());
        timeout(STOP_WITHIN, self.served).await.expect("the server stops when it is told to").unwrap();
        self.platform.db.close().await;
    }
}
