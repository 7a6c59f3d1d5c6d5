//! `/account/sessions`: where one is logged in; log out one, or all others. A session that is ended is out at its next
//! request.

use axum::{extract::State, response::Response};
use leptos::prelude::*;

use crate::{
    flows,
    platform::Timestamp,
    sessions::Session,
    shared::{FormError, SessionId},
    web::{
        http::{
            error::PageError,
            flash::{Done, Flash},
            form::{Origin, current_call},
            next::OwnPath,
            page::page,
            scope::LoggedIn,
        },
        state::{PRODUCT, WebState},
        ui::{
            AccountEntry, AccountPage, Alert, Badge, Button, ButtonKind, Cell, Header, HiddenField, Notice, PostForm,
            Row, Table, Tone, Viewer, When,
        },
        words,
    },
};

const PAGE: &str = "/account/sessions";

/// `GET /account/sessions`.
///
/// # Errors
/// [`PageError::NotLoggedIn`].
pub async fn show(State(state): State<WebState>, logged_in: LoggedIn) -> Result<Response, PageError> {
    let list = SessionList {
        sessions: flows::own_sessions(&state.services, &logged_in.asked.scope).await?,
        current: logged_in.resumed.session.id.clone(),
        now: logged_in.asked.scope.now,
    };
    let viewer = logged_in.viewer();
    let flash = logged_in.asked.flash.clone();
    Ok(page(&state, &logged_in.asked, move || view! { <SessionsPage viewer=viewer list=list flash=flash /> }))
}

/// Ends one session of the one who asks.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/account/sessions`.
#[server(endpoint = "revoke-session")]
pub async fn revoke_session(
    /// Whose, or which.
    #[server(default)]
    id: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let Some(id) = SessionId::parse(&id) else {
        return call.refuse(Origin::new("revoke-session", PAGE), FormError::NotFound);
    };
    match flows::end_session(call.services(), call.scope(), &id).await {
        Ok(()) => call.go_on(&OwnPath::known(PAGE), Some(Done::SessionEnded)),
        // It has ended meanwhile: what the person wanted.
        Err(flows::Error::NotFound) if call.is_form() => call.go_on(&OwnPath::known(PAGE), None),
        Err(error) => call.refuse_for(Origin::new("revoke-session", PAGE), error),
    }
}

/// Ends all sessions of the one who asks but this one.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/account/sessions`.
#[server(endpoint = "revoke-other-sessions")]
pub async fn revoke_other_sessions() -> Result<(), FormError> {
    let call = current_call()?;
    match flows::end_other_sessions(call.services(), call.scope()).await {
        Ok(ended) => call.go_on(&OwnPath::known(PAGE), Some(Done::SessionsEnded(ended))),
        Err(error) => call.refuse_for(Origin::new("revoke-other-sessions", PAGE), error),
    }
}

struct SessionList {
    sessions: Vec<Session>,
    current: SessionId,
    now: Timestamp,
}

#[component]
fn SessionsPage(viewer: Viewer, list: SessionList, flash: Flash) -> impl IntoView {
    let SessionList { sessions, current, now } = list;
    let has_others = sessions.len() > 1;
    let headers = || {
        view! {
            <Header text="Browser" />
            <Header text="IP address" />
            <Header text="Logged in" />
            <Header text="Last seen" />
            <Header text="Actions" unseen=true />
        }
    };
    let rows = sessions
        .into_iter()
        .map(|session| {
            let is_current = session.id == current;
            view! { <SessionRow session=session is_current=is_current now=now /> }
        })
        .collect_view();
    let error = flash.error.as_ref().and_then(words::of_refusal);
    view! {
        <AccountPage
            title="Sessions"
            product=PRODUCT
            viewer=viewer
            entry=AccountEntry::Sessions
            lead="Where you are logged in. If you don't know one of these, log it out and change your password."
        >
            {flash.done.map(|done| view! { <Notice>{words::of_done(done)}</Notice> })}
            {error.map(|error| view! { <Alert>{error}</Alert> })}
            <Table caption="Your sessions" headers=headers>{rows}</Table>
            {has_others.then(|| {
                view! {
                    <PostForm action="/api/revoke-other-sessions" inline=true>
                        <Button kind=ButtonKind::Danger>"Log out everywhere else"</Button>
                    </PostForm>
                }
            })}
        </AccountPage>
    }
}

#[component]
fn SessionRow(session: Session, is_current: bool, now: Timestamp) -> impl IntoView {
    let browser = words::of_browser(session.user_agent.as_deref());
    let label = format!("Log out {browser}");
    let seen = if is_current { "now".to_owned() } else { words::of_time(session.last_seen_at, now) };
    view! {
        <Row>
            <Cell>
                <strong>{browser}</strong>
                {is_current.then(|| view! { " "<Badge tone=Tone::Accent text="This browser" /> })}
            </Cell>
            <Cell label="IP address">{session.ip.unwrap_or_else(|| "unknown".to_owned())}</Cell>
            <Cell label="Logged in">
                <When iso=session.created_at.to_rfc3339() text=words::of_time(session.created_at, now) />
            </Cell>
            <Cell label="Last seen">
                <When iso=session.last_seen_at.to_rfc3339() text=seen />
            </Cell>
            <Cell>
                {(!is_current).then(|| {
                    view! {
                        <PostForm action="/api/revoke-session" inline=true>
                            <HiddenField name="id" value=session.id.to_string() />
                            <Button kind=ButtonKind::Quiet label=label>"Log out"</Button>
                        </PostForm>
                    }
                })}
            </Cell>
        </Row>
    }
}
