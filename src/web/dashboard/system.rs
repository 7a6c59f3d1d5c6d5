//! `/dashboard/system`: what runs, on what, and by which providers people come in. A provider that people are sent to can be
//! tried: whoever tries it sees what it tells of them, and what would be decided, and nothing is written.

use axum::{extract::State, response::Response};
use leptos::prelude::*;

use crate::{
    auth::Flow,
    flows::{self, Decision, Errand, Journey, ProviderView, Rehearsal, SystemView},
    platform::Dialect,
    shared::{FormError, ProviderId},
    web::{
        http::{
            error::PageError,
            flash::Flash,
            form::{Origin, current_call},
            page::page,
            scope::Manager,
        },
        other_ways::{mark_of, name_of},
        state::{PRODUCT, WebState},
        ui::{
            Alert, Button, ButtonKind, Cell, DashboardEntry, DashboardPage, Definition, DefinitionList, Header,
            HiddenField, PostForm, ProviderIcon, Row, Section, Table, Viewer,
        },
        words,
    },
};

const PAGE: &str = "/dashboard/system";
const FORM: &str = "rehearse-provider";

/// `GET /dashboard/system`.
///
/// # Errors
/// [`PageError::NotLoggedIn`], [`PageError::Forbidden`].
pub async fn show(State(state): State<WebState>, manager: Manager) -> Result<Response, PageError> {
    let Manager(logged_in) = manager;
    let view = flows::view_system(&state.services, &logged_in.asked.scope).await?;
    let flash = &logged_in.asked.flash;
    let name = name_of(&state.services, flash.typed_in(FORM, "provider"));
    let shown = Shown {
        refusal: flash.error_of(FORM).and_then(|error| words::of_provider_refusal(error, name.as_deref())),
        rehearsal: rehearsal_in(flash),
        reason: flash.typed_in(FORM, "reason").map(str::to_owned),
        tried: name.unwrap_or_default(),
    };
    let viewer = logged_in.viewer();
    Ok(page(&state, &logged_in.asked, move || view! { <SystemPage viewer=viewer view=view shown=shown /> }))
}

fn rehearsal_in(flash: &Flash) -> Option<Rehearsal> {
    serde_json::from_str(flash.typed_in(FORM, "rehearsal")?).ok()
}

/// Sends the browser to a provider, to see what would be decided.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/dashboard/system`.
#[server(endpoint = "rehearse-provider")]
pub async fn rehearse_provider(
    /// The id of the provider.
    #[server(default)]
    provider: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let origin = Origin::new(FORM, PAGE).keep("provider", &provider);
    if let Err(error) = call.resumed() {
        return call.refuse(origin, error);
    }
    if !call.scope().may_manage_users() {
        return call.refuse(origin, FormError::Forbidden);
    }
    let journey = Journey { errand: Errand::Rehearse, next: Some(PAGE.to_owned()) };
    match call.send_away(&ProviderId::new(provider), &journey).await {
        Ok(()) => Ok(()),
        Err(flows::Error::NotProved(reason)) => call.refuse(origin.keep("reason", &reason), FormError::ProviderFailed),
        Err(flows::Error::UnknownProvider | flows::Error::Busy { .. }) => {
            call.refuse(origin, FormError::ProviderFailed)
        }
        Err(error) => call.refuse_for(origin, error),
    }
}

struct Shown {
    refusal: Option<String>,
    rehearsal: Option<Rehearsal>,
    /// Why nothing came of the try.
    reason: Option<String>,
    tried: String,
}

#[component]
fn SystemPage(viewer: Viewer, view: SystemView, shown: Shown) -> impl IntoView {
    let Shown { refusal, rehearsal, reason, tried } = shown;
    let refusal = match reason {
        Some(reason) => Some(format!("Trying {tried} has led to nothing: {reason}.")),
        None => refusal,
    };
    let database = match view.database {
        Dialect::Sqlite => "SQLite",
        Dialect::Postgres => "PostgreSQL",
    };
    let migrations = match view.pending_migrations {
        0 => "all applied".to_owned(),
        pending => format!("{pending} to be applied: run `latchkey migrate`"),
    };
    let mail = if view.sends_mail { "is sent" } else { "stays here, for admins to hand links on" };
    let headers = || {
        view! {
            <Header text="Provider" />
            <Header text="Id" />
            <Header text="Kind" />
            <Header text="Actions" unseen=true />
        }
    };
    let rows = view.providers.into_iter().map(|provider| view! { <ProviderRow provider=provider /> }).collect_view();
    view! {
        <DashboardPage title="System" product=PRODUCT viewer=viewer entry=DashboardEntry::System>
            {refusal.map(|refusal| view! { <Alert>{refusal}</Alert> })}
            {rehearsal.map(|rehearsal| view! { <RehearsalShown rehearsal=rehearsal name=tried /> })}
            <Section title="What runs">
                <DefinitionList>
                    <Definition term="Version">{view.version}</Definition>
                    <Definition term="Database">{database}</Definition>
                    <Definition term="Migrations">{migrations}</Definition>
                    <Definition term="Mail">{mail}</Definition>
                </DefinitionList>
            </Section>
            <Section
                title="Ways in"
                lead="Try one that sends people elsewhere: you see what it tells of you and what would be decided. Nothing is written."
            >
                <Table caption="Configured providers" headers=headers>{rows}</Table>
            </Section>
        </DashboardPage>
    }
}

#[component]
fn ProviderRow(provider: ProviderView) -> impl IntoView {
    let ProviderView { id, kind, name, flow, is_for_users } = provider;
    let (label, shown_id) = (format!("Try {name}"), id.to_string());
    view! {
        <Row>
            <Cell>
                <span class="way">
                    <ProviderIcon mark=mark_of(kind) />
                    <strong>{words::at_start(&name)}</strong>
                </span>
            </Cell>
            <Cell label="Id"><code>{shown_id}</code></Cell>
            <Cell label="Kind">{kind}</Cell>
            <Cell>
                {(flow == Flow::Redirect && is_for_users)
                    .then(|| {
                        view! {
                            <PostForm action="/api/rehearse-provider" inline=true>
                                <HiddenField name="provider" value=id.to_string() />
                                <Button kind=ButtonKind::Quiet label=label>"Try it"</Button>
                            </PostForm>
                        }
                    })}
            </Cell>
        </Row>
    }
}

#[component]
fn RehearsalShown(rehearsal: Rehearsal, name: String) -> impl IntoView {
    let Rehearsal { entity_id, profile, decision, named } = rehearsal;
    let named = named.map(|named| match &named.name {
        Some(name) => format!("{name} ({})", named.id),
        None => named.id,
    });
    let claims = profile.into_iter().map(|(claim, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        view! { <Definition term=claim><bdi>{value}</bdi></Definition> }
    });
    view! {
        <Section title=format!("What {name} told") lead=words_of(&decision)>
            <DefinitionList>
                <Definition term="known as"><bdi>{entity_id}</bdi></Definition>
                {claims.collect_view()}
                {named.map(|named| view! { <Definition term="the application's user"><bdi>{named}</bdi></Definition> })}
            </DefinitionList>
        </Section>
    }
}

/// What would be decided, and why.
fn words_of(decision: &Decision) -> String {
    match decision {
        Decision::LogIn { email, must_confirm: false } => {
            format!("You would be logged in as {email}: this account there is linked to that account here.")
        }
        Decision::LogIn { email, must_confirm: true } => format!(
            "This account there is linked to the account {email} here. You would be refused until its address is confirmed \
             by a mailed link."
        ),
        Decision::Create { email, is_verified: true, .. } => format!(
            "An account for {email} would be made, with a confirmed address: nobody has it here, and the provider says that \
             it is yours."
        ),
        Decision::Create { email, is_verified: false, must_confirm } => {
            let then =
                if *must_confirm { " You would come in once you have confirmed it by a mailed link." } else { "" };
            format!(
                "An account for {email} would be made, and its address would not count as confirmed: the provider does not \
                 say that it is yours.{then}"
            )
        }
        Decision::TakeOver(email) => format!(
            "The account {email} would become yours, without its password and sessions: nobody has confirmed its address \
             here, and the provider says that it is yours."
        ),
        Decision::Guest => "You would come in, and nothing would be stored but the session.".to_owned(),
        Decision::NotLinked => {
            "You would be refused: an account with this address exists and this one is not linked to \
                                it. Its owner logs in first, and links it under Connections."
                .to_owned()
        }
        Decision::NoAddress => {
            "You would be refused: the provider tells no e-mail address, and no account can be made \
                                without one."
                .to_owned()
        }
        Decision::RegistrationClosed => {
            "You would be refused: you have no account here, and registration is not open.".to_owned()
        }
        Decision::DomainNotAllowed => {
            "You would be refused: nobody has this address here, and its domain may not register.".to_owned()
        }
        Decision::GuestNotAllowed => {
            "You would be refused: the provider tells no confirmed address of a domain that may register.".to_owned()
        }
        Decision::Disabled => "You would be refused: the account is turned off.".to_owned(),
        Decision::Refused => "You would be refused: the application's hook says no.".to_owned(),
    }
}
