//! What unit tests need of the platform: folders that vanish, and empty databases of both kinds.
//! PostgreSQL is the server at `LATCHKEY_TEST_POSTGRES`; where it is missing this is said loudly, and fails under `CI`.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use sqlx::{AnyConnection, AssertSqlSafe, Connection};

use super::{DatabaseSettings, Db, Entropy, Timestamp};

/// The variable that names a PostgreSQL server on which tests may make databases.
const SERVER: &str = "LATCHKEY_TEST_POSTGRES";

/// The certificate of an authority that signs nothing: its key was thrown away.
pub const CA_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIByTCCAW+gAwIBAgIUaYaOOfi93pSMLm5zJD6IZmsJJTUwCgYIKoZIzj0EAwIw
QDEXMBUGA1UECgwOdHJ1c3RtZSB2MS4yLjExJTAjBgNVBAsMHFRlc3RpbmcgQ0Eg
I3NVTE90OTFoTVk4dDg5QWIwIBcNMDAwMTAxMDAwMDAwWhgPMzAwMDAxMDEwMDAw
MDBaMEAxFzAVBgNVBAoMDnRydXN0bWUgdjEuMi4xMSUwIwYDVQQLDBxUZXN0aW5n
IENBICNzVUxPdDkxaE1ZOHQ4OUFiMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
y7SZSBYm8wIDhLYDCV1FdT06t0v8DLgsAh4OgR5zJn2SZSzSMBL/dN8o3VngNZje
SnT2GqKDfBKQBByXF4wRBKNFMEMwHQYDVR0OBBYEFEc0CTGYRYYb6WVfwvuYKw1f
FQjqMBIGA1UdEwEB/wQIMAYBAf8CAQkwDgYDVR0PAQH/BAQDAgGGMAoGCCqGSM49
BAMCA0gAMEUCICCLKjopKdrdnpJo8tUgUNWP2QPX+kjVpU+L0El1zwrNAiEAi859
p6upfqL3Z4YRS9eD94xRHZU7wP1pv3F2L/I/D3o=
-----END CERTIFICATE-----
";

fn unique_name() -> String {
    Entropy::from_os().unwrap().uuid_v7(Timestamp::from_micros(0)).replace('-', "")
}

/// A directory that is removed when dropped.
pub struct TempDir(PathBuf);

impl TempDir {
    /// Makes an empty directory.
    pub fn new() -> Self {
        let path = env::temp_dir().join(format!("latchkey-unit-{}", unique_name()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A database without tables.
pub struct TestDb {
    /// The connections.
    pub db: Db,
    /// How it was opened, to open it again as another process would.
    pub settings: DatabaseSettings,
    /// The database to drop on a PostgreSQL server.
    postgres: Option<(String, String)>,
    _directory: TempDir,
}

impl TestDb {
    /// A SQLite file.
    pub async fn sqlite() -> Option<Self> {
        let directory = TempDir::new();
        let url = format!("sqlite://{}", directory.path().join("test.db").display());
        Some(Self::open(&url, None, directory).await)
    }

    /// A PostgreSQL database; `None` where there is no server for it.
    pub async fn postgres() -> Option<Self> {
        let Ok(server) = env::var(SERVER) else {
            assert!(env::var_os("CI").is_none(), "{SERVER} is not set, and CI wants PostgreSQL");
            let _ = writeln!(io::stderr(), "\n!!! SKIPPED on PostgreSQL: {SERVER} is not set");
            return None;
        };
        let name = format!("latchkey_unit_{}", unique_name());
        run_on(&server, format!("CREATE DATABASE {name}")).await;
        let url = format!("{}/{name}", server.trim_end_matches('/'));
        Some(Self::open(&url, Some((server, name)), TempDir::new()).await)
    }

    async fn open(url: &str, postgres: Option<(String, String)>, directory: TempDir) -> Self {
        let settings = DatabaseSettings::for_url(url).unwrap();
        Self { db: Db::open(&settings).await.unwrap(), settings, postgres, _directory: directory }
    }

    /// Opens it once more, as another process would.
    pub async fn open_again(&self) -> Db {
        Db::open(&self.settings).await.unwrap()
    }

    /// Removes it.
    pub async fn remove(self) {
        self.db.close().await;
        if let Some((server, name)) = self.postgres {
            run_on(&server, format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

async fn run_on(server: &str, statement: String) {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(server).await.expect("PostgreSQL answers");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Makes two tests of each `async fn(&TestDb)`: one on SQLite, one on PostgreSQL.
macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let Some(test) = $crate::platform::testing::TestDb::sqlite().await else { return };
                super::$name(&test).await;
                test.remove().await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let Some(test) = $crate::platform::testing::TestDb::postgres().await else { return };
                super::$name(&test).await;
                test.remove().await;
            })*
        }
    };
}
pub(crate) use on_both_databases;
