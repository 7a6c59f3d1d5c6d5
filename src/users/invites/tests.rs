//! Invites on both databases: one pending an address, accepted once by one, and no question is answered by reading the
//! whole table.

use std::collections::BTreeSet;

use sqlx::Row;

use super::{
    list::{ListQuery, SortBy},
    *,
};
use crate::{
    events::Scope,
    platform::{
        Dialect,
        testing::{TestDb, on_both_databases},
    },
    users,
};

on_both_databases! {
    a_second_pending_invite_is_refused,
    one_that_has_ended_gives_up_its_place,
    it_is_accepted_once_and_only_while_it_is_valid,
    pages_follow_each_other_without_a_gap,
    each_order_is_read_along_an_index,
}

const NOW: Timestamp = Timestamp::from_micros(1_795_269_600_000_000);
const WEEK: Duration = Duration::from_hours(7 * 24);

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

async fn make(db: &Db, id: &str, to: &str, invited_by: Option<&str>) -> Result<(), Error> {
    make_at(db, (id, to, invited_by), NOW).await
}

async fn make_at(db: &Db, (id, to, by): (&str, &str, Option<&str>), now: Timestamp) -> Result<(), Error> {
    let (to, by) = (email(to), by.map(UserId::new));
    let metadata = Map::from_iter([("team".to_owned(), Value::from("blue"))]);
    let new = NewInvite {
        id: InviteId::new(id),
        email: &to,
        role: Role::Member,
        note: None,
        metadata: &metadata,
        invited_by: by.as_ref(),
        expires_in: WEEK,
    };
    let mut tx = db.begin().await.unwrap();
    create_invite(&mut tx, &new, now).await?;
    tx.commit().await.map_err(Error::Internal)
}

async fn admin(db: &Db, id: &str) {
    let mut tx = db.begin().await.unwrap();
    let new = users::NewUser {
        id: UserId::new(id),
        email: email(&format!("{id}@example.org")),
        email_verified_at: None,
        profile: users::Profile::default(),
        role: Role::Admin,
        metadata: Map::new(),
    };
    users::create(&mut tx, &new, NOW).await.unwrap();
    tx.commit().await.unwrap();
}

async fn disable(db: &Db, id: &str, at: Option<Timestamp>) {
    let mut tx = db.begin().await.unwrap();
    users::set_disabled(&mut tx, &UserId::new(id), at, NOW).await.unwrap();
    tx.commit().await.unwrap();
}

async fn accept(db: &Db, id: &str, now: Timestamp) -> bool {
    let mut tx = db.begin().await.unwrap();
    let done = accept_invite(&mut tx, &InviteId::new(id), &UserId::new("somebody"), now).await.unwrap();
    tx.commit().await.unwrap();
    done
}

async fn state(db: &Db, id: &str, now: Timestamp) -> InviteState {
    find_invite(db, &InviteId::new(id)).await.unwrap().unwrap().state(now)
}

async fn a_second_pending_invite_is_refused(test: &TestDb) {
    test.db.migrate().await.unwrap();
    make(&test.db, "a", "bob@example.org", None).await.unwrap();
    let refused = make(&test.db, "b", "bob@example.org", None).await;
    assert!(matches!(refused, Err(Error::AlreadyInvited)), "{refused:?}");
    make(&test.db, "c", "eve@example.org", None).await.unwrap();
    let found = find_invite(&test.db, &InviteId::new("a")).await.unwrap().unwrap();
    assert_eq!(found.metadata.get("team"), Some(&Value::from("blue")));
    assert_eq!((found.mail, found.inviter.clone(), found.is_valid(NOW)), (MailState::None, None, true));
    let asked = ["bob@example.org", "carl@example.org"].map(email);
    assert_eq!(invited_addresses(&test.db, &asked, NOW).await.unwrap(), [email("bob@example.org")]);
    assert_eq!(invited_addresses(&test.db, &asked, NOW.plus(WEEK)).await.unwrap(), []);
}

async fn one_that_has_ended_gives_up_its_place(test: &TestDb) {
    let db = &test.db;
    db.migrate().await.unwrap();
    let later = NOW.plus(WEEK);
    make(db, "a", "bob@example.org", None).await.unwrap();
    make_at(db, ("b", "bob@example.org", None), later).await.unwrap();
    assert_eq!(
        (state(db, "a", later).await, state(db, "b", later).await),
        (InviteState::Expired, InviteState::Pending)
    );
    assert!(!accept(db, "a", NOW).await, "not even if the clock went back");
    let mut tx = db.begin().await.unwrap();
    assert!(revoke_invite(&mut tx, &InviteId::new("b"), later).await.unwrap());
    assert!(!revoke_invite(&mut tx, &InviteId::new("b"), later).await.unwrap());
    tx.commit().await.unwrap();
    admin(db, "ada").await;
    make_at(db, ("c", "bob@example.org", Some("ada")), later).await.unwrap();
    disable(db, "ada", Some(later)).await;
    make_at(db, ("d", "bob@example.org", Some("nobody")), later).await.unwrap();
    make_at(db, ("e", "bob@example.org", None), later).await.unwrap();
    assert_eq!(newest_invite_of(db, &email("bob@example.org")).await.unwrap().unwrap().id, InviteId::new("e"));
}

async fn it_is_accepted_once_and_only_while_it_is_valid(test: &TestDb) {
    let db = &test.db;
    db.migrate().await.unwrap();
    admin(db, "ada").await;
    make(db, "a", "bob@example.org", Some("ada")).await.unwrap();
    assert!(!accept(db, "nobody", NOW).await);
    assert!(!accept(db, "a", NOW.plus(WEEK)).await, "expired");
    disable(db, "ada", Some(NOW)).await;
    assert!(!accept(db, "a", NOW).await, "by somebody who is turned off");
    let found = find_invite(db, &InviteId::new("a")).await.unwrap().unwrap();
    assert_eq!((found.is_by_who_may(), found.is_valid(NOW)), (false, false));
    disable(db, "ada", None).await;
    assert!(accept(db, "a", NOW).await);
    assert!(!accept(db, "a", NOW).await, "a second time");
    assert_eq!(state(db, "a", NOW.plus(WEEK)).await, InviteState::Accepted);
    let mut tx = db.begin().await.unwrap();
    let renewed = renew_invite(&mut tx, &InviteId::new("a"), (None, NOW.plus(WEEK)), NOW).await.unwrap();
    assert!(!renewed, "nothing is left to renew");
}

/// Invites of every state, many that end at one time.
async fn fill(db: &Db) -> BTreeSet<String> {
    db.migrate().await.unwrap();
    for nth in 0..40 {
        let id = format!("id-{:02}", nth * 7 % 40);
        let at = NOW.minus(Duration::from_hours(if nth % 3 == 0 { 8 * 24 } else { 0 }));
        make_at(db, (&id, &format!("p{:02}@example{}.org", nth * 3 % 40, nth % 2), None), at).await.unwrap();
        if nth % 5 == 0 {
            accept(db, &id, at).await;
        }
    }
    (0..40).map(|nth| format!("id-{nth:02}")).collect()
}

async fn pages_follow_each_other_without_a_gap(test: &TestDb) {
    let db = &test.db;
    let all = fill(db).await;
    let scope = Scope::operator(NOW);
    let filters = [None, Some(InviteState::Pending), Some(InviteState::Accepted), Some(InviteState::Expired)];
    for (by, is_descending) in
        [SortBy::Created, SortBy::Email, SortBy::Expires].into_iter().flat_map(|by| [(by, true), (by, false)])
    {
        let order = InviteOrder { by, is_descending };
        let mut seen = Vec::new();
        for state in filters {
            let filter = InviteFilter { state, ..InviteFilter::default() };
            let mut page = InvitePage::First;
            let mut found = Vec::new();
            loop {
                let list = list_invites(db, &scope, (&filter, order, &page), 7).await.unwrap();
                if let (InvitePage::After(_), Some(first)) = (&page, list.invites.first()) {
                    let back = InvitePage::Before(first.id.clone());
                    let before = list_invites(db, &scope, (&filter, order, &back), 7).await.unwrap();
                    assert_eq!(
                        before.invites.last().map(|invite| invite.id.as_str()),
                        found.last().map(String::as_str)
                    );
                }
                found.extend(list.invites.iter().map(|invite| invite.id.to_string()));
                match list.invites.last() {
                    Some(end) if list.has_next => page = InvitePage::After(end.id.clone()),
                    _ => break,
                }
            }
            if state.is_some() {
                seen.extend(found);
            } else {
                assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), all);
            }
        }
        assert_eq!((seen.len(), seen.into_iter().collect::<BTreeSet<_>>()), (40, all.clone()), "{order:?}");
    }
    let search = |text: &str| InviteFilter { search: Some(text.to_owned()), ..InviteFilter::default() };
    for (text, count) in [("P07@", 1), ("example1", 20), ("%", 0), ("_", 0), ("p", 40), ("nobody", 0)] {
        let wanted = (&search(text), InviteOrder::default(), &InvitePage::First);
        assert_eq!(list_invites(db, &scope, wanted, 50).await.unwrap().invites.len(), count, "{text}");
    }
    let visitor = Scope { actor: crate::events::Actor::Visitor, ..scope };
    let refused = list_invites(db, &visitor, (&search("p"), InviteOrder::default(), &InvitePage::First), 7).await;
    assert!(matches!(refused, Err(Error::Forbidden)));
}

async fn plan(db: &Db, sql: Sql) -> String {
    let word = if db.dialect() == Dialect::Sqlite { "EXPLAIN QUERY PLAN " } else { "EXPLAIN " };
    let mut tx = db.begin().await.unwrap();
    if db.dialect() == Dialect::Postgres {
        // A table this small is read as a whole otherwise, and rightly so.
        for setting in ["SET LOCAL enable_seqscan = off", "SET LOCAL enable_sort = off"] {
            sqlx::query(setting).execute(&mut *tx).await.unwrap();
        }
    }
    let rows = sql.behind(word).rows_by(&mut *tx).await.unwrap();
    let column = if db.dialect() == Dialect::Sqlite { 3 } else { 0 };
    rows.iter().map(|row| row.get::<String, _>(column)).collect::<Vec<_>>().join("\n")
}

async fn each_order_is_read_along_an_index(test: &TestDb) {
    let db = &test.db;
    fill(db).await;
    if db.dialect() == Dialect::Postgres {
        sqlx::raw_sql("ANALYZE invites").execute(db.reader()).await.unwrap();
    }
    let cursor = find_invite(db, &InviteId::new("id-20")).await.unwrap().unwrap();
    for (by, index) in
        [(SortBy::Created, "invites_pkey"), (SortBy::Email, "invites_email"), (SortBy::Expires, "invites_expires")]
    {
        for (is_descending, cursor) in [(false, None), (true, Some(&cursor))] {
            let filter = InviteFilter::default();
            let query = ListQuery { filter: &filter, now: NOW, by, is_descending };
            let plan = plan(db, query.page(cursor, (0, 26))).await;
            let index = if db.dialect() == Dialect::Sqlite && by == SortBy::Created { "PRIMARY KEY" } else { index };
            let is_bare_scan = db.dialect() == Dialect::Sqlite && by == SortBy::Created && cursor.is_none();
            assert!(is_bare_scan || plan.contains(index), "{by:?}: {plan}");
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("Sort"), "{by:?}: {plan}");
        }
    }
    let pending = InviteFilter { state: Some(InviteState::Pending), ..InviteFilter::default() };
    let query = ListQuery { filter: &pending, now: NOW, by: SortBy::Created, is_descending: true };
    let open = plan(db, query.page(None, (0, 26))).await;
    assert!(open.contains("invites_open") || open.contains("invites_pkey"), "{open}");
    let sql = format!("SELECT 1 FROM invites WHERE email = 'x' AND {OPEN}");
    let place = plan(db, Sql::new(&sql)).await;
    assert!(place.contains("invites_pending") || place.contains("invites_email"), "{place}");
}
