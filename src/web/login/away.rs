//! `/login/away`: leads to a provider after a form was sent, at once and by a link. A browser that follows the redirect of
//! a form to another site would be stopped by the policy of the form's page; this page may lead anywhere.

use axum::{extract::State, response::Response};
use http::{HeaderValue, header};
use leptos::prelude::*;

use crate::web::{
    http::{away::TOLD_AS, error::PageError, next::OwnPath, page::page, scope::Asked},
    other_ways::name_of,
    state::{PRODUCT, WebState},
    ui::{ButtonLink, MessagePage},
};

/// `GET /login/away`.
///
/// # Errors
/// [`PageError::NotFound`] for a browser that nobody has sent here.
pub async fn show(State(state): State<WebState>, asked: Asked) -> Result<Response, PageError> {
    let location = asked.flash.typed_in(TOLD_AS, "location").ok_or(PageError::NotFound)?.to_owned();
    // Sealed by this server, and judged all the same: a provider of somebody else has made it.
    let is_web = location.starts_with("https://") || location.starts_with("http://");
    if !is_web && OwnPath::parse(&location).is_none() {
        return Err(PageError::NotFound);
    }
    let name = name_of(&state.services, asked.flash.typed_in(TOLD_AS, "provider")).ok_or(PageError::NotFound)?;
    let refresh = HeaderValue::try_from(format!("0; url={location}")).map_err(|_| PageError::NotFound)?;
    let mut response = page(&state, &asked, move || {
        let text = format!("Taking you to {name}. If nothing happens, go on yourself.");
        view! {
            <MessagePage title="One moment" product=PRODUCT text=text>
                <ButtonLink href=location>{format!("Continue to {name}")}</ButtonLink>
            </MessagePage>
        }
    });
    response.headers_mut().insert(header::REFRESH, refresh);
    Ok(response)
}
