//! The list of users: every kind of question that an admin asks, as a whole page over HTTP and as the bare query.

use std::{num::NonZeroUsize, time::Duration};

use latchkey::{
    events::Scope,
    platform::{Clock, DatabaseSettings, Db},
    shared::{Role, UserId},
    users::{self, Filter, Order, Page, SortBy, Status},
};

use crate::{
    Extent, Outcome,
    accounts::admin_cookie,
    client::{Client, get},
    database::Database,
    load::percentile,
    now,
    server::Server,
    table::{Cell, Column},
};

const MAX_P99: Duration = Duration::from_millis(20);
/// The user in the middle of the newest first.
const MIDDLE: &str =
    "SELECT id FROM users ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET (SELECT count(*) / 2 FROM users)";

/// A question to the list.
struct Question {
    what: &'static str,
    search: &'static str,
    role: &'static str,
    status: &'static str,
    sort: &'static str,
    limit: u32,
    is_far_in: bool,
}

const PLAIN: Question =
    Question { what: "first page", search: "", role: "", status: "", sort: "", limit: 25, is_far_in: false };

const QUESTIONS: [Question; 22] = [
    PLAIN,
    Question { what: "a page in the middle", is_far_in: true, ..PLAIN },
    Question { what: "100 a page", limit: 100, ..PLAIN },
    Question { what: "by e-mail", sort: "email", ..PLAIN },
    Question { what: "by name, backwards", sort: "-name", ..PLAIN },
    Question { what: "admins", role: "admin", ..PLAIN },
    Question { what: "disabled, by name", status: "disabled", sort: "name", ..PLAIN },
    Question { what: "search: common (smith)", search: "smith", ..PLAIN },
    Question { what: "search: common, in the middle", search: "smith", is_far_in: true, ..PLAIN },
    Question { what: "search: 1 in 150 (zoe)", search: "zoe", ..PLAIN },
    Question { what: "search: 1 in 150, 100 a page", search: "zoe", limit: 100, ..PLAIN },
    Question { what: "search: 1 in 150, by name", search: "zoe", sort: "name", ..PLAIN },
    Question { what: "search: 1 in 250 (lovelace), 100 a page", search: "lovelace", limit: 100, ..PLAIN },
    Question { what: "search: rare (zoe zim)", search: "zoe zim", ..PLAIN },
    Question { what: "search: an address", search: "ada.lovelace7@inbox.example", ..PLAIN },
    Question { what: "search: none (qqq)", search: "qqq", ..PLAIN },
    Question { what: "search: none of common parts", search: "le@inbox.example.com", ..PLAIN },
    Question { what: "search: two letters (zo)", search: "zo", ..PLAIN },
    Question { what: "search: two letters, none (qq)", search: "qq", ..PLAIN },
    Question { what: "search: common, admins", search: "smith", role: "admin", ..PLAIN },
    Question {
        what: "search: common, disabled, by e-mail",
        search: "smith",
        status: "disabled",
        sort: "email",
        ..PLAIN
    },
    Question { what: "search: 1 in 150, active members", search: "zoe", role: "member", status: "active", ..PLAIN },
];

/// Measures them.
pub async fn measure(database: &Database, extent: Extent, column: &mut Column<'_>) -> Outcome<()> {
    let middle = database.text(MIDDLE).await?;
    let server = Server::start(database, None).await?;
    let cookie = admin_cookie(&server).await?;
    let mut client = Client::connect(server.address).await?;
    let db = Db::open(&DatabaseSettings::for_url(&database.url)?).await?;
    for question in &QUESTIONS {
        let request = get(&question.address(&middle), &cookie);
        let mut pages = Vec::new();
        let mut queries = Vec::new();
        let started = now();
        while pages.len() < extent.list_rounds && started.elapsed() < extent.list_time {
            let asked = now();
            let answer = client.ask(&request).await?;
            pages.push(asked.elapsed());
            if answer.status != 200 {
                return Err(format!("{}: {}", question.what, answer.head).into());
            }
            let asked = now();
            question.ask(&db, &middle).await?;
            queries.push(asked.elapsed());
        }
        let p99 = percentile(&mut pages, 99);
        let measured = times(&mut pages)?;
        let cell = Cell { measured, bare: times(&mut queries)?, ratio: String::new(), is_short: p99 > MAX_P99 };
        column.note(&format!("users: {}", question.what), "p50 / p99 ≤ 20 ms, bare query", cell);
    }
    db.close().await;
    Ok(())
}

fn times(times: &mut [Duration]) -> Outcome<String> {
    NonZeroUsize::new(times.len()).ok_or("nothing was measured")?;
    let millis = |percent| percentile_of(times, percent).as_secs_f64() * 1e3;
    Ok(format!("{:.1} / {:.1} ms", millis(50), millis(99)))
}

fn percentile_of(times: &[Duration], percent: usize) -> Duration {
    percentile(&mut times.to_vec(), percent)
}

impl Question {
    /// The address of the page.
    fn address(&self, middle: &str) -> String {
        let Self { search, role, status, sort, limit, is_far_in, .. } = self;
        let search = search.replace('@', "%40").replace(' ', "+");
        let after = if *is_far_in { middle } else { "" };
        format!("/dashboard/users?q={search}&role={role}&status={status}&sort={sort}&limit={limit}&after={after}")
    }

    /// The same question without a server.
    async fn ask(&self, db: &Db, middle: &str) -> Outcome<()> {
        let status = match self.status {
            "active" => Some(Status::Active),
            "disabled" => Some(Status::Disabled),
            _ => None,
        };
        let search = Some(self.search.to_owned()).filter(|search| !search.is_empty());
        let filter = Filter { search, role: self.role.parse::<Role>().ok(), status, ..Filter::default() };
        let order = match self.sort {
            "email" => Order { by: SortBy::Email, is_descending: false },
            "name" => Order { by: SortBy::Name, is_descending: false },
            "-name" => Order { by: SortBy::Name, is_descending: true },
            _ => Order::default(),
        };
        let page = if self.is_far_in { Page::After(UserId::new(middle)) } else { Page::First };
        let scope = Scope::operator(Clock::system().now());
        users::list(db, &scope, (&filter, order, &page), self.limit).await?;
        Ok(())
    }
}
