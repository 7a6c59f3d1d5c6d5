//! Opens the connections: pragmas and bounds of each, and the file of a SQLite database, readable by its owner only.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Once,
    time::Duration,
};

use sqlx::{
    AnyConnection, AnyPool, Connection,
    any::{AnyConnectOptions, AnyPoolOptions},
};

use super::{DatabaseSettings, DbError, Dialect, Pools, swift::SwiftReads};

/// How long a request waits for a connection before it is told that the database is busy.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A PostgreSQL connection that rested longer than this is asked for a sign of life first. Asking always doubles the
/// round trips of every read, and took 40 % of them a second.
pub(super) const RESTED: Duration = Duration::from_secs(5);

static DRIVERS: Once = Once::new();

pub(super) async fn open(settings: &DatabaseSettings) -> Result<Pools, DbError> {
    DRIVERS.call_once(sqlx::any::install_default_drivers);
    let opened = match settings.url.sqlite_path() {
        Some(path) => open_sqlite(&make_file(path)?, settings).await,
        None => open_postgres(settings).await,
    };
    opened.map_err(|source| DbError::Open { url: settings.url.redacted(), source })
}

async fn open_sqlite(file: &Path, settings: &DatabaseSettings) -> Result<Pools, sqlx::Error> {
    let options: AnyConnectOptions = file_url(file).parse()?;
    let dialect = Dialect::Sqlite;
    let lasting = || AnyPoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT).idle_timeout(None).max_lifetime(None);
    let writer = lasting()
        .max_connections(1)
        .test_before_acquire(false)
        .after_connect(move |connection, _| Box::pin(dialect.prepare_writer(connection)))
        .connect_with(options.clone())
        .await?;
    use_write_ahead_log(&writer).await?;
    let reader = lasting()
        .max_connections(settings.max_connections.get())
        .test_before_acquire(false)
        .after_connect(move |connection, _| Box::pin(dialect.prepare_reader(connection)))
        .connect_with(options)
        .await?;
    Ok(Pools { dialect, swift: SwiftReads::of(reader.clone(), dialect), reader, writer })
}

async fn open_postgres(settings: &DatabaseSettings) -> Result<Pools, sqlx::Error> {
    let options: AnyConnectOptions = settings.url.expose().parse()?;
    let dialect = Dialect::Postgres;
    // A pool would try on and then only say that it had no time; one connection says what is the matter.
    AnyConnection::connect_with(&options).await?.close().await?;
    let pool = AnyPoolOptions::new()
        .max_connections(settings.max_connections.get())
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                let is_rested = meta.idle_for > RESTED;
                Ok(!is_rested || sqlx::Connection::ping(connection).await.is_ok())
            })
        })
        .after_connect(move |connection, _| Box::pin(dialect.prepare_writer(connection)))
        .connect_with(options)
        .await?;
    Ok(Pools { dialect, swift: SwiftReads::of(pool.clone(), dialect), reader: pool.clone(), writer: pool })
}

/// Switches the file to WAL, which lasts. The switch needs the file for itself and does not wait for its turn, so a
/// process that meets another one at its start tries again.
async fn use_write_ahead_log(writer: &AnyPool) -> Result<(), sqlx::Error> {
    let mut outcome = Ok(());
    for _ in 0..50 {
        outcome = sqlx::query("PRAGMA journal_mode = WAL").execute(writer).await.map(drop);
        match &outcome {
            Err(error) if super::is_unavailable(error) => pause().await,
            _ => break,
        }
    }
    outcome
}

#[expect(clippy::disallowed_methods, reason = "SQLite has nothing to wait for here")]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// Makes the directory (0700) and the file (0600) if they are missing; SQLite gives its side files the same mode.
fn make_file(path: &str) -> Result<PathBuf, DbError> {
    let file_error = |source| DbError::File { path: PathBuf::from(path), source };
    let file = std::path::absolute(path).map_err(file_error)?;
    if let Some(directory) = file.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(file_error)?;
    }
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(file_error(error)),
        _ if file.is_dir() => Err(file_error(io::Error::from(ErrorKind::IsADirectory))),
        _ => Ok(file),
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0')
}

/// The URL of a file, with everything encoded that would mean something in a URL.
fn file_url(file: &Path) -> String {
    let mut url = "sqlite://".to_owned();
    for byte in file.as_os_str().as_encoded_bytes() {
        match *byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => url.push(char::from(*byte)),
            other => url.extend(['%', hex_digit(other >> 4), hex_digit(other & 15)]),
        }
    }
    url
}
