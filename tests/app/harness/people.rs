//! The people of the tests, and what they do again and again: register, log in, become the first admin.

use super::{Client, Page, TestApp};

/// Everybody's password, unless a test is about passwords.
pub const PASSWORD: &str = "correct horse battery staple";
/// The first admin.
pub const ADMIN: &str = "ada@example.org";

impl Client {
    /// Registers and answers with what comes back.
    pub async fn register(&self, email: &str, password: &str) -> Page {
        let fields = [("first_name", ""), ("last_name", ""), ("email", email), ("password", password)];
        self.post("/api/register", &fields).await
    }

    /// Logs in and answers with what comes back.
    pub async fn log_in(&self, email: &str, password: &str) -> Page {
        self.post("/api/login", &[("email", email), ("password", password)]).await
    }

    /// Logs out and answers with what comes back.
    pub async fn log_out(&self) -> Page {
        self.post("/api/logout", &[]).await
    }

    /// Whether it is logged in, as its next click would show.
    pub async fn is_logged_in(&self) -> bool {
        self.get("/account").await.status == 200
    }
}

impl TestApp {
    /// Makes the first admin and answers with their browser.
    pub async fn admin(&self) -> Client {
        let client = self.form();
        let token = self.setup_token.as_deref().expect("there was no admin when the server started");
        let fields = [
            ("token", token),
            ("first_name", "Ada"),
            ("last_name", "Lovelace"),
            ("email", ADMIN),
            ("password", PASSWORD),
        ];
        client.post("/api/setup", &fields).await.expect_redirect("/dashboard/users");
        client
    }

    /// Registers a member and answers with their browser.
    pub async fn member(&self, email: &str) -> Client {
        let client = self.form();
        client.register(email, PASSWORD).await.expect_redirect("/account");
        client
    }

    /// Registers a member where mails are sent, confirms the address, and answers with their browser.
    pub async fn member_by_mail(&self, email: &str) -> Client {
        let client = self.form();
        client.register(email, PASSWORD).await.expect_redirect("/link");
        let link = self.mail(email, "confirm_email").await.link();
        client.post(&link, &[]).await.expect_redirect("/account");
        client
    }

    /// Logs somebody in with [`PASSWORD`] and answers with a new browser of theirs.
    pub async fn logged_in(&self, email: &str) -> Client {
        let client = self.form();
        client.log_in(email, PASSWORD).await.expect_status(302);
        assert!(client.is_logged_in().await, "{email} is logged in");
        client
    }

    /// Invites somebody as the page does where no mail leaves, and answers with the secret of the link.
    pub async fn invite(&self, admin: &Client, email: &str, role: &str) -> String {
        let fields = [("emails", email), ("role", role), ("step", "send")];
        let page = admin.post("/dashboard/invites/new", &fields).await;
        page.expect_status(200).expect_text("1 person is invited.");
        token_in(&page.text())
    }

    /// The id of the user with this address.
    pub async fn user_id(&self, email: &str) -> String {
        self.text_for("SELECT id FROM users WHERE email = $1", email).await.expect("there is such a user")
    }
}

/// The secret of the link on a page or in an output.
pub fn token_in(text: &str) -> String {
    let (_, rest) = text.split_once("/link/").unwrap_or_else(|| panic!("no link in {text}"));
    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').collect()
}
