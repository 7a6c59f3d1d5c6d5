//! `/dashboard/webhooks`: the endpoints and how they fare, what was sent to them and what came of it. Admins try again and
//! send tests; where an endpoint lies stands in the configuration. Endpoint, state and page stand in the address.

mod view;

use axum::{
    extract::{Query, State},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;

use crate::{
    events::deliveries::{DeliveryFilter, DeliveryPage, DeliveryState},
    flows,
    shared::{DeliveryId, FormError},
    web::{
        http::{
            error::PageError,
            flash::Done,
            form::{Origin, current_call},
            next::{OwnPath, query_value},
            page::page,
            scope::Manager,
        },
        state::WebState,
        words,
    },
};

use view::{Shown, WebhooksPage};

const PAGE: &str = "/dashboard/webhooks";
/// How many deliveries a page shows.
const LIMIT: u32 = 50;
const RETRY: &str = "retry-delivery";
const TEST: &str = "send-test-webhook";

/// The state of the list, as the address has it. What can't be read is as good as absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct WebhooksQuery {
    endpoint: String,
    state: String,
    after: String,
    before: String,
}

impl WebhooksQuery {
    fn filter(&self) -> DeliveryFilter {
        // A control character is in no name, and no database has to be asked for one.
        let endpoint = Some(self.endpoint.clone()).filter(|id| !id.is_empty() && !id.contains(char::is_control));
        DeliveryFilter { endpoint, state: DeliveryState::parse(&self.state) }
    }

    fn page(&self) -> DeliveryPage {
        match (DeliveryId::parse(&self.after), DeliveryId::parse(&self.before)) {
            (Some(after), _) => DeliveryPage::After(after),
            (None, Some(before)) => DeliveryPage::Before(before),
            (None, None) => DeliveryPage::First,
        }
    }

    fn is_filtered(&self) -> bool {
        self.filter() != DeliveryFilter::default()
    }

    /// The address of the list in this state, at another page.
    fn address(&self, page: &[(&str, &str)]) -> String {
        let state = [("endpoint", self.endpoint.as_str()), ("state", self.state.as_str())];
        let pairs = state.into_iter().chain(page.iter().copied()).filter(|(_, value)| !value.is_empty());
        let query: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", query_value(value))).collect();
        if query.is_empty() { PAGE.to_owned() } else { format!("{PAGE}?{}", query.join("&")) }
    }

    /// The address of the list as it is.
    fn here(&self) -> String {
        self.address(&[("after", &self.after), ("before", &self.before)])
    }
}

/// `GET /dashboard/webhooks`.
///
/// # Errors
/// [`PageError::NotLoggedIn`], [`PageError::Forbidden`].
pub async fn show(
    State(state): State<WebState>,
    manager: Manager,
    Query(query): Query<WebhooksQuery>,
) -> Result<Response, PageError> {
    let Manager(logged_in) = manager;
    let scope = &logged_in.asked.scope;
    let webhooks = flows::view_webhooks(&state.services, scope, &query.filter(), (&query.page(), LIMIT)).await?;
    let flash = &logged_in.asked.flash;
    let refusals = [RETRY, TEST].map(|form| flash.error_of(form));
    let shown = Shown {
        notice: words::of_notice(&logged_in.asked),
        refusal: refusals.into_iter().flatten().find_map(words::of_refusal),
        now: scope.now,
    };
    let viewer = logged_in.viewer();
    Ok(page(&state, &logged_in.asked, move || {
        view! { <WebhooksPage viewer=viewer query=query webhooks=webhooks shown=shown /> }
    }))
}

/// Sends a delivery again that failed or was put off.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the list.
#[server(endpoint = "retry-delivery")]
pub async fn retry_delivery(
    /// Which delivery.
    #[server(default)]
    id: String,
    /// The list to go back to.
    #[server(default)]
    next: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let back = back_to(&next);
    let origin = Origin::new(RETRY, back.as_str());
    let Some(id) = DeliveryId::parse(&id) else { return call.refuse(origin, FormError::NotFound) };
    match flows::retry_delivery(call.services(), call.scope(), &id).await {
        Ok(()) => call.go_on(&back, Some(Done::DeliveryRetried)),
        Err(error) => call.refuse_for(origin, error),
    }
}

/// Sends a test to an endpoint.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the list.
#[server(endpoint = "send-test-webhook")]
pub async fn send_test_webhook(
    /// Which endpoint.
    #[server(default)]
    endpoint: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let origin = Origin::new(TEST, PAGE);
    if endpoint.contains(char::is_control) {
        return call.refuse(origin, FormError::NotFound);
    }
    match flows::send_test_webhook(call.services(), call.scope(), &endpoint).await {
        Ok(()) => call.go_on(&OwnPath::known(PAGE), Some(Done::TestWebhookSent)),
        Err(error) => call.refuse_for(origin, error),
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
            ("/dashboard/webhooks?state=failed&after=x", "/dashboard/webhooks?state=failed&after=x"),
            ("/dashboard/webhooks", PAGE),
            ("/dashboard/mail", PAGE),
            ("//evil.test", PAGE),
            ("", PAGE),
        ] {
            assert_eq!(back_to(next).as_str(), back);
        }
    }

    #[test]
    fn a_view_of_the_list_is_an_address() {
        let query = WebhooksQuery { endpoint: "a&b".to_owned(), state: "failed".to_owned(), ..Default::default() };
        assert_eq!(query.address(&[("after", "x")]), "/dashboard/webhooks?endpoint=a%26b&state=failed&after=x");
        assert_eq!(WebhooksQuery::default().here(), PAGE);
        let odd = WebhooksQuery { endpoint: "\0".to_owned(), state: "x".to_owned(), ..Default::default() };
        assert!(!odd.is_filtered());
    }
}
