//! The accounts that log in: an admin, made by the command line, and people with the admin's password. Hashing it once
//! is enough: that each has the same salt makes no difference to what is measured.

use sqlx::Connection;

use crate::{
    Outcome,
    client::{Answer, Client, post},
    database::{Database, execute},
    server::{self, Server},
};

/// The admin.
pub const ADMIN: &str = "front.door@latchkey.example";
/// How many people may log in besides.
pub const PEOPLE: usize = 256;
const PASSWORD: &str = "correct horse battery staple";
const CREATED: i64 = 1_640_000_000_000_000;

/// Makes the accounts, older than everybody else so that they are on no page that is looked at.
pub async fn make(database: &Database) -> Outcome<()> {
    server::run(
        database,
        &["user", "create", "--email", ADMIN, "--admin", "--password-stdin"],
        &format!("{PASSWORD}\n"),
    )?;
    let mut connection = database.connect().await?;
    execute(&mut connection, &format!("UPDATE users SET created_at = {CREATED} WHERE email = '{ADMIN}'")).await?;
    for number in 0..PEOPLE {
        let (email, id) = (email(number), format!("00000000-0000-7000-8000-{number:012x}"));
        execute(
            &mut connection,
            &format!(
                "INSERT INTO users (id, email, role, metadata, created_at, updated_at, name_key, search_text)
                     VALUES ('{id}', '{email}', 'member', '{{}}', {CREATED}, {CREATED}, '', '{email}\u{1f}');
                 INSERT INTO auth_identities (id, created_at) VALUES ('{id}', {CREATED});
                 INSERT INTO auth_identity_actors (auth_identity_id, actor_type, actor_id) VALUES ('{id}', 'user', '{id}');
                 INSERT INTO provider_identities
                     (provider, entity_id, auth_identity_id, provider_metadata, user_metadata, created_at, updated_at)
                     SELECT provider, '{email}', '{id}', provider_metadata, user_metadata, {CREATED}, {CREATED}
                     FROM provider_identities WHERE entity_id = '{ADMIN}'"
            ),
        )
        .await?;
    }
    Ok(connection.close().await?)
}

fn email(number: usize) -> String {
    format!("person.{number}@latchkey.example")
}

/// The log-in of one of the people.
pub fn log_in(number: usize) -> Vec<u8> {
    form(&email(number % PEOPLE))
}

/// The start of the addresses that have accounts, and of some that have none.
pub const KNOWN: &str = "person";
/// As long as the known ones, since an answer carries back what was typed.
pub const UNKNOWN: &str = "nobody";

/// A log-in with a wrong password, by an address of one kind or the other.
pub fn failed_log_in(kind: &str, number: usize) -> Vec<u8> {
    post("/api/login", &format!("email={kind}.{}@latchkey.example&password=wrong+horse", number % PEOPLE))
}

/// Whether a log-in was refused, as every wrong one is.
pub fn is_refused(answer: &Answer) -> bool {
    answer.status == 302 && answer.header("location") == Some("/login")
}

fn form(email: &str) -> Vec<u8> {
    post("/api/login", &format!("email={email}&password={}", PASSWORD.replace(' ', "+")))
}

/// Whether a log-in was answered with a session and the way on.
pub fn is_logged_in(answer: &Answer) -> bool {
    answer.status == 302 && answer.header("location") == Some("/account") && answer.header("set-cookie").is_some()
}

/// The log-in of one of the people as a program.
pub fn authenticate(number: usize) -> Vec<u8> {
    by_program(&email(number % PEOPLE))
}

fn by_program(email: &str) -> Vec<u8> {
    let body = format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#);
    let length = body.len();
    format!(
        "POST /auth/user/emailpass HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Whether a program was given a token.
pub fn is_given_token(answer: &Answer) -> bool {
    answer.status == 200 && answer.body.starts_with(br#"{"token":""#)
}

/// Logs the admin in as a program and answers with the token.
pub async fn admin_token(server: &Server) -> Outcome<String> {
    let answer = Client::connect(server.address).await?.ask(&by_program(ADMIN)).await?;
    let body: serde_json::Value = serde_json::from_slice(&answer.body)?;
    Ok(body["token"].as_str().ok_or_else(|| format!("the admin gets no token: {}", answer.head))?.to_owned())
}

/// Logs the admin in and answers with the `Cookie` header of the session.
pub async fn admin_cookie(server: &Server) -> Outcome<String> {
    let answer = Client::connect(server.address).await?.ask(&form(ADMIN)).await?;
    let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
    let cookie = cookie.ok_or_else(|| format!("the admin can't log in: {}", answer.head))?;
    Ok(format!("cookie: {cookie}\r\n"))
}
