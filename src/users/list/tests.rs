//! The list on both databases: each way of searching finds what comparing every user would find, pages follow each other
//! without a gap, and no question is answered by reading the whole table.

use std::{collections::BTreeSet, env};

use sqlx::{AssertSqlSafe, Connection, Row};

use super::*;
use crate::{
    platform::{Clock, DatabaseSettings, Dialect, Timestamp, testing::TempDir},
    shared::{EmailAddress, PersonName, Role},
    users::{search, sql::Sql},
};

const USERS: usize = 3_000;
const FIRST_NAMES: [&str; 7] = ["Ada", "Zoë", "Bob", "Grace", "İpek", "Ann_a", "Al%"];
const LAST_NAMES: [&str; 5] = ["Lovelace", "Zimmer", "O'Hara", "Back\\slash", "Łoś"];
const SEARCHES: [&str; 14] = [
    "ada",
    "LOVELACE",
    "a l",
    "user17",
    "@example",
    "n_a",
    "al%",
    "\\sl",
    "o'h",
    "zo",
    "u",
    "łoś",
    "nobody at all",
    "\"qu",
];

/// A migrated database with users.
struct Filled {
    db: Db,
    _folder: TempDir,
    postgres: Option<(String, String)>,
}

impl Filled {
    async fn sqlite() -> Self {
        let folder = TempDir::new();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let db = Db::open(&DatabaseSettings::for_url(&url).unwrap()).await.unwrap();
        Self::fill(Self { db, _folder: folder, postgres: None }).await
    }

    /// `None` where there is no server.
    async fn postgres() -> Option<Self> {
        let Ok(server) = env::var("LATCHKEY_TEST_POSTGRES") else {
            assert!(env::var_os("CI").is_none(), "CI wants PostgreSQL; .ci/with-postgres starts one");
            return None;
        };
        sqlx::any::install_default_drivers();
        let folder = TempDir::new();
        let number = folder.path().file_name().unwrap().to_str().unwrap().replace('-', "_");
        let name = format!("list_{number}");
        run(&server, &format!("CREATE DATABASE {name}")).await;
        // A table this small is read as a whole otherwise, and rightly so.
        let url = format!("{}/{name}?options[enable_seqscan]=off", server.trim_end_matches('/'));
        let db = Db::open(&DatabaseSettings::for_url(&url).unwrap()).await.unwrap();
        Some(Self::fill(Self { db, _folder: folder, postgres: Some((server, name)) }).await)
    }

    async fn fill(self) -> Self {
        self.db.migrate().await.unwrap();
        let mut tx = self.db.begin().await.unwrap();
        for number in 0..USERS {
            let (first, last) = names(number);
            let email = EmailAddress::parse(&format!("user{number}@example{}.org", number % 3)).unwrap();
            sqlx::query(
                "INSERT INTO users (id, email, first_name, last_name, role, metadata, disabled_at, created_at, updated_at,
                     name_key, search_text) VALUES ($1, $2, $3, $4, $5, '{}', $6, $7, $7, $8, $9)",
            )
            .bind(format!("id-{:05}", number * 7_919 % USERS))
            .bind(email.as_str())
            .bind(first)
            .bind(last)
            .bind(if number % 50 == 0 { "admin" } else { "member" })
            .bind((number % 40 == 3).then_some(1_i64))
            .bind(i64::try_from(number / 2).unwrap())
            .bind(search::name_key(first, last))
            .bind(search::search_text(&email, first, last))
            .execute(&mut *tx)
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
        if self.db.dialect() == Dialect::Postgres {
            sqlx::raw_sql("VACUUM ANALYZE users").execute(self.db.reader()).await.unwrap();
        }
        self
    }

    async fn remove(self) {
        self.db.close().await;
        if let Some((server, name)) = self.postgres {
            run(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

fn names(number: usize) -> (Option<&'static str>, Option<&'static str>) {
    let first = (!number.is_multiple_of(11)).then(|| FIRST_NAMES[number % FIRST_NAMES.len()]);
    (first, (!number.is_multiple_of(13)).then(|| LAST_NAMES[number % LAST_NAMES.len()]))
}

async fn run(server: &str, statement: &str) {
    let mut connection = sqlx::AnyConnection::connect(server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Every filter but the search, with every order.
fn questions() -> Vec<(Filter, Order)> {
    let mut all = Vec::new();
    for role in [None, Some(Role::Admin), Some(Role::Member)] {
        for status in [None, Some(Status::Active), Some(Status::Disabled)] {
            for by in [SortBy::Created, SortBy::Email, SortBy::Name] {
                for is_descending in [false, true] {
                    all.push((Filter { role, status, ..Filter::default() }, Order { by, is_descending }));
                }
            }
        }
    }
    all
}

fn statements<'a>(db: &Db, (filter, order): &'a (Filter, Order), cursor: Option<&'a User>) -> ListQuery<'a> {
    let Order { by, is_descending } = *order;
    ListQuery { dialect: db.dialect(), filter, by, is_descending, cursor, skipped_rows: 0, wanted_rows: 26 }
}

fn ids(users: &[User]) -> Vec<String> {
    users.iter().map(|user| user.id.to_string()).collect()
}

async fn both_ways_of_searching_find_the_same(db: &Db) {
    let some = super::super::find(db, &UserId::new("id-01500")).await.unwrap().unwrap();
    for typed in SEARCHES {
        let search = Search::parse(typed).unwrap();
        for question in questions() {
            for cursor in [None, Some(&some)] {
                let query = statements(db, &question, cursor);
                let walked = query.walk(&search, 8_000).fetch(db).await.unwrap();
                let sought = if search.has_trigrams() {
                    query.indexed(&search, &search.rare_trigrams(&[])).fetch(db).await.unwrap()
                } else {
                    query.prefixed(&search).fetch(db).await.unwrap()
                };
                assert_eq!(ids(&walked), ids(&sought), "{typed} {question:?}");
                let mut in_two = query.walk(&search, 700).fetch(db).await.unwrap();
                if let Some(edge) = query.end_of(700).fetch(db).await.unwrap().pop() {
                    let behind = ListQuery { cursor: Some(&edge), ..query };
                    in_two.extend(behind.walk(&search, 8_000).fetch(db).await.unwrap());
                }
                in_two.truncate(26);
                assert_eq!(ids(&in_two), ids(&sought), "{typed} {question:?}");
            }
        }
    }
}

async fn pages_follow_each_other(db: &Db) {
    let scope = Scope::operator(Clock::system().now());
    for typed in [None, Some("lovelace"), Some("zo")] {
        for (filter, order) in questions() {
            let filter = Filter { search: typed.map(str::to_owned), ..filter };
            let (mut page, mut seen, mut last_page) = (Page::First, Vec::new(), Vec::new());
            loop {
                let found = list(db, &scope, (&filter, order, &page), 100).await.unwrap();
                seen.extend(found.users.clone());
                if !found.has_next {
                    break;
                }
                page = Page::After(found.users.last().unwrap().id.clone());
                last_page = found.users;
            }
            assert_eq!(ids(&seen), ids(&sorted(seen.clone(), order)), "{filter:?} {order:?}");
            assert_eq!(ids(&seen).into_iter().collect::<BTreeSet<_>>(), expected(&filter), "{filter:?} {order:?}");
            if let Page::After(id) = &page {
                let first_behind = seen.iter().skip_while(|user| user.id != *id).nth(1).unwrap().id.clone();
                let back = list(db, &scope, (&filter, order, &Page::Before(first_behind)), 100).await.unwrap();
                assert_eq!(ids(&back.users), ids(&last_page), "{filter:?} {order:?}");
            }
        }
    }
}

/// Whether a user fits.
type Fits = Box<dyn Fn(&User) -> bool>;

/// What only programs ask for, each with how it is compared here.
fn exact_questions() -> Vec<(Exact, Fits)> {
    let at = Timestamp::from_micros;
    let name = |text: &str| PersonName::parse(text).unwrap();
    let id = |text: &str| UserId::new(text);
    let some_ids = vec![id("id-00007"), id("id-01500"), id("nobody")];
    let named = |first_name: &str, last_name: &str| Exact {
        first_name: name(first_name),
        last_name: name(last_name),
        ..Exact::default()
    };
    let times = |times: Vec<(TimeOf, Span)>| Exact { times, ..Exact::default() };
    vec![
        (Exact::default(), Box::new(|_| true)),
        (Exact { ids: Some(vec![]), ..Exact::default() }, Box::new(|_| false)),
        (
            Exact { ids: Some(some_ids), ..Exact::default() },
            Box::new(|user| ["id-00007", "id-01500"].contains(&user.id.as_str())),
        ),
        (
            Exact { email: Some(EmailAddress::parse("user17@example2.org").unwrap()), ..Exact::default() },
            Box::new(|user| user.email.as_str() == "user17@example2.org"),
        ),
        (named("Zoë", ""), Box::new(|user| user.first_name.as_deref() == Some("Zoë"))),
        (named("zoë", ""), Box::new(|_| false)),
        (named("Al%", "Łoś"), Box::new(|user| user.full_name().as_deref() == Some("Al% Łoś"))),
        (
            times(vec![(TimeOf::Created, Span::From(at(700))), (TimeOf::Created, Span::Before(at(703)))]),
            Box::new(|user| (700..703).contains(&user.created_at.as_micros())),
        ),
        (
            times(vec![(TimeOf::Updated, Span::Outside(at(10), at(1_490)))]),
            Box::new(|user| !(10..1_490).contains(&user.updated_at.as_micros())),
        ),
    ]
}

async fn programs_find_and_count_what_comparing_finds(db: &Db) {
    let scope = Scope::operator(Clock::system().now());
    let orders = [SortBy::Created, SortBy::Email, SortBy::Name, SortBy::Updated, SortBy::FirstName, SortBy::LastName];
    let everybody = query_all(db).await;
    for (nth, (exact, fits)) in exact_questions().into_iter().enumerate() {
        for typed in [None, Some("lovelace"), Some("zo"), Some("example")] {
            let by = orders[nth % orders.len()];
            let order = Order { by, is_descending: nth % 2 == 0 };
            for order in [order, Order { by: orders[(nth + 3) % orders.len()], ..order }] {
                let search = typed.map(str::to_owned);
                let filter = Filter { search, exact: exact.clone(), ..Filter::default() };
                let searched = expected(&Filter { search: filter.search.clone(), ..Filter::default() });
                let all = everybody.iter().filter(|user| fits(user) && searched.contains(user.id.as_str()));
                let all = ids(&sorted(all.cloned().collect(), order));
                let (mut seen, mut page) = (Vec::new(), Page::First);
                loop {
                    let found = list_and_count(db, &scope, (&filter, order, &page), 100).await.unwrap();
                    assert_eq!(found.count, Some(all.len()), "{filter:?}");
                    seen.extend(ids(&found.users));
                    let Some(last) = found.users.last() else { break };
                    // Every other page is reached by counting.
                    let by_count = Page::Behind(u32::try_from(seen.len()).unwrap());
                    page = if seen.len() % 200 == 0 { by_count } else { Page::After(last.id.clone()) };
                }
                assert_eq!(seen, all, "{filter:?} {order:?}");
            }
        }
    }
}

async fn query_all(db: &Db) -> Vec<User> {
    Sql::new(&format!("SELECT {} FROM users u", crate::users::user::COLUMNS)).fetch(db).await.unwrap()
}

async fn what_programs_ask_is_answered_by_an_index(db: &Db) {
    let some = super::super::find(db, &UserId::new("id-01500")).await.unwrap().unwrap();
    let everybody = Filter::default();
    for (by, index) in [
        (SortBy::Updated, "users_updated"),
        (SortBy::FirstName, "users_first_name"),
        (SortBy::LastName, "users_last_name"),
    ] {
        for (is_descending, cursor) in [(false, None), (true, Some(&some))] {
            let question = (everybody.clone(), Order { by, is_descending });
            let plan = plan(db, statements(db, &question, cursor).plain()).await;
            assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{by:?}\n{plan}");
            let is_sought = db.dialect() == Dialect::Postgres || plan.starts_with("SEARCH");
            assert!(cursor.is_none() || is_sought, "{by:?}\n{plan}");
            reads_no_whole_table(&plan);
        }
    }
    let indexes = ["", "", "users", "users", "users_first_name", "users_first_name", "name", "users_created", ""];
    for ((exact, _), index) in exact_questions().into_iter().zip(indexes).filter(|(_, index)| !index.is_empty()) {
        let filter = Filter { exact, ..Filter::default() };
        let question = (filter, Order::default());
        for sql in [statements(db, &question, None).plain(), statements(db, &question, None).counted_in_all()] {
            let plan = plan(db, sql).await;
            // PostgreSQL knows that there are few, and may find it sooner to walk in order until it has a page.
            let is_walked = db.dialect() == Dialect::Postgres && plan.contains("users_created");
            assert!(is_walked || plan.contains(index), "{question:?}\n{plan}");
            assert!(db.dialect() == Dialect::Postgres || plan.starts_with("SEARCH"), "{question:?}\n{plan}");
            reads_no_whole_table(&plan);
        }
    }
}

fn sorted(mut users: Vec<User>, order: Order) -> Vec<User> {
    let name = |user: &User| search::name_key(user.first_name.as_deref(), user.last_name.as_deref());
    match order.by {
        SortBy::Created => users.sort_by_key(|user| (user.created_at, user.id.to_string())),
        SortBy::Email => users.sort_by_key(|user| user.email.to_string()),
        SortBy::Name => users.sort_by_key(|user| (name(user), user.id.to_string())),
        SortBy::Updated => users.sort_by_key(|user| (user.updated_at, user.id.to_string())),
        SortBy::FirstName => users.sort_by_key(|user| (folded(user.first_name.as_deref()), user.id.to_string())),
        SortBy::LastName => users.sort_by_key(|user| (folded(user.last_name.as_deref()), user.id.to_string())),
    }
    if order.is_descending {
        users.reverse();
    }
    users
}

fn folded(name: Option<&str>) -> String {
    name.unwrap_or_default().to_ascii_lowercase()
}

fn expected(filter: &Filter) -> BTreeSet<String> {
    let fits = |number: &usize| {
        let (first, last) = names(*number);
        let name = search::name_key(first, last);
        let is_found = match filter.search.as_deref() {
            None | Some("example") => true,
            Some("zo") => name.starts_with("zo"),
            Some(other) => name.contains(other),
        };
        is_found
            && filter.role.is_none_or(|role| (role == Role::Admin) == number.is_multiple_of(50))
            && filter.status.is_none_or(|status| (status == Status::Disabled) == (number % 40 == 3))
    };
    (0..USERS).filter(fits).map(|number| format!("id-{:05}", number * 7_919 % USERS)).collect()
}

async fn plan(db: &Db, sql: Sql) -> String {
    let (word, column) = match db.dialect() {
        Dialect::Sqlite => ("EXPLAIN QUERY PLAN ", 3),
        Dialect::Postgres => ("EXPLAIN ", 0),
    };
    let mut tx = db.begin().await.unwrap();
    if db.dialect() == Dialect::Postgres {
        // So few rows are sorted sooner than read in order; what is asked is whether an index can serve the order.
        sqlx::raw_sql("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off").execute(&mut *tx).await.unwrap();
    }
    let rows = sql.behind(word).rows_by(&mut *tx).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(column) + "\n").collect()
}

/// The indexes that serve a question: those of its order, the narrower ones where it asks for few.
fn indexes_of((filter, order): &(Filter, Order)) -> Vec<String> {
    let order = match order.by {
        SortBy::Created => "created",
        SortBy::Email => "email",
        SortBy::Name => "name",
        SortBy::Updated | SortBy::FirstName | SortBy::LastName => unreachable!("no page asks for it"),
    };
    let is_disabled = filter.status == Some(Status::Disabled);
    let narrow = [(is_disabled, "disabled_"), (filter.role == Some(Role::Admin), "role_")];
    let fitting: Vec<&str> = narrow.into_iter().filter(|(is_asked, _)| *is_asked).map(|(_, narrow)| narrow).collect();
    let fitting = if fitting.is_empty() { vec![""] } else { fitting };
    fitting.into_iter().map(|narrow| format!("users_{narrow}{order}")).collect()
}

async fn every_question_is_answered_by_an_index(db: &Db) {
    let some = super::super::find(db, &UserId::new("id-01500")).await.unwrap().unwrap();
    let (search, short) = (Search::parse("lovelace").unwrap(), Search::parse("lo").unwrap());
    let covering = if db.dialect() == Dialect::Sqlite { "USING COVERING INDEX" } else { "Index Only Scan" };
    for question in questions() {
        for cursor in [None, Some(&some)] {
            let query = statements(db, &question, cursor);
            for sql in [query.plain(), query.walk(&search, 8_000), query.end_of(8_000), query.counted()] {
                let plan = plan(db, sql).await;
                let indexes = indexes_of(&question);
                let is_served = plan.split_whitespace().any(|word| indexes.iter().any(|index| index == word));
                assert!(is_served, "{question:?}\n{plan}");
                reads_no_whole_table(&plan);
            }
            assert!(plan(db, query.walk(&search, 8_000)).await.contains(covering), "{question:?}");
            let by_trigrams = plan(db, query.indexed(&search, &search.rare_trigrams(&[]))).await;
            assert!(by_trigrams.contains("users_search"), "{by_trigrams}");
            reads_no_whole_table(&by_trigrams);
            reads_no_whole_table(&plan(db, query.prefixed(&short)).await);
        }
    }
}

fn reads_no_whole_table(plan: &str) {
    // What an index has gathered is read as a whole, under the name of the table.
    let is_gathered = plan.contains("MATERIALIZE");
    let reads_all = |line: &str| {
        let line = line.trim_start_matches([' ', '-', '>', '|', '`']);
        line.starts_with("Seq Scan on users") || (!is_gathered && line.starts_with("SCAN u") && !line.contains("INDEX"))
    };
    assert!(!plan.lines().any(reads_all), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_hold_on_sqlite() {
    let filled = Filled::sqlite().await;
    both_ways_of_searching_find_the_same(&filled.db).await;
    pages_follow_each_other(&filled.db).await;
    every_question_is_answered_by_an_index(&filled.db).await;
    programs_find_and_count_what_comparing_finds(&filled.db).await;
    what_programs_ask_is_answered_by_an_index(&filled.db).await;
    filled.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_hold_on_postgres() {
    let Some(filled) = Filled::postgres().await else { return };
    both_ways_of_searching_find_the_same(&filled.db).await;
    pages_follow_each_other(&filled.db).await;
    every_question_is_answered_by_an_index(&filled.db).await;
    programs_find_and_count_what_comparing_finds(&filled.db).await;
    what_programs_ask_is_answered_by_an_index(&filled.db).await;
    filled.remove().await;
}

#[tokio::test]
async fn who_may_not_manage_users_gets_no_list() {
    let filled = Filled::sqlite().await;
    let scope = Scope { actor: crate::events::Actor::Visitor, ..Scope::operator(Timestamp::from_micros(0)) };
    let answer = list(&filled.db, &scope, (&Filter::default(), Order::default(), &Page::First), 25).await;
    assert!(matches!(answer, Err(Error::Forbidden)));
    filled.remove().await;
}
