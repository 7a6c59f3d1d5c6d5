//! `/dashboard/users`: search, filters, order and pages stand in the address.

use crate::harness::{Client, Page, TestApp, on_both_databases};

on_both_databases! {
    nobody_but_admins_sees_the_list,
    what_the_address_says_wrong_is_ignored,
    what_nobody_fits_is_said,
    signs_of_search_languages_stand_for_themselves,
    a_part_of_an_address_or_name_finds_people,
    role_and_status_filter_the_list,
    the_list_is_paged_there_and_back,
}

/// Registers people by first name, last name and address, past the limit on one client.
async fn register(app: &TestApp, people: &[(&str, &str, &str)]) {
    for (first_name, last_name, email) in people {
        let fields = [
            ("first_name", *first_name),
            ("last_name", *last_name),
            ("email", *email),
            ("password", "a good password"),
        ];
        app.script().post("/api/register", &fields).await.expect_status(200);
        app.advance(std::time::Duration::from_mins(1));
    }
}

fn emails(page: &Page) -> Vec<String> {
    page.expect_status(200).rows().into_iter().map(|row| row[1].clone()).collect()
}

async fn found(admin: &Client, query: &str) -> Vec<String> {
    emails(&admin.get(&format!("/dashboard/users?{query}")).await)
}

async fn nobody_but_admins_sees_the_list(app: TestApp) {
    app.form().get("/dashboard/users").await.expect_status(302).expect_redirect("/login?next=/dashboard/users");
    let member = app.member("bob@example.org").await;
    let page = member.get("/dashboard/users").await;
    page.expect_status(403).expect_no_text("bob@example.org");
}

async fn what_the_address_says_wrong_is_ignored(app: TestApp) {
    let admin = app.admin().await;
    for query in [
        "sort=drop",
        "limit=99999",
        "role=king",
        "status=x",
        "after=nobody",
        "before=%00",
        "q=%00",
        "limit=-1",
        "q=%ff",
    ] {
        let page = admin.get(&format!("/dashboard/users?{query}")).await;
        assert!([200, 400].contains(&page.status), "{query}: {}", page.status);
    }
}

async fn what_nobody_fits_is_said(app: TestApp) {
    let admin = app.admin().await;
    let page = admin.get("/dashboard/users?q=nobody-at-all&role=member").await;
    page.expect_status(200).expect_text("Nothing matches");
    assert_eq!(page.link("Clear filters").as_deref(), Some("/dashboard/users"));
}

async fn signs_of_search_languages_stand_for_themselves(app: TestApp) {
    let admin = app.admin().await;
    register(&app, &[("100% Bob", "a_b\\c", "bob@example.org"), ("Eve \"*\" OR", "NEAR(x", "eve@example.org")]).await;
    for (search, hits) in [
        ("%25", 0),
        ("100%25", 1),
        ("0%25 b", 1),
        ("___", 0),
        ("a_b%5Cc", 1),
        ("%25%25%25", 0),
        ("%22*%22+OR", 1),
        ("%22%22%22", 0),
        ("NEAR(x", 1),
        ("***", 0),
        ("ada+OR+bob", 0),
        ("'%3B--", 0),
    ] {
        assert_eq!(found(&admin, &format!("q={search}")).await.len(), hits, "{search}");
    }
}

async fn a_part_of_an_address_or_name_finds_people(app: TestApp) {
    let admin = app.admin().await;
    register(
        &app,
        &[("Böb", "Noyce", "bob@intel.example"), ("", "", "nobody@example.org"), ("Änne", "李", "anne@example.org")],
    )
    .await;
    for (search, expected) in [
        ("noyc", vec!["bob@intel.example"]),
        ("NOYCE", vec!["bob@intel.example"]),
        ("%C3%96b", vec![]),
        ("b%C3%96b+n", vec!["bob@intel.example"]),
        ("intel", vec!["bob@intel.example"]),
        ("no", vec!["nobody@example.org"]),
        ("a", vec!["ada@example.org", "anne@example.org"]),
        ("%C3%84", vec!["anne@example.org"]),
        ("example.org", vec!["ada@example.org", "anne@example.org", "nobody@example.org"]),
        ("org%1fada", vec![]),
    ] {
        assert_eq!(found(&admin, &format!("sort=email&q={search}")).await, expected, "{search}");
    }
}

async fn role_and_status_filter_the_list(app: TestApp) {
    let admin = app.admin().await;
    register(&app, &[("", "", "bob@example.org"), ("", "", "eve@example.org")]).await;
    let id = app.user_id("eve@example.org").await;
    admin.post("/api/disable-user", &[("id", &id)]).await.expect_status(302);
    assert_eq!(found(&admin, "role=admin").await, ["ada@example.org"]);
    assert_eq!(found(&admin, "role=member&status=active").await, ["bob@example.org"]);
    assert_eq!(found(&admin, "status=disabled").await, ["eve@example.org"]);
    assert_eq!(found(&admin, "status=disabled&q=bob").await, [""; 0]);
}

async fn the_list_is_paged_there_and_back(app: TestApp) {
    let admin = app.admin().await;
    let names: Vec<String> = (0..59).map(|number| format!("n{:02}@example.org", (number * 7) % 59)).collect();
    let people: Vec<_> = names.iter().map(|email| ("Same", "Name", email.as_str())).collect();
    register(&app, &people).await;
    for sort in ["email", "-email", "name", "-name", "created", "-created"] {
        let mut page = admin.get(&format!("/dashboard/users?sort={sort}")).await;
        page.expect_text("60 users");
        let mut pages = vec![emails(&page)];
        while let Some(next) = page.link("Next") {
            page = admin.get(&next).await;
            pages.push(emails(&page));
        }
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [25, 25, 10], "{sort}");
        let mut all = pages.concat();
        if sort.ends_with("email") {
            let mut sorted = all.clone();
            sorted.sort();
            if sort.starts_with('-') {
                sorted.reverse();
            }
            assert_eq!(all, sorted);
        }
        for earlier in pages[..2].iter().rev() {
            page = admin.get(&page.link("Previous").expect("there is a page before")).await;
            assert_eq!(&emails(&page), earlier, "{sort}");
        }
        assert_eq!(page.link("Previous"), None);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 60, "{sort}");
    }
}
