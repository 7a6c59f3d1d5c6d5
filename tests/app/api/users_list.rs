//! `GET /admin/users`: filters, operators, orders, pages and fields, each as it is said, and what is not known refused.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::harness::{Program, TestApp, on_both_databases};

on_both_databases! {
    each_parameter_narrows_the_list,
    what_is_searched_for_stands_for_itself,
    each_order_is_kept_by_every_kind_of_page,
    nobody_is_missed_while_others_come,
    fields_are_chosen,
    what_is_not_known_is_refused,
}

/// Users with names, one a minute.
async fn fill(app: &TestApp, people: &[(&str, &str, &str)]) -> Program {
    let ada = app.admin_program().await;
    for (email, first_name, last_name) in people {
        app.advance(Duration::from_mins(1));
        let new = json!({ "email": email, "first_name": first_name, "last_name": last_name });
        ada.post("/admin/users", &new).await.expect_status(200);
    }
    ada
}

const PEOPLE: [(&str, &str, &str); 6] = [
    ("bob@example.org", "Bob", "Noyce"),
    ("cleo@example.org", "cleo", "Zimmer"),
    ("dan@example.net", "Dan", ""),
    ("eve_x@example.net", "", "Äbel"),
    ("bob2@example.org", "bob", "100%"),
    ("zoe@example.org", "Zoë", "Zimmer"),
];

async fn list(program: &Program, query: &str) -> (Vec<String>, u64) {
    let found = program.get(&format!("/admin/users?{query}")).await.expect_status(200).json();
    let emails = found["users"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned());
    (emails.map(|email| email.split('@').next().unwrap().to_owned()).collect(), found["count"].as_u64().unwrap())
}

async fn expect(program: &Program, query: &str, emails: &[&str]) {
    let (found, count) = list(program, query).await;
    assert_eq!(found, emails, "{query}");
    assert_eq!(count, emails.len() as u64, "{query}");
}

async fn each_parameter_narrows_the_list(app: TestApp) {
    let ada = fill(&app, &PEOPLE).await;
    let all = ["zoe", "bob2", "eve_x", "dan", "cleo", "bob", "ada"];
    expect(&ada, "", &all).await;
    expect(&ada, "q=", &all).await;
    expect(&ada, "q=zimmer", &["zoe", "cleo"]).await;
    expect(&ada, "q=zimmer&first_name=Zo%C3%AB", &["zoe"]).await;
    expect(&ada, "email=Bob@Example.ORG", &["bob"]).await;
    expect(&ada, "email=nobody@example.org", &[]).await;
    expect(&ada, "first_name=Bob", &["bob"]).await;
    expect(&ada, "first_name=bob", &["bob2"]).await;
    expect(&ada, "last_name=Zimmer&order=email", &["cleo", "zoe"]).await;
    expect(&ada, "last_name=100%25", &["bob2"]).await;
    expect(&ada, "role=admin", &["ada"]).await;
    let (bob, cleo) = (app.user_id("bob@example.org").await, app.user_id("cleo@example.org").await);
    for query in [
        format!("id={bob}&id={cleo}"),
        format!("id[]={bob}&id[]={cleo}"),
        format!("id%5B0%5D={bob}&id%5B1%5D={cleo}&id[2]=x"),
    ] {
        expect(&ada, &query, &["cleo", "bob"]).await;
    }
    expect(&ada, "id=x", &[]).await;
    ada.post(&format!("/admin/users/{bob}/disable"), &json!({})).await.expect_status(200);
    expect(&ada, "status=disabled", &["bob"]).await;
    expect(&ada, "status=active&role=member&q=bob", &["bob2"]).await;
    let made = ada.get(&format!("/admin/users/{cleo}")).await.json()["user"]["created_at"].as_str().unwrap().to_owned();
    for (operator, emails) in [
        ("$gt", &["zoe", "bob2", "eve_x", "dan"][..]),
        ("$gte", &["zoe", "bob2", "eve_x", "dan", "cleo"]),
        ("$lt", &["bob", "ada"]),
        ("$lte", &["cleo", "bob", "ada"]),
        ("$eq", &["cleo"]),
        ("$ne", &["zoe", "bob2", "eve_x", "dan", "bob", "ada"]),
    ] {
        expect(&ada, &format!("created_at[{operator}]={made}"), emails).await;
        let found: Vec<&str> = emails.iter().copied().filter(|name| *name == "ada").collect();
        let escaped = operator.replace('$', "%24");
        expect(&ada, &format!("created_at%5B{escaped}%5D={made}&q=a&order=-created_at"), &found).await;
    }
    expect(&ada, &format!("created_at={made}"), &["cleo"]).await;
    expect(&ada, &format!("created_at[$gte]={made}&created_at[$lt]={made}"), &[]).await;
    app.advance(Duration::from_mins(1));
    ada.post(&format!("/admin/users/{cleo}"), &json!({ "metadata": { "a": 1 } })).await.expect_status(200);
    // Bob was turned off after all others came.
    expect(&ada, "order=-updated_at&limit=2&updated_at[$gt]=2026-11-21T14:06:00Z", &["cleo"]).await;
    expect(&ada, "order=-updated_at&updated_at[$gte]=2026-11-21T14:06:00.000Z", &["cleo", "zoe", "bob"]).await;
    expect(&ada, "created_at[$gt]=2026-11-22", &[]).await;
}

async fn what_is_searched_for_stands_for_itself(app: TestApp) {
    let ada = fill(&app, &PEOPLE).await;
    expect(&ada, "q=e_x", &["eve_x"]).await;
    expect(&ada, "q=o_e", &[]).await;
    expect(&ada, "q=00%25", &["bob2"]).await;
    expect(&ada, "q=%25%25%25", &[]).await;
    expect(&ada, "q=_", &[]).await;
    expect(&ada, "q=%25", &[]).await;
    expect(&ada, "q=%5C%5C%5C", &[]).await;
    expect(&ada, "q=%27%22%3B--", &[]).await;
}

async fn each_order_is_kept_by_every_kind_of_page(app: TestApp) {
    let ada = fill(&app, &PEOPLE).await;
    for (order, emails) in [
        ("created_at", ["ada", "bob", "cleo", "dan", "eve_x", "bob2", "zoe"]),
        ("updated_at", ["ada", "bob", "cleo", "dan", "eve_x", "bob2", "zoe"]),
        ("email", ["ada", "bob2", "bob", "cleo", "dan", "eve_x", "zoe"]),
        ("name", ["ada", "bob2", "bob", "cleo", "dan", "zoe", "eve_x"]),
        ("first_name", ["eve_x", "ada", "bob", "bob2", "cleo", "dan", "zoe"]),
        ("last_name", ["dan", "bob2", "ada", "bob", "cleo", "zoe", "eve_x"]),
    ] {
        let mut backwards = emails;
        backwards.reverse();
        for (order, emails) in [(order.to_owned(), emails), (format!("-{order}"), backwards)] {
            expect(&ada, &format!("order={order}"), &emails).await;
            let mut after = String::new();
            for page in 0..4 {
                let wanted: Vec<&str> = emails.iter().copied().skip(page * 2).take(2).collect();
                let by_offset = format!("order={order}&limit=2&offset={}", page * 2);
                for query in [format!("order={order}&limit=2{after}"), by_offset] {
                    assert_eq!(
                        list(&ada, &query).await,
                        (wanted.iter().map(|&name| name.to_owned()).collect(), 7),
                        "{query}"
                    );
                }
                let query = format!("/admin/users?order={order}&limit=2{after}");
                let users = ada.get(&query).await.json()["users"].clone();
                after = format!("&after={}", users.as_array().unwrap().last().unwrap()["id"].as_str().unwrap());
            }
            assert_eq!(list(&ada, &format!("order={order}{after}")).await, (vec![], 7));
        }
    }
    assert_eq!(
        list(&ada, "q=example.org&order=email&limit=2&offset=3").await,
        (vec!["cleo".to_owned(), "zoe".to_owned()], 5)
    );
    assert_eq!(list(&ada, "q=example.org&offset=1000").await, (vec![], 5));
    assert_eq!(list(&ada, "q=example.org&offset=1001").await, (vec![], 5));
    assert_eq!(list(&ada, "offset=4294967295").await, (vec![], 7));
    let found = ada.get("/admin/users?offset=3&limit=2").await.json();
    assert_eq!((&found["offset"], &found["limit"]), (&json!(3), &json!(2)));
    let found = ada.get("/admin/users").await.json();
    assert_eq!((&found["offset"], &found["limit"]), (&json!(0), &json!(50)));
}

/// Three hundred are there; as many again come while they are listed, before, among and behind them in every order.
async fn nobody_is_missed_while_others_come(app: TestApp) {
    let ada = app.admin_program().await;
    let insert = "INSERT INTO users (id, email, role, metadata, created_at, updated_at, name_key, search_text)
         VALUES ($1, $2, 'member', '{}', $3, $3, '', $4)";
    let add = async |nth: i64, word: &str| {
        let mut tx = app.platform.db.begin().await.unwrap();
        let email = format!("{word}{nth:03}@example.org");
        let query = sqlx::query(insert).bind(format!("{}-{word}-{nth:03}", nth * 7 % 300)).bind(&email).bind(nth / 10);
        query.bind(format!("{email}\u{1f}")).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    };
    for nth in 0..300 {
        add(nth, "old").await;
    }
    let mut added = 0;
    for order in ["", "order=created_at", "order=email", "order=-last_name"] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let found =
                ada.get(&format!("/admin/users?{order}&limit=37&fields=email{after}")).await.expect_status(200).json();
            let users = found["users"].as_array().unwrap().clone();
            let Some(last) = users.last() else { break };
            after = format!("&after={}", last["id"].as_str().unwrap());
            seen.extend(users.iter().map(|user| user["email"].as_str().unwrap().to_owned()));
            for _ in 0..8 {
                add(added % 300, if added < 300 { "new" } else { "newer" }).await;
                added += 1;
            }
        }
        let distinct: BTreeSet<_> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "nobody twice: {order}");
        assert_eq!(distinct.iter().filter(|email| email.starts_with("old")).count(), 300, "nobody missed: {order}");
    }
}

async fn fields_are_chosen(app: TestApp) {
    let ada = app.admin_program().await;
    let first = async |fields: &str| {
        ada.get(&format!("/admin/users?fields={fields}")).await.expect_status(200).json()["users"][0].clone()
    };
    let names = |user: &Value| user.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let all = names(&first("").await);
    assert_eq!(all.len(), 13);
    assert!(!all.iter().any(|name| name.contains("password") || name.contains("search")));
    assert_eq!(names(&first("email,role").await), ["id", "email", "role"].map(str::to_owned).into());
    assert_eq!(names(&first("%2Bemail").await), all);
    assert_eq!(names(&first("+email").await), all);
    let without = names(&first("-metadata,-email").await);
    assert_eq!(all.difference(&without).collect::<Vec<_>>(), ["email", "metadata"]);
}

async fn what_is_not_known_is_refused(app: TestApp) {
    let ada = app.admin_program().await;
    let ids = "id=a&".repeat(101);
    let long = format!("q={}", "x".repeat(201));
    for (query, text) in [
        ("foo=1", "Unrecognized fields: 'foo'"),
        ("foo=1&bar[$gt]=2", "Unrecognized fields: 'bar, foo'"),
        ("created_at[$foo]=2026-01-01", "Field 'created_at"),
        ("created_at[$gt]=yesterday", "Field 'created_at"),
        ("created_at[$gt]=", "Field 'created_at"),
        ("created_at=1&created_at[$gt]=2026-01-01", "Field 'created_at'"),
        ("updated_at=2026-13-01", "Field 'updated_at"),
        ("role=king", "Field 'role'"),
        ("role=", "Field 'role'"),
        ("role=admin&role=member", "Field 'role'"),
        ("status=gone", "Field 'status'"),
        ("email=bob", "Field 'email'"),
        ("first_name=", "Field 'first_name'"),
        ("last_name=%00", "Field 'last_name'"),
        ("order=password", "Field 'order'"),
        ("order=--email", "Field 'order'"),
        ("order=", "Field 'order'"),
        ("limit=0", "Field 'limit'"),
        ("limit=101", "Field 'limit'"),
        ("limit=-1", "Field 'limit'"),
        ("limit=x", "Field 'limit'"),
        ("offset=-1", "Field 'offset'"),
        ("after=x", "Field 'after'"),
        ("after=", "Field 'after'"),
        ("after=%00", "Field 'after'"),
        ("fields=password", "Field 'fields'"),
        ("fields=-x", "Field 'fields'"),
        ("q=a%00b", "Field 'q'"),
        ("q=%0A", "Field 'q'"),
        (&long, "Field 'q'"),
        (&ids, "Field 'id'"),
    ] {
        let said = ada.get(&format!("/admin/users?{query}")).await.expect_status(400).json();
        assert_eq!(said["type"], "invalid_data", "{query}");
        let message = said["message"].as_str().unwrap();
        assert!(message.starts_with("Invalid request: ") && message.contains(text), "{query}: {message}");
    }
    let own = app.user_id("ada@example.org").await;
    let both = ada.get(&format!("/admin/users?after={own}&offset=1")).await;
    assert_eq!(both.expect_status(400).json()["type"], "invalid_data");
}
