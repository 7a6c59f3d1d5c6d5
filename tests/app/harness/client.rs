//! The two who call the server: a browser with JavaScript off, and a script. Both keep cookies and send what a browser
//! sends; neither follows a redirect unless told to.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use reqwest::{Method, RequestBuilder, header, redirect::Policy};

use super::{Page, TestApp};

const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// How a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Form,
    Script,
}

/// One browser or one script, with its own cookies.
pub struct Client {
    http: reqwest::Client,
    url: String,
    dialect: Dialect,
    cookies: Mutex<BTreeMap<String, String>>,
    here: Mutex<String>,
}

impl Client {
    /// A browser without JavaScript: posts forms, wants HTML.
    pub fn form(app: &TestApp) -> Self {
        Self::new(app, Dialect::Form)
    }

    /// A script: posts forms as the islands do, wants JSON.
    pub fn script(app: &TestApp) -> Self {
        Self::new(app, Dialect::Script)
    }

    fn new(app: &TestApp, dialect: Dialect) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).user_agent(USER_AGENT).build().unwrap();
        Self { http, url: app.url.clone(), dialect, cookies: Mutex::default(), here: Mutex::new("/".to_owned()) }
    }

    /// Whether it is a browser and not a script.
    pub fn is_form(&self) -> bool {
        self.dialect == Dialect::Form
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> Page {
        let page = self.send(self.request(&Method::GET, path)).await;
        path.clone_into(&mut self.here.lock().unwrap_or_else(PoisonError::into_inner));
        page
    }

    /// Posts a form and answers with what comes back, redirect or not.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.send(self.request(&Method::POST, path).form(fields)).await
    }

    /// Posts a form as a script of the page does, for an answer in JSON.
    pub async fn fetch(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let accept =
            header::HeaderMap::from_iter([(header::ACCEPT, header::HeaderValue::from_static("application/json"))]);
        self.send(self.request(&Method::POST, path).form(fields).headers(accept)).await
    }

    /// Posts a form and goes where the answer sends.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let answer = self.post(path, fields).await;
        match answer.location() {
            Some(location) => self.get(&location).await,
            None => answer,
        }
    }

    /// A request as this client sends it, to be changed before it is sent.
    pub fn request(&self, method: &Method, path: &str) -> RequestBuilder {
        let accept = match self.dialect {
            Dialect::Form => "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            Dialect::Script => "application/json",
        };
        let mut request =
            self.http.request(method.clone(), format!("{}{path}", self.url)).header(header::ACCEPT, accept);
        let cookies = self.cookie_header();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies);
        }
        if *method == Method::GET {
            return request;
        }
        let here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        request
            .header(header::ORIGIN, &self.url)
            .header(header::REFERER, format!("{}{here}", self.url))
            .header("sec-fetch-site", "same-origin")
    }

    /// Sends a request and keeps the cookies of its answer.
    pub async fn send(&self, request: RequestBuilder) -> Page {
        let response = request.send().await.expect("the server answers");
        let page = Page::read(response).await;
        for (name, value) in page.cookies() {
            self.set_cookie(&name, &value);
        }
        page
    }

    /// Sends a request that was changed beyond what a client would send.
    pub async fn execute(&self, request: reqwest::Request) -> Page {
        Page::read(self.http.execute(request).await.expect("the server answers")).await
    }

    /// The value of a cookie that it holds.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Gives it a cookie; an empty one takes it away.
    pub fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        if value.is_empty() {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// The cookies that it sends.
    pub fn cookie_header(&self) -> String {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}
