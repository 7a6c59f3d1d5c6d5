//! Whatever an address asks for as the place to go on, the browser lands on this site. What is foreign is told by the
//! algorithm that browsers read addresses by (WHATWG URL), and not by the rule under test.

use reqwest::Url;

use crate::{
    harness::{ADMIN, Client, PASSWORD, TestApp, on_both_databases},
    web::providers::{come_back, state_in},
};

on_both_databases! {
    a_form_goes_on_to_no_spelling_of_a_foreign_address with NO_LIMITS,
    a_script_goes_on_to_no_spelling_of_a_foreign_address with NO_LIMITS,
    a_journey_goes_on_to_no_spelling_of_a_foreign_address with NO_LIMITS,
    the_log_in_page_carries_no_spelling_of_a_foreign_address with NO_LIMITS,
}

const NO_LIMITS: &str = r#"
    limits.log_in_per_ip = "off"
    limits.log_in_per_account = "off"
    limits.log_in_per_account_anywhere = "off"
    providers = [{ id = "emailpass", kind = "emailpass" }, { id = "elsewhere", kind = "elsewhere" }]
"#;

/// Where people reach the site by default.
const SITE: &str = "http://localhost:3000";

/// Paths of the site, each of which is gone on to: what is refused is refused for a reason.
const OWN: [&str; 4] = ["/account", "/account/sessions?a=//evil.example", "/%2F/evil.example", "/a//b"];

fn read(address: &str) -> Option<Url> {
    Url::parse(&format!("{SITE}/login")).unwrap().join(address).ok()
}

fn is_own(address: &str) -> bool {
    read(address).is_some_and(|url| url.origin() == Url::parse(SITE).unwrap().origin())
}

/// What browsers drop before an address.
const BEFORE: [&str; 8] = ["", " ", "\t", "\n", "\r\n", "\0", "\u{b}", "\u{1f}"];
/// What makes an address another site's, as browsers read it.
const LEADS: [&str; 12] =
    ["//", "\\\\", "/\\", "\\/", "/\t/", "/\n\\", "///", "\\\\\\", "https://", "hTTps:", "https:\\/", "ht\ntps:///"];
/// Other hosts, and what is not this one.
const HOSTS: &str = "EVIL.example evil.example. evil.example:443 evil%2eexample evil。example ｅvil.example évil.example \
    ev\til.example ev\u{ad}il.example 127.0.0.1 0x7f.1 2130706433 [::1] localhost localhost:3001 localhost:3000.evil.example \
    localhost:3000@evil.example localhost:@evil.example @evil.example evil.example\\@localhost:3000 \
    evil.example#@localhost:3000 evil.example?@localhost:3000 evil.example/../account evil.example\\account \
    evil.example/%2e%2e evil.example\n";
/// Other schemes, and this one in other spellings.
const WHOLE: &str = "javascript:alert(1) JavaScript:alert(1) java\tscript:alert(1) \u{1}javascript:alert(1) \
    javascript://localhost:3000/%0aalert(1) data:text/html,x vbscript:x file:///etc/passwd blob:https://evil.example/1 \
    ftp://evil.example ws://localhost:3000/ mailto:eve@evil.example tel:1 about:blank x:http://localhost:3000/account \
    https://localhost:3000/account http:\\\\evil.example http://localhost:3000@evil.example/ \
    http://localhost:3000.evil.example/ HTTP://evil.example";

/// A foreign address, in each way that browsers take for one and filters have let through.
fn foreign() -> Vec<String> {
    let crossed = BEFORE.iter().flat_map(|blank| LEADS.iter().map(move |lead| format!("{blank}{lead}evil.example")));
    let hosts = HOSTS.split(' ').map(|host| format!("//{host}"));
    let all = crossed.chain(hosts).chain(WHOLE.split(' ').map(str::to_owned));
    let foreign: Vec<String> = all.filter(|address| read(address).is_some() && !is_own(address)).collect();
    assert!(foreign.len() >= 120, "{} are foreign", foreign.len());
    foreign
}

fn in_query(text: &str) -> String {
    text.bytes().map(|byte| ["%".to_owned(), format!("{byte:02X}")].concat()).collect()
}

fn expect_home((asked, went): (&str, &str), home: &str) {
    assert!(is_own(went), "{asked:?} leads to {went}");
    assert_eq!(went, home, "{asked:?}");
}

async fn a_form_goes_on_to_no_spelling_of_a_foreign_address(app: TestApp) {
    app.admin().await;
    let client = app.form();
    let log_in = async |next: &str| {
        let page = client.post("/api/login", &[("email", ADMIN), ("password", PASSWORD), ("next", next)]).await;
        page.expect_status(302).location().unwrap()
    };
    for address in foreign() {
        expect_home((&address, &log_in(&address).await), "/dashboard/users");
    }
    for path in OWN {
        assert_eq!(log_in(path).await, path);
    }
}

async fn a_script_goes_on_to_no_spelling_of_a_foreign_address(app: TestApp) {
    app.admin().await;
    let client = app.form();
    let word = client.get("/auth/csrf").await.json()["csrfToken"].as_str().unwrap().to_owned();
    let log_in = async |next: &str| {
        let fields =
            [("email", ADMIN), ("password", PASSWORD), ("csrfToken", &word), ("callbackUrl", next), ("json", "true")];
        let page = client.post("/auth/callback/emailpass", &fields);
        page.await.expect_status(200).json()["url"].as_str().unwrap().to_owned()
    };
    for address in foreign() {
        expect_home((&address, &log_in(&address).await), &format!("{SITE}/dashboard/users"));
    }
    for path in OWN {
        assert_eq!(log_in(path).await, format!("{SITE}{path}"));
    }
}

async fn a_journey_goes_on_to_no_spelling_of_a_foreign_address(app: TestApp) {
    let client = app.form();
    for address in foreign() {
        for name in ["next", "callbackUrl", "callback_url"] {
            expect_home((&address, &travel(&client, (name, &address)).await), "/account");
        }
    }
    for path in OWN {
        assert_eq!(travel(&client, ("callbackUrl", path)).await, path);
    }
}

async fn travel(client: &Client, (name, next): (&str, &str)) -> String {
    let there = client.get(&format!("/auth/signin/elsewhere?{name}={}", in_query(next))).await;
    let state = state_in(there.expect_status(302).header("location").unwrap());
    come_back(client, ("grace@example.org!", &state)).await.expect_status(302).location().unwrap()
}

async fn the_log_in_page_carries_no_spelling_of_a_foreign_address(app: TestApp) {
    let client = app.form();
    for path in ["/login", "/register", "/auth/signin", "/auth/error"] {
        for address in foreign() {
            let page = client.get(&format!("{path}?next={0}&callbackUrl={0}", in_query(&address))).await;
            assert_eq!(page.location().is_some(), path.starts_with("/auth/"), "{address:?}");
            assert_eq!(page.location().unwrap_or_else(|| "/login".to_owned()), "/login", "{address:?}");
            assert_eq!(page.value_of("next"), None, "{address:?}");
            assert!(!page.body.contains("next="), "{address:?}");
        }
    }
    for path in OWN {
        let page = client.get(&format!("/login?next={}", in_query(path))).await;
        assert_eq!(page.value_of("next").as_deref(), Some(path));
    }
}
