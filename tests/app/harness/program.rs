//! A program: it speaks JSON and is known by a bearer token, or by none.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ADMIN, Client, PASSWORD, Page, TestApp};

/// A program with its token.
pub struct Program {
    client: Client,
    token: Option<String>,
}

impl Program {
    /// What it is known by.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("it has a token")
    }

    /// Asks for something.
    pub async fn get(&self, path: &str) -> Page {
        self.ask(&Method::GET, path, None).await
    }

    /// Posts a body.
    pub async fn post(&self, path: &str, body: &Value) -> Page {
        self.ask(&Method::POST, path, Some(&body.to_string())).await
    }

    /// Deletes something.
    pub async fn delete(&self, path: &str) -> Page {
        self.ask(&Method::DELETE, path, None).await
    }

    /// Goes to the provider that is elsewhere and comes back from there with a code.
    pub async fn back_from_elsewhere(&self, code: &str) -> Page {
        let there = self.post("/auth/user/elsewhere", &serde_json::json!({})).await;
        let location = there.expect_status(200).json()["location"].as_str().unwrap().to_owned();
        let state = location.strip_prefix("https://elsewhere.example/?state=").unwrap();
        self.post("/auth/user/elsewhere/callback", &serde_json::json!({ "code": code, "state": state })).await
    }

    /// Asks for anything, with any body.
    pub async fn ask(&self, method: &Method, path: &str, body: Option<&str>) -> Page {
        let mut request = self.client.request(method, path);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        self.client.send(request).await
    }

    /// The same, known by a token.
    pub fn known_by(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    /// The same with the token of an answer.
    #[track_caller]
    fn with_token_of(self, answer: &Page) -> Self {
        let answer = answer.expect_status(200).json();
        self.known_by(answer["token"].as_str().expect("a token"))
    }

    /// The same program with a newer token.
    pub async fn refreshed(self) -> Self {
        let answer = self.post("/auth/token/refresh", &json!({})).await;
        self.with_token_of(&answer)
    }
}

impl TestApp {
    /// A program that nobody knows.
    pub fn program(&self) -> Program {
        Program { client: self.script(), token: None }
    }

    /// A program that has registered an identity, which has no user.
    pub async fn registered(&self, provider: &str, email: &str) -> Program {
        let program = self.program();
        let path = format!("/auth/user/{provider}/register");
        let answer = program.post(&path, &json!({ "email": email, "password": PASSWORD })).await;
        program.with_token_of(&answer)
    }

    /// A program of somebody who has logged in.
    pub async fn program_of(&self, email: &str) -> Program {
        let program = self.program();
        let answer = program.post("/auth/user/emailpass", &json!({ "email": email, "password": PASSWORD })).await;
        program.with_token_of(&answer)
    }

    /// Makes the first admin and answers with a program of theirs.
    pub async fn admin_program(&self) -> Program {
        self.admin().await;
        self.program_of(ADMIN).await
    }

    /// Makes a member and answers with a program of theirs.
    pub async fn member_program(&self, email: &str) -> Program {
        self.member(email).await;
        self.program_of(email).await
    }
}
