//! The list of mails, with what each can still do. Where no mail is sent the page says so, and hands out links instead.

use leptos::prelude::*;

use super::{MailQuery, PAGE};
use crate::{
    flows::Mails,
    platform::{
        Timestamp,
        outbox::{List, Mail, MailState},
    },
    web::{
        state::PRODUCT,
        ui::{
            Actions, Alert, Badge, Button, ButtonKind, ButtonLink, Cell, Choice, DashboardEntry, DashboardPage,
            EmptyState, FilterBar, Header, HiddenField, Notice, Pager, PostForm, Row, SearchField, Section,
            SelectField, Table, TextArea, Tone, TwoLines, Viewer, When,
        },
        words,
    },
};

/// What the page shows beside the list.
#[derive(Clone)]
pub(super) struct Shown {
    /// Whether mails leave at all.
    pub is_sent: bool,
    /// What was done before.
    pub notice: Option<String>,
    /// Why a form was refused.
    pub refusal: Option<String>,
    /// A link that was asked for, with recipient and subject of its mail.
    pub link: Option<((String, String), String)>,
    /// When it is.
    pub now: Timestamp,
}

#[component]
pub(super) fn MailPage(viewer: Viewer, query: MailQuery, mails: Mails, shown: Shown) -> impl IntoView {
    let is_sent = shown.is_sent;
    let lead = if is_sent {
        counts(&mails)
    } else {
        "No mail server is configured: mails are kept here. Copy their links and hand them on.".to_owned()
    };
    let actions = move || {
        is_sent.then(|| {
            view! {
                <PostForm action="/api/send-test-mail" inline=true>
                    <Button kind=ButtonKind::Quiet>"Send me a test mail"</Button>
                </PostForm>
            }
        })
    };
    let Shown { notice, refusal, link, .. } = shown.clone();
    view! {
        <DashboardPage
            title="Mail"
            product=PRODUCT
            viewer=viewer
            entry=DashboardEntry::Mail
            lead=lead
            actions=actions
        >
            {notice.map(|notice| view! { <Notice>{notice}</Notice> })}
            {refusal.map(|refusal| view! { <Alert>{refusal}</Alert> })}
            {link.map(|((link, recipient), subject)| view! { <LinkPanel link=link recipient=recipient subject=subject /> })}
            <Filters query=query.clone() />
            <MailList query=query list=mails.list shown=shown />
        </DashboardPage>
    }
}

fn counts(mails: &Mails) -> String {
    let count = |count: Option<i64>| count.map_or_else(|| "More than 1,000".to_owned(), |count| count.to_string());
    format!("{} waiting, {} failed.", count(mails.waiting), count(mails.failed))
}

#[component]
fn LinkPanel(link: String, recipient: String, subject: String) -> impl IntoView {
    let lead =
        format!("The link of the mail “{subject}”. Whoever opens it acts for {recipient}: give it to nobody else.");
    view! {
        <Section title="Link to hand on" lead=lead>
            <TextArea name="link" label=format!("Link for {recipient}") rows=3 value=link readonly=true />
        </Section>
    }
}

#[component]
fn Filters(query: MailQuery) -> impl IntoView {
    let states = [Choice::new("", "Any state")].into_iter();
    let states = states.chain(MailState::ALL.map(|state| Choice::new(state.as_str(), name(state)))).collect();
    let clear = query.is_filtered().then(|| PAGE.to_owned());
    view! {
        <FilterBar action=PAGE label="Filter mails" clear=clear>
            <SearchField label="Search recipients" value=query.q />
            <SelectField name="state" label="State" choices=states selected=query.state />
        </FilterBar>
    }
}

fn name(state: MailState) -> &'static str {
    match state {
        MailState::Waiting => "Waiting",
        MailState::Sent => "Sent",
        MailState::Failed => "Failed",
        MailState::Dropped => "Dropped",
    }
}

#[component]
fn MailList(query: MailQuery, list: List, shown: Shown) -> AnyView {
    if list.mails.is_empty() {
        return view! { <NothingListed query=query /> }.into_any();
    }
    let beside = |way: &'static str, mail: Option<&Mail>| mail.map(|mail| query.address(&[(way, mail.id.as_str())]));
    let previous = beside("before", list.mails.first().filter(|_| list.has_previous));
    let next = beside("after", list.mails.last().filter(|_| list.has_next));
    let count = format!("{} shown", list.mails.len());
    let headers = || {
        view! {
            <Header text="Recipient" />
            <Header text="State" />
            <Header text="Why" />
            <Header text="Written" />
            <Header text="Actions" unseen=true />
        }
    };
    let here = query.here();
    let rows = list.mails.into_iter().map(|mail| view! { <MailRow mail=mail here=here.clone() shown=shown.clone() /> });
    let rows = rows.collect_view();
    view! {
        <Table caption="Mails" headers=headers>{rows}</Table>
        <Pager previous=previous next=next count=count />
    }
    .into_any()
}

#[component]
fn NothingListed(query: MailQuery) -> AnyView {
    if !query.is_filtered() {
        return view! { <EmptyState title="No mails yet" text="What is written to people shows up here for 30 days." /> }
            .into_any();
    }
    view! {
        <EmptyState title="Nothing matches" text="No mail fits this search and this state.">
            <ButtonLink href=PAGE kind=ButtonKind::Quiet>"Clear filters"</ButtonLink>
        </EmptyState>
    }
    .into_any()
}

#[component]
fn MailRow(mail: Mail, here: String, shown: Shown) -> impl IntoView {
    let Shown { is_sent, now, .. } = shown;
    let (tone, state) = match mail.state {
        MailState::Waiting if !is_sent => (Tone::Warn, "Kept"),
        MailState::Waiting if mail.reason.is_some() => (Tone::Warn, "Put off"),
        MailState::Waiting => (Tone::Neutral, "Waiting"),
        MailState::Sent => (Tone::Good, "Sent"),
        MailState::Failed => (Tone::Bad, "Failed"),
        MailState::Dropped => (Tone::Neutral, "Dropped"),
    };
    let why = match mail.state {
        MailState::Dropped => Some("Its link had ended.".to_owned()),
        _ => mail.reason.clone(),
    };
    let may_retry = is_sent && mail.is_kept() && mail.expires_at > now && mail.reason.is_some();
    let has_link = mail.is_kept() && mail.has_link && mail.expires_at > now;
    let button = |does, text| view! { <MailButton mail=mail.clone() here=here.clone() does=does text=text /> };
    let retry = may_retry.then(|| button("retry-mail", "Try again"));
    let link = has_link.then(|| button("show-mail-link", "Copy link"));
    let actions = (may_retry || has_link).then(|| view! { <Actions>{retry}{link}</Actions> });
    let written = words::of_time(mail.created_at, now);
    view! {
        <Row>
            <Cell><TwoLines detail=mail.subject.clone()><bdi>{mail.recipient.clone()}</bdi></TwoLines></Cell>
            <Cell label="State"><Badge tone=tone text=state /></Cell>
            <Cell label="Why" wide=true>{why.map(|why| view! { <bdi>{why}</bdi> })}</Cell>
            <Cell label="Written"><When iso=mail.created_at.to_rfc3339() text=written /></Cell>
            <Cell>{actions}</Cell>
        </Row>
    }
}

#[component]
fn MailButton(mail: Mail, here: String, does: &'static str, text: &'static str) -> impl IntoView {
    let label = format!("{text}: {} to {}", mail.subject, mail.recipient);
    view! {
        <PostForm action=format!("/api/{does}") inline=true>
            <HiddenField name="id" value=mail.id.as_str() />
            <HiddenField name="next" value=here />
            <Button kind=ButtonKind::Quiet label=label>{text}</Button>
        </PostForm>
    }
}
