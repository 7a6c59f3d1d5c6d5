//! `/dashboard/audit`: what happened, by whom, to whom and from where. Filters and page stand in the address;
//! `/dashboard/audit/export` gives the same rows to programs.

mod export;

use axum::{
    extract::{Query, State},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use time::{Date, Month};

pub use export::export;

use crate::{
    events::{AuditEntry, AuditPage, EventKind},
    flows::{self, AuditQuestion, AuditView},
    platform::Timestamp,
    shared::EventId,
    web::{
        http::{error::PageError, next::query_value, page::page, scope::Manager},
        state::{PRODUCT, WebState},
        ui::{
            ButtonKind, ButtonLink, Cell, Choice, DashboardEntry, DashboardPage, EmptyState, FilterBar, Header, Pager,
            Row, SearchField, SelectField, Table, TextField, TwoLines, When,
        },
        words,
    },
};

const PAGE: &str = "/dashboard/audit";
/// How many events a page shows.
const LIMIT: u32 = 50;
/// A day, in microseconds.
const DAY_MICROS: i64 = 86_400_000_000;

/// The state of the log, as the address has it; what can't be read is as good as absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AuditQuery {
    q: String,
    kind: String,
    from: String,
    to: String,
    after: String,
    before: String,
}

impl AuditQuery {
    fn question(&self) -> AuditQuestion {
        AuditQuestion {
            kind: EventKind::parse(&self.kind),
            concerning: Some(self.q.trim().to_owned()).filter(|q| !q.is_empty() && !q.contains('\0')),
            from: day(&self.from),
            // The whole of the last day.
            to: day(&self.to).map(|at| Timestamp::from_micros(at.as_micros() + DAY_MICROS)),
        }
    }

    fn page(&self) -> AuditPage {
        match (EventId::parse(&self.after), EventId::parse(&self.before)) {
            (Some(after), _) => AuditPage::After(after),
            (None, Some(before)) => AuditPage::Before(before),
            (None, None) => AuditPage::First,
        }
    }

    fn is_filtered(&self) -> bool {
        self.question() != AuditQuestion::default()
    }

    /// An address with this state.
    fn address(&self, path: &str, more: &[(&str, &str)]) -> String {
        let state = [("q", &self.q), ("kind", &self.kind), ("from", &self.from), ("to", &self.to)];
        let pairs = state.into_iter().map(|(name, value)| (name, value.as_str())).chain(more.iter().copied());
        let pairs = pairs.filter(|(_, value)| !value.is_empty());
        let query: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", query_value(value))).collect();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
    }
}

/// The beginning of a day such as `2026-11-21`, in UTC.
fn day(text: &str) -> Option<Timestamp> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month = Month::try_from(parts.next()?.parse::<u8>().ok()?).ok()?;
    let date = Date::from_calendar_date(year, month, parts.next()?.parse().ok()?).ok()?;
    Some(Timestamp::from_micros(date.midnight().assume_utc().unix_timestamp() * 1_000_000))
}

/// `GET /dashboard/audit`.
///
/// # Errors
/// [`PageError::NotLoggedIn`], [`PageError::Forbidden`].
pub async fn show(
    State(state): State<WebState>,
    manager: Manager,
    Query(query): Query<AuditQuery>,
) -> Result<Response, PageError> {
    let Manager(logged_in) = manager;
    let scope = &logged_in.asked.scope;
    let found = flows::view_audit(&state.services, scope, (&query.question(), &query.page()), LIMIT).await?;
    let viewer = logged_in.viewer();
    Ok(page(&state, &logged_in.asked, move || {
        let download = query.address("/dashboard/audit/export", &[("format", "csv")]);
        let lines = query.address("/dashboard/audit/export", &[("format", "ndjson")]);
        let actions = move || {
            view! {
                <ButtonLink href=download kind=ButtonKind::Quiet>"Export CSV"</ButtonLink>
                <ButtonLink href=lines kind=ButtonKind::Quiet>"NDJSON"</ButtonLink>
            }
        };
        view! {
            <DashboardPage title="Audit log" product=PRODUCT viewer=viewer entry=DashboardEntry::Audit actions=actions>
                <Filters query=query.clone() />
                <Log query=query found=found />
            </DashboardPage>
        }
    }))
}

#[component]
fn Filters(query: AuditQuery) -> impl IntoView {
    let kinds = [Choice::new("", "Everything")].into_iter();
    let kinds = kinds.chain(EventKind::ALL.map(|kind| Choice::new(kind.as_str(), words::of_event(kind)))).collect();
    let clear = query.is_filtered().then(|| PAGE.to_owned());
    view! {
        <FilterBar action=PAGE label="Filter the audit log" clear=clear>
            <SearchField label="E-mail or id of a person" value=query.q />
            <SelectField name="kind" label="What" choices=kinds selected=query.kind />
            <TextField name="from" label="From" kind="date" value=query.from />
            <TextField name="to" label="To" kind="date" value=query.to />
        </FilterBar>
    }
}

#[component]
fn Log(query: AuditQuery, found: AuditView) -> AnyView {
    let AuditView { log, emails } = found;
    if log.entries.is_empty() {
        let text = "No event fits this search and these filters.";
        return view! {
            <EmptyState title="Nothing matches" text=text>
                <ButtonLink href=PAGE kind=ButtonKind::Quiet>"Clear filters"</ButtonLink>
            </EmptyState>
        }
        .into_any();
    }
    let previous = log
        .entries
        .first()
        .filter(|_| log.has_previous)
        .map(|entry| query.address(PAGE, &[("before", entry.id.as_str())]));
    let next =
        log.entries.last().filter(|_| log.has_next).map(|entry| query.address(PAGE, &[("after", entry.id.as_str())]));
    let count = format!("{} shown, newest first", log.entries.len());
    let headers = || {
        view! {
            <Header text="Time (UTC)" />
            <Header text="What" />
            <Header text="Who" />
            <Header text="Whom" />
            <Header text="From where" />
        }
    };
    let rows = log.entries.into_iter().map(move |entry| {
        let (who, whom) = (who(&entry, &emails), whom(&entry, &emails));
        view! { <Line entry=entry who=who whom=whom /> }
    });
    view! {
        <Table caption="Events" headers=headers>{rows.collect_view()}</Table>
        <Pager previous=previous next=next count=count />
    }
    .into_any()
}

type Emails = std::collections::BTreeMap<String, crate::shared::EmailAddress>;

/// What only the person whom it concerns can have done: it takes their password, or the mail that they read.
const BY_THE_PERSON: [EventKind; 3] =
    [EventKind::SessionCreated, EventKind::AuthEmailVerified, EventKind::AuthPasswordChanged];

/// Whether somebody who was not logged in has proved by it to be the user it is about.
fn is_by_its_user(entry: &AuditEntry) -> bool {
    let is_proof = EventKind::parse(&entry.kind).is_some_and(|kind| BY_THE_PERSON.contains(&kind));
    is_proof && entry.actor_type == "visitor" && entry.target_type == "user"
}

/// Who did it, in words.
fn who(entry: &AuditEntry, emails: &Emails) -> String {
    match (entry.actor_type.as_str(), &entry.actor_id) {
        ("user", Some(id)) => email_or_id(id, emails),
        // The command line has no address; whoever has the token in the log is the operator, too.
        ("operator", _) if entry.ip.is_some() => "Operator, first start".to_owned(),
        ("operator", _) => "Operator, command line".to_owned(),
        _ if is_by_its_user(entry) => whom(entry, emails),
        _ => "Visitor".to_owned(),
    }
}

/// To whom it was done, in words: somebody who is gone is named by what was written when they went.
fn whom(entry: &AuditEntry, emails: &Emails) -> String {
    let written = entry.details.get("email").and_then(serde_json::Value::as_str);
    match (entry.target_type.as_str(), &entry.target_id, written) {
        ("user", Some(id), None) => email_or_id(id, emails),
        ("user", Some(id), Some(written)) => emails.get(id).map_or_else(|| written.to_owned(), ToString::to_string),
        ("unknown", ..) => "Nobody known".to_owned(),
        (_, _, Some(written)) => written.to_owned(),
        (kind, Some(id), None) => format!("{} {id}", kind.replace('_', " ")),
        (_, None, None) => String::new(),
    }
}

fn email_or_id(id: &str, emails: &Emails) -> String {
    emails.get(id).map_or_else(|| format!("deleted user {id}"), ToString::to_string)
}

#[component]
fn Line(entry: AuditEntry, who: String, whom: String) -> impl IntoView {
    let what =
        EventKind::parse(&entry.kind).map_or_else(|| entry.kind.clone(), |kind| words::of_event(kind).to_owned());
    let detail = detail(&entry.details);
    let browser = entry.user_agent.as_deref().map(|text| words::of_browser(Some(text))).unwrap_or_default();
    let from = entry.ip.unwrap_or_else(|| "this machine".to_owned());
    view! {
        <Row>
            <Cell label="Time"><When iso=entry.at.to_rfc3339() text=words::of_stamp(entry.at) /></Cell>
            <Cell label="What"><TwoLines detail=detail>{what}</TwoLines></Cell>
            <Cell label="Who" wide=true><bdi>{who}</bdi></Cell>
            <Cell label="Whom" wide=true><bdi>{whom}</bdi></Cell>
            <Cell label="From where"><TwoLines detail=browser><bdi>{from}</bdi></TwoLines></Cell>
        </Row>
    }
}

/// What else there is to say, as `name: value`; ids say nothing to people, nor does that no session ended.
fn detail(details: &serde_json::Value) -> String {
    let Some(pairs) = details.as_object() else { return String::new() };
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let is_silent = |name: &str, value: &serde_json::Value| {
        name == "email" || name.ends_with("_id") || value.is_null() || (name == "ended_sessions" && *value == 0)
    };
    let shown = pairs.iter().filter(|(name, value)| !is_silent(name, value));
    shown.map(|(name, value)| format!("{}: {}", name.replace('_', " "), text(value))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_everything_else_is_absent() {
        assert_eq!(day("2026-11-21").unwrap().to_rfc3339(), "2026-11-21T00:00:00.000Z");
        for text in ["", "2026-11", "2026-13-01", "2026-02-30", "x-y-z", "99999999999-01-01", "2026-11-21T10:00"] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn a_view_of_the_log_is_an_address() {
        let query = AuditQuery { q: "a@b.c".to_owned(), kind: "user.created".to_owned(), ..AuditQuery::default() };
        assert_eq!(query.address(PAGE, &[("after", "x")]), "/dashboard/audit?q=a%40b.c&kind=user.created&after=x");
    }
}
