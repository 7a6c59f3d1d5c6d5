//! How one user is shown to admins: overview, sessions, role, access, and the question before a grave act.

use leptos::prelude::*;

use super::address_of;
use crate::{
    events::Scope,
    flows::UserDetails,
    platform::Timestamp,
    sessions::Session,
    shared::{Field, Role, UserId},
    users::User,
    web::{
        http::flash::Flash,
        state::PRODUCT,
        ui::{
            Alert, Badge, Button, ButtonKind, ButtonLink, Cell, Choice, ConfirmPanel, DashboardEntry, DashboardPage,
            Definition, DefinitionList, EmptyState, Header, HiddenField, Link, Notice, PostForm, Row, Section,
            SelectField, Table, TextField, Tone, Viewer, When,
        },
        words,
    },
};

/// A grave act that is asked about first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Disable,
    Delete,
}

impl Question {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "disable" => Some(Self::Disable),
            "delete" => Some(Self::Delete),
            _ => None,
        }
    }
}

/// What the page shows besides the user.
pub(super) struct Shown {
    pub question: Option<Question>,
    pub flash: Flash,
    pub scope: Scope,
}

#[component]
pub(super) fn UserPage(viewer: Viewer, details: UserDetails, shown: Shown) -> impl IntoView {
    let Shown { question, flash, scope } = shown;
    let UserDetails { user, ways_in, sessions } = details;
    let back = Link::new("/dashboard/users", "Users");
    let title = user.display_name();
    let error = flash.error.as_ref().and_then(words::of_refusal);
    let mut providers: Vec<String> = ways_in.into_iter().map(|way| way.provider.to_string()).collect();
    // Somebody may have several passkeys.
    providers.dedup();
    let is_self = scope.is(&user.id);
    let question = question
        .map(|question| view! { <Asking question=question user=user.clone() open_sessions=sessions.len() flash=flash.clone() /> });
    view! {
        <DashboardPage title=title product=PRODUCT viewer=viewer entry=DashboardEntry::Users tab="User" back=back>
            {flash.done.map(|done| view! { <Notice>{words::of_done(done)}</Notice> })}
            {error.map(|error| view! { <Alert>{error}</Alert> })}
            {question}
            <Overview user=user.clone() providers=providers now=scope.now />
            <Sessions user=user.id.clone() sessions=sessions now=scope.now />
            <Access user=user is_self=is_self flash=flash />
        </DashboardPage>
    }
}

#[component]
fn Asking(question: Question, user: User, open_sessions: usize, flash: Flash) -> AnyView {
    let cancel = address_of(&user.id);
    let name = user.display_name();
    let ends = match open_sessions {
        0 => "They have no open session.".to_owned(),
        1 => "Their open session ends at once.".to_owned(),
        _ => format!("Their {open_sessions} open sessions end at once."),
    };
    match question {
        Question::Disable => view! {
            <ConfirmPanel
                title=format!("Disable {name}?")
                action="/api/disable-user"
                confirm="Disable user"
                cancel=cancel
                danger=true
            >
                <p>{ends}" They can't log in until somebody enables them again. Nothing is deleted."</p>
                <HiddenField name="id" value=user.id.to_string() />
            </ConfirmPanel>
        }
        .into_any(),
        Question::Delete => {
            let error = words::of_field(flash.error_of("delete-user"), Field::Confirm);
            let typed = flash.typed_in("delete-user", "confirm").unwrap_or_default().to_owned();
            view! {
                <ConfirmPanel
                    title=format!("Delete {name}?")
                    action="/api/delete-user"
                    confirm="Delete user"
                    cancel=cancel
                    danger=true
                >
                    <p>
                        {ends}" The account, its ways to log in and its sessions are deleted for good. \
                        The address may be registered again and is then a new person."
                    </p>
                    <HiddenField name="id" value=user.id.to_string() />
                    <TextField
                        name="confirm"
                        label=format!("Type {} to confirm", user.email)
                        autocomplete="off"
                        value=typed
                        error=error
                        required=true
                        autofocus=true
                    />
                </ConfirmPanel>
            }
            .into_any()
        }
    }
}

#[component]
fn Overview(user: User, providers: Vec<String>, now: Timestamp) -> impl IntoView {
    let (status_tone, status) =
        if user.disabled_at.is_some() { (Tone::Bad, "Disabled") } else { (Tone::Good, "Active") };
    let (confirmed_tone, confirmed) =
        if user.email_verified_at.is_some() { (Tone::Good, "Confirmed") } else { (Tone::Warn, "Not confirmed") };
    let last_login = user.last_login_at.map_or_else(
        || view! { "never" }.into_any(),
        |at| view! { <When iso=at.to_rfc3339() text=words::of_time(at, now) /> }.into_any(),
    );
    let ways_in = if providers.is_empty() { "none".to_owned() } else { providers.join(", ") };
    view! {
        <Section title="Overview">
            <DefinitionList>
                <Definition term="E-mail">
                    <bdi>{user.email.to_string()}</bdi>" "<Badge tone=confirmed_tone text=confirmed />
                </Definition>
                <Definition term="Status"><Badge tone=status_tone text=status /></Definition>
                <Definition term="Role">{words::of_role(user.role)}</Definition>
                <Definition term="Ways in">{ways_in}</Definition>
                <Definition term="Last login">{last_login}</Definition>
                <Definition term="Created">
                    <When iso=user.created_at.to_rfc3339() text=words::date(user.created_at) />
                </Definition>
                <Definition term="Id"><code>{user.id.to_string()}</code></Definition>
            </DefinitionList>
        </Section>
    }
}

#[component]
fn Sessions(user: UserId, sessions: Vec<Session>, now: Timestamp) -> impl IntoView {
    let headers = || {
        view! {
            <Header text="Browser" />
            <Header text="IP address" />
            <Header text="Logged in" />
            <Header text="Last seen" />
        }
    };
    let is_empty = sessions.is_empty();
    let row = move |session: Session| {
        view! {
            <Row>
                <Cell>{words::of_browser(session.user_agent.as_deref())}</Cell>
                <Cell label="IP address">{session.ip.unwrap_or_else(|| "unknown".to_owned())}</Cell>
                <Cell label="Logged in">
                    <When iso=session.created_at.to_rfc3339() text=words::of_time(session.created_at, now) />
                </Cell>
                <Cell label="Last seen">
                    <When iso=session.last_seen_at.to_rfc3339() text=words::of_time(session.last_seen_at, now) />
                </Cell>
            </Row>
        }
    };
    let rows = sessions.into_iter().map(row).collect_view();
    let listed = if is_empty {
        view! { <EmptyState title="Not logged in" text="No session is open." /> }.into_any()
    } else {
        view! {
            <Table caption="Sessions" headers=headers>{rows}</Table>
            <PostForm action="/api/end-user-sessions" inline=true>
                <HiddenField name="id" value=user.to_string() />
                <Button kind=ButtonKind::Quiet>"Log out everywhere"</Button>
            </PostForm>
        }
        .into_any()
    };
    view! { <Section title="Sessions">{listed}</Section> }
}

#[component]
fn Access(user: User, is_self: bool, flash: Flash) -> AnyView {
    if is_self {
        return view! {
            <Section title="Access">
                <p>"This is your own account. Another admin can change its role, disable or delete it."</p>
            </Section>
        }
        .into_any();
    }
    let address = address_of(&user.id);
    let roles = Role::ALL.map(|role| Choice::new(role.as_str(), words::of_role(role))).to_vec();
    let role_error = words::of_field(flash.error_of("change-role"), Field::Role);
    let id = user.id.to_string();
    let switch = if user.disabled_at.is_some() {
        let id = id.clone();
        view! {
            <PostForm action="/api/enable-user" inline=true>
                <HiddenField name="id" value=id />
                <Button kind=ButtonKind::Quiet>"Enable user"</Button>
            </PostForm>
        }
        .into_any()
    } else {
        view! { <ButtonLink href=format!("{address}?confirm=disable") kind=ButtonKind::Quiet>"Disable user…"</ButtonLink> }.into_any()
    };
    view! {
        <Section title="Role" lead="Who loses rights is logged out everywhere.">
            <PostForm action="/api/change-role">
                <HiddenField name="id" value=id />
                <SelectField name="role" label="Role" choices=roles selected=user.role.as_str() error=role_error />
                <Button>"Change role"</Button>
            </PostForm>
        </Section>
        <Section title="Access" danger=true>
            <div class="form-actions">
                {switch}
                <ButtonLink href=format!("{address}?confirm=delete") kind=ButtonKind::Danger>"Delete user…"</ButtonLink>
            </div>
        </Section>
    }
    .into_any()
}
