//! Requests that a test holds up in the middle, in an order of its own making and without any sleep: a transaction of the
//! test keeps what they want to write, and the database says who waits for it.

use latchkey::platform::Tx;
use tokio::task::JoinHandle;

use super::{Kind, TestApp, eventually};

/// More connections than a server of the tests needs otherwise: whoever is held up keeps one.
pub const ROOMY: &str = "database.max_connections = 16";

impl TestApp {
    /// Lets nobody write mails until the transaction ends. On SQLite nobody writes anything.
    pub async fn hold_mails(&self) -> Tx {
        let mut tx = self.platform.db.begin().await.unwrap();
        if self.kind == Kind::Postgres {
            sqlx::query("LOCK TABLE mails IN SHARE MODE").execute(&mut *tx).await.unwrap();
        }
        tx
    }

    /// Waits until so many wait for a lock besides the sweeper, or this one has ended. On SQLite, where one writes at a time and nothing can be
    /// seen of who waits, it is left to chance who is first.
    pub async fn until_held<T>(&self, number: i64, last: &JoinHandle<T>) {
        if self.kind == Kind::Sqlite {
            return tokio::task::yield_now().await;
        }
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
             AND wait_event_type = 'Lock' AND query NOT LIKE 'DELETE FROM mails %'";
        eventually(async || last.is_finished() || self.number(waiting).await >= number).await;
    }
}
