//! `/dashboard/mail`: what waits, what was sent, and what failed and why. Admins try again, hand on the link of a mail
//! that did not leave, and send themselves a test. State, search and page stand in the address; a link is only shown in
//! answer to a post, once, and never stands in an address.

mod view;

use axum::{
    extract::{Query, State},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;

use crate::{
    flows,
    platform::outbox::{MailState, Page},
    shared::{FormError, MailId},
    web::{
        http::{
            error::PageError,
            flash::Done,
            form::{Call, Origin, current_call},
            next::{OwnPath, query_value},
            page::page,
            scope::Manager,
        },
        state::WebState,
        words,
    },
};

use view::{MailPage, Shown};

const PAGE: &str = "/dashboard/mail";
/// How many mails a page shows.
const LIMIT: u32 = 50;
/// The form whose answer is a link.
const SHOW_LINK: &str = "show-mail-link";

/// The state of the list, as the address has it. What can't be read is as good as absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MailQuery {
    q: String,
    state: String,
    after: String,
    before: String,
}

impl MailQuery {
    fn state(&self) -> Option<MailState> {
        MailState::parse(&self.state)
    }

    fn search(&self) -> Option<&str> {
        Some(self.q.trim()).filter(|q| !q.is_empty())
    }

    fn page(&self) -> Page {
        match (MailId::parse(&self.after), MailId::parse(&self.before)) {
            (Some(after), _) => Page::After(after),
            (None, Some(before)) => Page::Before(before),
            (None, None) => Page::First,
        }
    }

    fn is_filtered(&self) -> bool {
        self.state().is_some() || self.search().is_some()
    }

    /// The address of the list in this state, at another page.
    fn address(&self, page: &[(&str, &str)]) -> String {
        let state = [("q", self.q.as_str()), ("state", self.state.as_str())];
        let pairs = state.into_iter().chain(page.iter().copied()).filter(|(_, value)| !value.is_empty());
        let query: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", query_value(value))).collect();
        if query.is_empty() { PAGE.to_owned() } else { format!("{PAGE}?{}", query.join("&")) }
    }

    /// The address of the list as it is.
    fn here(&self) -> String {
        self.address(&[("after", &self.after), ("before", &self.before)])
    }
}

/// `GET /dashboard/mail`.
///
/// # Errors
/// [`PageError::NotLoggedIn`], [`PageError::Forbidden`].
pub async fn show(
    State(state): State<WebState>,
    manager: Manager,
    Query(query): Query<MailQuery>,
) -> Result<Response, PageError> {
    let Manager(logged_in) = manager;
    let scope = &logged_in.asked.scope;
    let filter = (query.state(), query.search());
    let mails = flows::list_mails(&state.services, scope, filter, (&query.page(), LIMIT)).await?;
    let flash = &logged_in.asked.flash;
    let told = |field| flash.typed_in(SHOW_LINK, field).map(str::to_owned);
    let refusals = ["retry-mail", SHOW_LINK, "send-test-mail"].map(|form| flash.error_of(form));
    let shown = Shown {
        is_sent: state.services.platform.outbox.is_sent(),
        notice: words::of_notice(&logged_in.asked),
        refusal: refusals.into_iter().flatten().find_map(words::of_refusal),
        link: told("link").zip(told("recipient")).zip(told("subject")),
        now: scope.now,
    };
    let viewer = logged_in.viewer();
    Ok(page(&state, &logged_in.asked, move || {
        view! { <MailPage viewer=viewer query=query mails=mails shown=shown /> }
    }))
}

/// Sends a mail again that failed or was put off.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the list.
#[server(endpoint = "retry-mail")]
pub async fn retry_mail(
    /// Which mail.
    #[server(default)]
    id: String,
    /// The list to go back to.
    #[server(default)]
    next: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let back = back_to(&next);
    let origin = Origin::new("retry-mail", back.as_str());
    let Some(id) = MailId::parse(&id) else { return call.refuse(origin, FormError::NotFound) };
    match flows::retry_mail(call.services(), call.scope(), &id).await {
        Ok(()) => call.go_on(&back, Some(Done::MailRetried)),
        Err(error) => call.refuse_for(origin, error),
    }
}

/// Shows the link of a mail that was not sent: to a form on the next page, to a script in the answer.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the list.
#[server(endpoint = "show-mail-link")]
pub async fn show_mail_link(
    /// Which mail.
    #[server(default)]
    id: String,
    /// The list to go back to.
    #[server(default)]
    next: String,
) -> Result<Option<String>, FormError> {
    let call = current_call()?;
    let back = back_to(&next);
    let refuse = |call: &Call, error| call.refuse(Origin::new(SHOW_LINK, back.as_str()), error).map(|()| None);
    let Some(id) = MailId::parse(&id) else { return refuse(&call, FormError::NotFound) };
    let kept = match flows::kept_link(call.services(), call.scope(), &id).await {
        Ok(kept) => kept,
        Err(error) => return call.refuse_for(Origin::new(SHOW_LINK, back.as_str()), error).map(|()| None),
    };
    let link = format!("{}{}", call.public_url(), kept.link.path());
    if !call.is_form() {
        return Ok(Some(link));
    }
    let told = [("link", link), ("recipient", kept.mail.recipient), ("subject", kept.mail.subject)];
    call.tell(&back, (SHOW_LINK, told)).map(|()| None)
}

/// Sends a test mail to the admin who asks.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the list.
#[server(endpoint = "send-test-mail")]
pub async fn send_test_mail() -> Result<(), FormError> {
    let call = current_call()?;
    match flows::send_test_mail(call.services(), call.scope()).await {
        Ok(_) => call.go_on(&OwnPath::known(PAGE), Some(Done::TestMailWritten)),
        Err(error) => call.refuse_for(Origin::new("send-test-mail", PAGE), error),
    }
}

/// The list that a form names, if it is one.
fn back_to(next: &str) -> OwnPath {
    let is_list = next == PAGE || next.strip_prefix(PAGE).is_some_and(|query| query.starts_with('?'));
    OwnPath::parse(next).filter(|_| is_list).unwrap_or_else(|| OwnPath::known(PAGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_back_to_the_list_and_nowhere_else() {
        for (next, back) in [
            ("/dashboard/mail?state=failed&after=x", "/dashboard/mail?state=failed&after=x"),
            ("/dashboard/mail", PAGE),
            ("/dashboard/mails", PAGE),
            ("/account", PAGE),
            ("//evil.test", PAGE),
            ("", PAGE),
        ] {
            assert_eq!(back_to(next).as_str(), back);
        }
    }

    #[test]
    fn a_view_of_the_list_is_an_address() {
        let query = MailQuery { q: "a&b".to_owned(), state: "failed".to_owned(), ..MailQuery::default() };
        assert_eq!(query.address(&[("after", "x")]), "/dashboard/mail?q=a%26b&state=failed&after=x");
        assert_eq!(MailQuery::default().here(), PAGE);
        let unknown = MailQuery { state: "x".to_owned(), ..MailQuery::default() };
        assert!(unknown.state().is_none() && !unknown.is_filtered());
    }
}
