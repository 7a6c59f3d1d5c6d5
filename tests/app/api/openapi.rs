//! `/openapi.json` and `/docs/api`: the description of the API is whole, true and by the letter of OpenAPI, and people can
//! read it.

use std::{fs, path::Path};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Program, TestApp, judge_openapi, on_both_databases};

on_both_databases! {
    programs_fetch_it_once,
    it_is_openapi_by_the_letter_and_its_examples_fit,
    what_is_described_is_there_and_nothing_else_is,
    what_is_answered_has_the_fields_that_are_described,
    it_names_what_is_configured with CUSTOMERS,
    refusals_are_told_apart,
    people_read_it,
}

const CUSTOMERS: &str = "[actors.customer]\nproviders = [\"emailpass\"]";
const METHODS: [&str; 5] = ["get", "post", "delete", "put", "patch"];

async fn document(app: &TestApp) -> Value {
    app.script().get("/openapi.json").await.expect_status(200).json()
}

/// Each operation: method, path, and what is described of it.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap().clone();
        let path = path.clone();
        methods.into_iter().map(move |(method, operation)| (method, path.clone(), operation)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

async fn programs_fetch_it_once(app: TestApp) {
    let script = app.script();
    let answer = script.get("/openapi.json").await;
    answer.expect_status(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(answer.json()["openapi"], "3.1.0");
    assert_eq!(answer.json()["servers"], json!([{ "url": "http://localhost:3000" }]));
    let etag = answer.header("etag").expect("a tag").to_owned();
    for (known, status) in [(etag.clone(), 304), (format!("W/\"x\", W/{etag}"), 304), ("\"x\"".to_owned(), 200)] {
        let request = script.request(&Method::GET, "/openapi.json").header("if-none-match", known);
        assert_eq!(script.send(request).await.expect_status(status).header("etag"), Some(etag.as_str()));
    }
}

async fn it_is_openapi_by_the_letter_and_its_examples_fit(app: TestApp) {
    let document = document(&app).await;
    if let Some(verdict) = judge_openapi(&document).await {
        assert_eq!(verdict, "");
    }
    let operations = operations(&document);
    let mut ids: Vec<&str> = operations.iter().map(|(_, _, it)| it["operationId"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "each has a name of its own");
    for (method, path, operation) in &operations {
        let words = operation["summary"].as_str().unwrap();
        assert!(!words.is_empty() && words.len() < 60 && !words.contains(['`', '\n']), "{method} {path}: {words}");
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let described =
                answer["$ref"].is_string() || answer["description"].as_str().is_some_and(|it| !it.is_empty());
            assert!(described, "{method} {path} {status}");
            for (kind, content) in answer["content"].as_object().into_iter().flatten() {
                let is_shown = !content["example"].is_null() || path == "/openapi.json";
                assert!(is_shown, "{method} {path} {status} {kind} has an example");
            }
        }
    }
    let text = document.to_string();
    assert!(!text.contains("# Errors") && !text.contains("[`"), "words for readers of the source alone");
}

async fn what_is_described_is_there_and_nothing_else_is(app: TestApp) {
    let program = app.program();
    let document = document(&app).await;
    for (path, described) in document["paths"].as_object().unwrap() {
        let address = path.replace("{actor_type}", "user").replace("{provider}", "emailpass").replace("{id}", "x");
        for name in METHODS {
            let method: Method = name.to_uppercase().parse().unwrap();
            let answer = program.ask(&method, &address, (name != "get").then_some("{}")).await;
            if described[name].is_object() {
                assert_ne!(answer.status, 405, "{method} {path}");
                let known = &described[name]["responses"][answer.status.to_string()];
                assert!(known.is_object(), "{method} {path}: {}", answer.status);
                assert!(!answer.body.contains("There is no such address."), "{method} {path}");
            } else {
                answer.expect_status(405);
                let allowed = answer.header("allow").unwrap_or_default().to_ascii_lowercase();
                let allowed: Vec<&str> = allowed.split(',').filter(|allowed| *allowed != "head").collect();
                let mut all: Vec<&str> = described.as_object().unwrap().keys().map(String::as_str).collect();
                all.sort_by_key(|method| allowed.iter().position(|allowed| allowed == method));
                assert_eq!(allowed, all, "{path}");
            }
        }
    }
    // A route that is mounted in another way than by its description would not be found by asking.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api");
    for file in walk(&folder) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains(".route(") && !text.contains("axum::routing"), "{}", file.display());
    }
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// Fails unless an answer has all fields that are described, and no other.
#[track_caller]
fn expect_described(document: &Value, (method, path): (&str, &str), (status, value): (u16, &Value)) {
    let answer = &document["paths"][path][method]["responses"][status.to_string()];
    let answer = answer["$ref"].as_str().map_or(answer, |to| document.pointer(&to[1..]).unwrap());
    let schema = &answer["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{method} {path} {status} is described");
    if let Err(what) = fits(document, schema, value) {
        panic!("{method} {path} {status}: {what} in {value}");
    }
}

fn fits(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let (known, required) = fields(document, schema);
    let schema = schema["$ref"].as_str().map_or(schema, |to| document.pointer(&to[1..]).unwrap());
    if let Some(choices) = schema["oneOf"].as_array() {
        let fitting = choices.iter().filter(|choice| fits(document, choice, value).is_ok());
        return if fitting.count() == 1 { Ok(()) } else { Err("not one of the choices".to_owned()) };
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| fits(document, &schema["items"], item)),
        Value::Object(_) if schema["additionalProperties"] == true => Ok(()),
        Value::Object(value) => {
            if let Some(missing) = required.iter().find(|name| !value.contains_key(*name)) {
                return Err(format!("'{missing}' is missing"));
            }
            value.iter().try_for_each(|(name, value)| match known.iter().find(|(known, _)| known == name) {
                Some((_, schema)) => fits(document, schema, value).map_err(|what| format!("{name}: {what}")),
                None => Err(format!("'{name}' is not described")),
            })
        }
        Value::Null if schema["type"] == "null" => Ok(()),
        plain => {
            let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
            let kind = match plain {
                Value::Null => "null",
                Value::Bool(_) => "boolean",
                Value::Number(_) => "integer",
                _ => "string",
            };
            if kinds.contains(&json!(kind)) { Ok(()) } else { Err(format!("{plain} is none of {kinds:?}")) }
        }
    }
}

/// The fields of a schema and of all that it is made of, and those that must be there.
fn fields(document: &Value, schema: &Value) -> (Vec<(String, Value)>, Vec<String>) {
    let schema = schema["$ref"].as_str().map_or(schema, |to| document.pointer(&to[1..]).unwrap());
    let mut known: Vec<(String, Value)> =
        schema["properties"].as_object().cloned().unwrap_or_default().into_iter().collect();
    let names = schema["required"].as_array().cloned().unwrap_or_default();
    let mut required: Vec<String> = names.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        let (of_part, required_there) = fields(document, part);
        known.extend(of_part);
        required.extend(required_there);
    }
    (known, required)
}

async fn what_is_answered_has_the_fields_that_are_described(app: TestApp) {
    let document = document(&app).await;
    let ada = app.admin_program().await;
    let asked = async |program: &Program, (method, path): (&str, &str), address: &str, body: Option<Value>| {
        let verb: Method = method.to_uppercase().parse().unwrap();
        let answer = program.ask(&verb, address, body.map(|body| body.to_string()).as_deref()).await;
        let value = answer.json();
        expect_described(&document, (method, path), (answer.status, &value));
        value
    };
    let new = json!({ "email": "bob@example.org", "first_name": "Bob", "metadata": { "a": { "b": 1 } } });
    let bob = asked(&ada, ("post", "/admin/users"), "/admin/users", Some(new.clone())).await;
    asked(&ada, ("post", "/admin/users"), "/admin/users", Some(new)).await;
    let bob = bob["user"]["id"].as_str().expect("an id").to_owned();
    let of_bob = |rest: &str| format!("/admin/users/{bob}{rest}");
    let changes = json!({ "last_name": "Noyce", "avatar_url": "https://example.org/b.png" });
    asked(&ada, ("post", "/admin/users/{id}"), &of_bob(""), Some(changes)).await;
    asked(&ada, ("post", "/admin/users/{id}/disable"), &of_bob("/disable"), None).await;
    asked(&ada, ("post", "/admin/users/{id}/enable"), &of_bob("/enable"), None).await;
    for (path, address) in [
        ("/admin/users", "/admin/users?limit=10".to_owned()),
        ("/admin/users", "/admin/users?fields=email".to_owned()),
        ("/admin/users", "/admin/users?nonsense=1".to_owned()),
        ("/admin/users/me", "/admin/users/me".to_owned()),
        ("/admin/users/{id}", of_bob("")),
        ("/admin/users/{id}", "/admin/users/nobody".to_owned()),
        ("/admin/users/{id}/sessions", of_bob("/sessions")),
        ("/auth/{actor_type}/providers", "/auth/user/providers".to_owned()),
        ("/auth/session", "/auth/session".to_owned()),
        ("/.well-known/jwks.json", "/.well-known/jwks.json".to_owned()),
        ("/health/live", "/health/live".to_owned()),
        ("/health/ready", "/health/ready".to_owned()),
    ] {
        asked(&ada, ("get", path), &address, None).await;
    }
    let me = asked(&ada, ("get", "/admin/users/me"), "/admin/users/me", None).await;
    let mine = format!("/admin/users/{}/sessions", me["user"]["id"].as_str().unwrap());
    asked(&ada, ("get", "/admin/users/{id}/sessions"), &mine, None).await;
    asked(&ada, ("delete", "/admin/users/{id}/sessions"), &mine, None).await;
    asked(&ada, ("delete", "/admin/users/{id}"), &of_bob(""), None).await;

    let invite = json!({ "email": "eve@example.org", "note": "See you." });
    let invite = asked(&ada, ("post", "/admin/invites"), "/admin/invites", Some(invite)).await["invite"].clone();
    let of_invite = |rest: &str| format!("/admin/invites/{}{rest}", invite["id"].as_str().unwrap());
    asked(&ada, ("get", "/admin/invites"), "/admin/invites", None).await;
    asked(&ada, ("get", "/admin/invites/{id}"), &of_invite(""), None).await;
    let sent = asked(&ada, ("post", "/admin/invites/{id}/resend"), &of_invite("/resend"), None).await;
    let eve = app.registered("emailpass", "eve@example.org").await;
    let address = format!("/admin/invites/accept?token={}", sent["invite"]["token"].as_str().unwrap());
    asked(&eve, ("post", "/admin/invites/accept"), &address, Some(json!({ "first_name": "Eve" }))).await;
    asked(&ada, ("get", "/admin/invites/{id}"), &of_invite(""), None).await;
    asked(&ada, ("delete", "/admin/invites/{id}"), &of_invite(""), None).await;

    let nobody = app.program();
    asked(&nobody, ("get", "/admin/users"), "/admin/users", None).await;
    let (log_in, wrong) = (("post", "/auth/{actor_type}/{provider}"), json!({ "email": "x", "password": "y" }));
    asked(&nobody, log_in, "/auth/user/emailpass", Some(wrong)).await;
    asked(&ada, ("post", "/auth/token/refresh"), "/auth/token/refresh", None).await;
    asked(&ada, ("post", "/auth/session"), "/auth/session", None).await;
    asked(&ada, ("get", "/auth/session"), "/auth/session", None).await;
    asked(&ada, ("delete", "/auth/session"), "/auth/session", None).await;
}

async fn it_names_what_is_configured(app: TestApp) {
    let document = document(&app).await;
    let parameters = &document["paths"]["/auth/{actor_type}/{provider}"]["post"]["parameters"];
    assert_eq!(parameters[0]["schema"]["enum"], json!(["user", "customer"]));
    assert_eq!(parameters[1]["schema"]["enum"], json!(["emailpass"]));
    assert_eq!(document["components"]["securitySchemes"]["session"]["name"], "latchkey");
}

async fn refusals_are_told_apart(app: TestApp) {
    let script = app.script();
    // nginx reads the status alone; programs are told what it means.
    let unknown = script.get("/auth/forward?unauthorized=401").await;
    assert_eq!(unknown.expect_status(401).json(), json!({ "message": "Unauthorized" }));
    assert!(unknown.location().is_some());
    let other = script.get("/auth/forward?unauthorized=400").await;
    assert_eq!(other.expect_status(400).json()["type"], "invalid_data");
    let far = script.get("/auth/return?to=%01").await;
    assert_eq!(far.expect_status(400).json()["type"], "invalid_data");
    let long = format!("/admin/users?id={}", "x".repeat(256));
    app.admin_program().await.get(&long).await.expect_status(400);
}

async fn people_read_it(app: TestApp) {
    let document = document(&app).await;
    let person = app.form();
    let page = person.get("/docs/api").await;
    page.expect_status(200);
    assert_eq!(page.title(), "API · Latchkey");
    assert!(!page.body.contains("<script"), "it needs none");
    assert_eq!(page.link("/openapi.json").as_deref(), Some("/openapi.json"));
    let text = page.text();
    for (method, path, operation) in operations(&document) {
        assert!(text.contains(&format!("{} {path}", method.to_uppercase())), "{method} {path}");
        assert!(text.contains(operation["summary"].as_str().unwrap()), "{method} {path}");
        let id = operation["operationId"].as_str().unwrap().replace('_', "-");
        assert_eq!(page.body.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        assert_eq!(page.body.matches(&format!("href=\"#{id}\"")).count(), 2, "{id}");
    }
    for reference in page.body.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(page.body.contains(&format!("id=\"{reference}\"")), "#{reference} leads somewhere");
    }
    assert!(text.contains("Authorization: Bearer $TOKEN"));
    // The same page for everybody.
    assert_eq!(app.admin().await.get("/docs/api").await.body, page.body);
}
