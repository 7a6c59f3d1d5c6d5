//! The endpoints and the list of deliveries, with what each can still do. Of an endpoint's address only scheme, host and
//! port are shown: what follows may be a secret.

use leptos::prelude::*;

use super::{PAGE, WebhooksQuery};
use crate::{
    events::deliveries::{Delivery, DeliveryList, DeliveryState},
    flows::{EndpointView, Webhooks},
    platform::Timestamp,
    web::{
        state::PRODUCT,
        ui::{
            Actions, Alert, Badge, Button, ButtonKind, ButtonLink, Cell, Choice, DashboardEntry, DashboardPage,
            EmptyState, FilterBar, Header, HiddenField, ListTitle, Notice, Pager, PostForm, Row, SelectField, Table,
            Tone, TwoLines, Viewer, When,
        },
        words,
    },
};

/// What the page shows beside the lists.
#[derive(Clone)]
pub(super) struct Shown {
    /// What was done before.
    pub notice: Option<String>,
    /// Why a form was refused.
    pub refusal: Option<String>,
    /// When it is.
    pub now: Timestamp,
}

#[component]
pub(super) fn WebhooksPage(viewer: Viewer, query: WebhooksQuery, webhooks: Webhooks, shown: Shown) -> impl IntoView {
    let Webhooks { endpoints, list } = webhooks;
    let Shown { notice, refusal, now } = shown;
    let lead = "Applications that are told of what happens here. Endpoints are set up in the configuration.";
    let known: Vec<String> = endpoints.iter().map(|endpoint| endpoint.id.clone()).collect();
    let told: Vec<String> =
        endpoints.iter().filter(|endpoint| endpoint.is_told).map(|endpoint| endpoint.id.clone()).collect();
    // What was sent to endpoints of before stays to be looked at.
    let has_deliveries = !known.is_empty() || !list.deliveries.is_empty() || query.is_filtered();
    let deliveries = has_deliveries.then(|| {
        view! {
            <ListTitle text="Deliveries" />
            <Filters query=query.clone() known=known />
            <Deliveries query=query list=list told=told now=now />
        }
    });
    view! {
        <DashboardPage title="Webhooks" product=PRODUCT viewer=viewer entry=DashboardEntry::Webhooks lead=lead>
            {notice.map(|notice| view! { <Notice>{notice}</Notice> })}
            {refusal.map(|refusal| view! { <Alert>{refusal}</Alert> })}
            <Endpoints endpoints=endpoints />
            {deliveries}
        </DashboardPage>
    }
}

#[component]
fn Endpoints(endpoints: Vec<EndpointView>) -> AnyView {
    if endpoints.is_empty() {
        let text = "An endpoint is a [[webhooks]] entry in the configuration, with id, url and secret.";
        return view! { <EmptyState title="No endpoints yet" text=text /> }.into_any();
    }
    let headers = || {
        view! {
            <Header text="Endpoint" />
            <Header text="State" />
            <Header text="Events" />
            <Header text="Deliveries" />
            <Header text="Actions" unseen=true />
        }
    };
    let rows = endpoints.into_iter().map(|endpoint| view! { <EndpointRow endpoint=endpoint /> }).collect_view();
    view! { <Table caption="Endpoints" headers=headers>{rows}</Table> }.into_any()
}

#[component]
fn EndpointRow(endpoint: EndpointView) -> impl IntoView {
    let EndpointView { id, origin, events, is_told, counts } = endpoint;
    let (tone, state) = match (is_told, counts.failed) {
        (false, _) => (Tone::Bad, "Gone"),
        (true, Some(0)) => (Tone::Good, "Active"),
        (true, _) => (Tone::Warn, "Active, with failures"),
    };
    let count = |count: Option<i64>| count.map_or_else(|| "more than 1,000".to_owned(), |count| count.to_string());
    let counted = format!("{} waiting, {} failed", count(counts.waiting), count(counts.failed));
    let events = if events.iter().any(|pattern| pattern == "*") { "All".to_owned() } else { events.join(", ") };
    let (name, label) = (id.clone(), format!("Send a test to {id}"));
    let test = is_told.then(|| {
        view! {
            <PostForm action="/api/send-test-webhook" inline=true>
                <HiddenField name="endpoint" value=id />
                <Button kind=ButtonKind::Quiet label=label>"Send a test"</Button>
            </PostForm>
        }
    });
    view! {
        <Row>
            <Cell><TwoLines detail=origin><bdi>{name}</bdi></TwoLines></Cell>
            <Cell label="State"><Badge tone=tone text=state /></Cell>
            <Cell label="Events">{events}</Cell>
            <Cell label="Deliveries">{counted}</Cell>
            <Cell>{test.map(|test| view! { <Actions>{test}</Actions> })}</Cell>
        </Row>
    }
}

#[component]
fn Filters(query: WebhooksQuery, known: Vec<String>) -> impl IntoView {
    let endpoints = [Choice::new("", "Any endpoint")].into_iter();
    let endpoints = endpoints.chain(known.into_iter().map(|id| Choice::new(id.clone(), id))).collect();
    let states = [Choice::new("", "Any state")].into_iter();
    let states = states.chain(DeliveryState::ALL.map(|state| Choice::new(state.as_str(), name(state)))).collect();
    let clear = query.is_filtered().then(|| PAGE.to_owned());
    view! {
        <FilterBar action=PAGE label="Filter deliveries" clear=clear>
            <SelectField name="endpoint" label="Endpoint" choices=endpoints selected=query.endpoint />
            <SelectField name="state" label="State" choices=states selected=query.state />
        </FilterBar>
    }
}

fn name(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Waiting => "Waiting",
        DeliveryState::Delivered => "Delivered",
        DeliveryState::Failed => "Failed",
    }
}

#[component]
fn Deliveries(query: WebhooksQuery, list: DeliveryList, told: Vec<String>, now: Timestamp) -> AnyView {
    if list.deliveries.is_empty() {
        return view! { <NothingListed query=query /> }.into_any();
    }
    let beside = |way: &'static str, one: Option<&Delivery>| one.map(|one| query.address(&[(way, one.id.as_str())]));
    let previous = beside("before", list.deliveries.first().filter(|_| list.has_previous));
    let next = beside("after", list.deliveries.last().filter(|_| list.has_next));
    let count = format!("{} shown", list.deliveries.len());
    let headers = || {
        view! {
            <Header text="Event" />
            <Header text="State" />
            <Header text="Last answer" />
            <Header text="Tries" />
            <Header text="Next try" />
            <Header text="Queued" />
            <Header text="Actions" unseen=true />
        }
    };
    let here = query.here();
    let row = |delivery: Delivery| {
        let is_told = told.contains(&delivery.endpoint);
        view! { <DeliveryRow delivery=delivery is_told=is_told here=here.clone() now=now /> }
    };
    let rows = list.deliveries.into_iter().map(row).collect_view();
    view! {
        <Table caption="Deliveries" headers=headers>{rows}</Table>
        <Pager previous=previous next=next count=count />
    }
    .into_any()
}

#[component]
fn NothingListed(query: WebhooksQuery) -> AnyView {
    if !query.is_filtered() {
        let text = "What happens from now on is sent, and shows up here for 30 days.";
        return view! { <EmptyState title="No deliveries yet" text=text /> }.into_any();
    }
    view! {
        <EmptyState title="Nothing matches" text="No delivery fits this endpoint and this state.">
            <ButtonLink href=PAGE kind=ButtonKind::Quiet>"Clear filters"</ButtonLink>
        </EmptyState>
    }
    .into_any()
}

#[component]
fn DeliveryRow(delivery: Delivery, is_told: bool, here: String, now: Timestamp) -> impl IntoView {
    let is_open = delivery.state == DeliveryState::Waiting;
    let (tone, state) = match delivery.state {
        DeliveryState::Waiting if delivery.attempts > 0 => (Tone::Warn, "Put off"),
        DeliveryState::Waiting => (Tone::Neutral, "Waiting"),
        DeliveryState::Delivered => (Tone::Good, "Delivered"),
        DeliveryState::Failed => (Tone::Bad, "Failed"),
    };
    let next = match delivery.due_at {
        due if is_open && due > now => view! { <When iso=due.to_rfc3339() text=words::of_end(due, now) /> }.into_any(),
        _ if is_open => "now".into_any(),
        _ => "–".into_any(),
    };
    let may_retry = is_told && (delivery.state == DeliveryState::Failed || (is_open && delivery.attempts > 0));
    let label = format!("Try again: {} to {}", delivery.kind, delivery.endpoint);
    let retry = may_retry.then(|| {
        view! {
            <PostForm action="/api/retry-delivery" inline=true>
                <HiddenField name="id" value=delivery.id.as_str() />
                <HiddenField name="next" value=here />
                <Button kind=ButtonKind::Quiet label=label>"Try again"</Button>
            </PostForm>
        }
    });
    let queued = words::of_time(delivery.created_at, now);
    view! {
        <Row>
            <Cell><TwoLines detail=format!("to {}", delivery.endpoint)><bdi>{delivery.kind}</bdi></TwoLines></Cell>
            <Cell label="State"><Badge tone=tone text=state /></Cell>
            <Cell label="Last answer"><bdi>{delivery.answer.unwrap_or_else(|| "–".to_owned())}</bdi></Cell>
            <Cell label="Tries">{delivery.attempts.to_string()}</Cell>
            <Cell label="Next try">{next}</Cell>
            <Cell label="Queued"><When iso=delivery.created_at.to_rfc3339() text=queued /></Cell>
            <Cell>{retry.map(|retry| view! { <Actions>{retry}</Actions> })}</Cell>
        </Row>
    }
}
