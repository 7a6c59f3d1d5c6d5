//! How one invite is shown to admins: overview, its links, how to end it, and the question before a grave act.

use leptos::prelude::*;

use crate::{
    platform::Timestamp,
    users::{Invite, InviteState},
    web::{
        http::{flash::Flash, next::query_value},
        state::PRODUCT,
        ui::{
            Alert, Badge, Button, ButtonKind, ButtonLink, ConfirmPanel, DashboardEntry, DashboardPage, Definition,
            DefinitionList, HiddenField, Link, Notice, PostForm, Section, TextArea, Viewer, When,
        },
        words::{self, invites as invite_words},
    },
};

/// A grave act that is asked about first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Revoke,
    Delete,
}

impl Question {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "revoke" => Some(Self::Revoke),
            "delete" => Some(Self::Delete),
            _ => None,
        }
    }
}

/// What the page shows besides the invite.
pub(super) struct Shown {
    pub link: Option<String>,
    pub question: Option<Question>,
    pub flash: Flash,
    pub is_mailed: bool,
    pub now: Timestamp,
}

#[component]
pub(super) fn InvitePage(viewer: Viewer, invite: Invite, shown: Shown) -> impl IntoView {
    let Shown { link, question, flash, is_mailed, now } = shown;
    let back = Link::new("/dashboard/invites", "Invites");
    let error = flash.error.as_ref().and_then(words::of_refusal);
    let question = question.map(|question| view! { <Asking question=question invite=invite.clone() /> });
    let title = invite.email.to_string();
    view! {
        <DashboardPage
            title=title
            product=PRODUCT
            viewer=viewer
            entry=DashboardEntry::Invites
            tab="Invite"
            back=back
        >
            {flash.done.map(|done| view! { <Notice>{words::of_done(done)}</Notice> })}
            {error.map(|error| view! { <Alert>{error}</Alert> })}
            {link.map(|link| view! { <NewLink link=link is_mailed=is_mailed /> })}
            {question}
            <Overview invite=invite.clone() is_mailed=is_mailed now=now />
            <Links invite=invite.clone() is_mailed=is_mailed now=now />
            <End invite=invite now=now />
        </DashboardPage>
    }
}

#[component]
fn NewLink(link: String, is_mailed: bool) -> impl IntoView {
    let mail = if is_mailed { "" } else { "No mail was sent: this server sends none. " };
    view! {
        <Section title="New link">
        <Notice>
            {mail} "Hand this link to the invited person alone: whoever has it can accept the invite. It is shown once."
        </Notice>
        <TextArea name="link" label="Link" rows=3 value=link readonly=true />
        </Section>
    }
}

#[component]
fn Asking(question: Question, invite: Invite) -> AnyView {
    let cancel = address_of(&invite);
    let email = invite.email.to_string();
    let id = invite.id.to_string();
    match question {
        Question::Revoke => view! {
            <ConfirmPanel
                title=format!("Revoke the invite for {email}?")
                action="/api/revoke-invite"
                confirm="Revoke invite"
                cancel=cancel
                danger=true
            >
                <p>"Its links stop working at once, and a mail that waits is not sent. You can invite them again."</p>
                <HiddenField name="id" value=id />
            </ConfirmPanel>
        }
        .into_any(),
        Question::Delete => view! {
            <ConfirmPanel
                title=format!("Delete the invite for {email}?")
                action="/api/delete-invite"
                confirm="Delete invite"
                cancel=cancel
                danger=true
            >
                <p>"Its links stop working at once, and it is gone from this list. An account that it made stays."</p>
                <HiddenField name="id" value=id />
            </ConfirmPanel>
        }
        .into_any(),
    }
}

#[component]
fn Overview(invite: Invite, is_mailed: bool, now: Timestamp) -> impl IntoView {
    let (tone, state) = invite_words::of_state(&invite, now);
    let moment = move |at: Timestamp| view! { <When iso=at.to_rfc3339() text=words::of_time(at, now) /> };
    let expires = match invite.state(now) {
        InviteState::Pending => invite_words::of_end(invite.expires_at, now),
        _ => words::date(invite.expires_at),
    };
    let accepted = invite.accepted_at.map(|at| view! { <Definition term="Accepted">{moment(at)}</Definition> });
    let revoked = invite.revoked_at.map(|at| view! { <Definition term="Revoked">{moment(at)}</Definition> });
    let inviter = invite_words::of_inviter(&invite);
    view! {
        <Section title="Overview">
            <DefinitionList>
                <Definition term="State"><Badge tone=tone text=state /></Definition>
                <Definition term="Role">{words::of_role(invite.role)}</Definition>
                <Definition term="Invited by"><bdi>{inviter}</bdi></Definition>
                <Definition term="Mail">{invite_words::of_mail(invite.mail, is_mailed)}</Definition>
                <Definition term="Created">{moment(invite.created_at)}</Definition>
                <Definition term="Expires"><When iso=invite.expires_at.to_rfc3339() text=expires /></Definition>
                {accepted}
                {revoked}
                <Definition term="Id"><code>{invite.id.to_string()}</code></Definition>
            </DefinitionList>
            {invite.note.map(|note| view! { <p class="said"><bdi>{note}</bdi></p> })}
        </Section>
    }
}

#[component]
fn Links(invite: Invite, is_mailed: bool, now: Timestamp) -> AnyView {
    let is_open =
        matches!(invite.state(now), InviteState::Pending | InviteState::Expired) && invite.lapsed_at.is_none();
    if !is_open {
        return ().into_any();
    }
    let (lead, again) = if is_mailed {
        ("Sending again makes a new link with a new end; the older ones go on to work until one is used.", "Send again")
    } else {
        ("No mail is sent here: make a link and hand it on. The older ones go on to work until one is used.", "Renew")
    };
    let id = invite.id.to_string();
    let copy = invite.is_valid(now).then(|| {
        let id = id.clone();
        view! {
            <PostForm action="/api/show-invite-link" inline=true>
                <HiddenField name="id" value=id />
                <Button kind=ButtonKind::Quiet>"Copy link"</Button>
            </PostForm>
        }
    });
    view! {
        <Section title="Links" lead=lead>
            <div class="form-actions">
                <PostForm action="/api/resend-invite" inline=true>
                    <HiddenField name="id" value=id />
                    <Button kind=ButtonKind::Quiet>{again}</Button>
                </PostForm>
                {copy}
            </div>
        </Section>
    }
    .into_any()
}

#[component]
fn End(invite: Invite, now: Timestamp) -> impl IntoView {
    let address = address_of(&invite);
    let may_revoke =
        matches!(invite.state(now), InviteState::Pending | InviteState::Expired) && invite.lapsed_at.is_none();
    let revoke = may_revoke.then(|| {
        view! { <ButtonLink href=format!("{address}?confirm=revoke") kind=ButtonKind::Quiet>"Revoke invite…"</ButtonLink> }
    });
    view! {
        <Section title="End" danger=true>
            <div class="form-actions">
                {revoke}
                <ButtonLink href=format!("{address}?confirm=delete") kind=ButtonKind::Danger>"Delete invite…"</ButtonLink>
            </div>
        </Section>
    }
}

fn address_of(invite: &Invite) -> String {
    format!("/dashboard/invites/{}", query_value(invite.id.as_str()).replace('/', "%2F"))
}
