//! The databases that are measured on: a SQLite file, kept in `target/bench-data` from run to run, and a database on the
//! PostgreSQL server at `$LATCHKEY_TEST_POSTGRES`, kept as long as that server is. Both are made anew when the
//! migrations or the made-up people change.

use std::{
    fs,
    hash::{DefaultHasher, Hasher},
    path::{Path, PathBuf},
};

use sqlx::{AnyConnection, Connection, Row};

use crate::{Extent, Outcome, accounts, seed, server};

/// What is kept was made with these.
const INGREDIENTS: [&str; 6] = [
    "migrations/sqlite/0001_accounts.sql",
    "migrations/sqlite/0002_rate_limits.sql",
    "migrations/postgres/0001_accounts.sql",
    "migrations/postgres/0002_rate_limits.sql",
    "benches/front_door/people.rs",
    "benches/front_door/accounts.rs",
];

/// One database.
#[derive(Clone)]
pub struct Database {
    /// How the table calls it.
    pub name: &'static str,
    /// Where it is.
    pub url: String,
}

impl Database {
    /// The databases of this machine.
    pub fn all() -> Outcome<Vec<Self>> {
        sqlx::any::install_default_drivers();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-data");
        fs::create_dir_all(&folder)?;
        let mut all = vec![Self { name: "SQLite", url: format!("sqlite://{}", folder.display()) }];
        match std::env::var("LATCHKEY_TEST_POSTGRES") {
            Ok(url) => all.push(Self { name: "PostgreSQL", url: url.trim_end_matches('/').to_owned() }),
            Err(_) => eprintln!("!!! LATCHKEY_TEST_POSTGRES is not set: ONLY SQLITE IS MEASURED."),
        }
        Ok(all)
    }

    /// Whether this is the URL of a file.
    pub fn is_sqlite(url: &str) -> bool {
        url.starts_with("sqlite:")
    }

    /// The same one with its users, made if they are not kept from before.
    pub async fn filled(&self, extent: Extent) -> Outcome<Self> {
        let name = format!("latchkey_bench_{}_{:016x}", extent.users, ingredients()?);
        let filled = Self { name: self.name, url: format!("{}/{name}", self.url) };
        if Self::is_sqlite(&self.url) {
            filled.file_filled(extent).await?;
        } else {
            filled.server_filled(self, (&name, extent)).await?;
        }
        server::run(&filled, &["migrate"], "")?;
        filled.clean().await?;
        Ok(filled)
    }

    async fn file_filled(&self, extent: Extent) -> Outcome<()> {
        let file = PathBuf::from(self.url.trim_start_matches("sqlite://"));
        if file.exists() {
            return Ok(());
        }
        for old in fs::read_dir(file.parent().ok_or("no folder")?)? {
            let old = old?.path();
            let is_of_this_extent = old.to_string_lossy().contains(&format!("_{}_", extent.users));
            if is_of_this_extent {
                fs::remove_file(old)?;
            }
        }
        let draft = Self { name: self.name, url: format!("{}.draft", self.url) };
        draft.fill(extent).await?;
        fs::rename(file.with_extension("draft"), file)?;
        Ok(())
    }

    async fn server_filled(&self, server: &Self, (name, extent): (&str, Extent)) -> Outcome<()> {
        let root = Self { name: server.name, url: format!("{}/postgres", server.url) };
        let mut connection = root.connect().await?;
        let known = sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1").bind(name);
        if known.fetch_optional(&mut connection).await?.is_some() {
            return Ok(());
        }
        let draft = Self { name: self.name, url: format!("{}_draft", self.url) };
        execute(&mut connection, &format!("DROP DATABASE IF EXISTS {name}_draft")).await?;
        execute(&mut connection, &format!("CREATE DATABASE {name}_draft")).await?;
        draft.fill(extent).await?;
        execute(&mut connection, &format!("ALTER DATABASE {name}_draft RENAME TO {name}")).await
    }

    async fn fill(&self, extent: Extent) -> Outcome<()> {
        seed::fill(self, extent.users).await?;
        accounts::make(self).await?;
        // What was made is on the disk before anything is measured.
        std::process::Command::new("sync").status()?;
        Ok(())
    }

    /// Takes away what measuring leaves.
    pub async fn clean(&self) -> Outcome<()> {
        let mut connection = self.connect().await?;
        execute(&mut connection, "DELETE FROM sessions").await?;
        for table in ["events", "mail_requests", "mails", "invites", "one_time_tokens"] {
            execute(&mut connection, &format!("DELETE FROM {table}")).await?;
        }
        if Self::is_sqlite(&self.url) {
            execute(&mut connection, "PRAGMA wal_checkpoint(TRUNCATE)").await?;
        } else {
            execute(&mut connection, "VACUUM ANALYZE sessions").await?;
            execute(&mut connection, "VACUUM ANALYZE users").await?;
        }
        Ok(connection.close().await?)
    }

    /// The server that listens for connections to it, if it is on this machine.
    pub async fn process(&self) -> Outcome<Option<u32>> {
        if Self::is_sqlite(&self.url) {
            return Ok(None);
        }
        let folder = self.text("SHOW data_directory").await?;
        let Ok(lines) = fs::read_to_string(Path::new(&folder).join("postmaster.pid")) else { return Ok(None) };
        Ok(lines.lines().next().and_then(|id| id.trim().parse().ok()))
    }

    /// A connection of one's own.
    pub async fn connect(&self) -> Outcome<AnyConnection> {
        Ok(AnyConnection::connect(&self.url).await?)
    }

    /// The first column of the first row.
    pub async fn text(&self, sql: &'static str) -> Outcome<String> {
        let mut connection = self.connect().await?;
        let row = sqlx::query(sql).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(row.try_get(0)?)
    }
}

/// Executes statements without values.
pub async fn execute(connection: &mut AnyConnection, sql: &str) -> Outcome<()> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(connection).await?;
    Ok(())
}

fn ingredients() -> Outcome<u64> {
    let mut hasher = DefaultHasher::new();
    for file in INGREDIENTS {
        hasher.write(&fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file))?);
    }
    Ok(hasher.finish())
}
