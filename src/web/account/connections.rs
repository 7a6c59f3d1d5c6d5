//! `/account/connections`: the ways in of one's account at other providers. One more is linked by going there; one is
//! unlinked as long as another is left.

use axum::{extract::State, response::Response};
use leptos::prelude::*;

use crate::{
    auth::Flow,
    flows::{self, Connection, Errand, Journey},
    shared::{FormError, ProviderId},
    web::{
        http::{
            error::PageError,
            flash::{Done, Flash},
            form::{Origin, current_call},
            next::OwnPath,
            page::page,
            scope::LoggedIn,
        },
        other_ways::{ProviderForms, ProviderShown, keeping, mark_of},
        state::{PRODUCT, WebState},
        ui::{
            AccountEntry, AccountPage, Alert, Button, ButtonKind, Cell, Header, HiddenField, Notice, PostForm,
            ProviderIcon, ProviderMark, Row, Section, Table, Viewer,
        },
        words,
    },
};

const PAGE: &str = "/account/connections";
const LINK: &str = "link-provider";
const UNLINK: &str = "unlink-provider";
const NOT_OFFERED: &str = "Not offered here any more";

/// `GET /account/connections`.
///
/// # Errors
/// [`PageError::NotLoggedIn`].
pub async fn show(State(state): State<WebState>, logged_in: LoggedIn) -> Result<Response, PageError> {
    let services = &state.services;
    let connections = flows::own_connections(services, &logged_in.asked.scope).await?;
    let usable = connections.iter().filter(|connection| connection.is_usable).count();
    let of_connection = |connection: Connection| {
        let configured = services.providers.get(&connection.provider);
        let mark = configured.map_or(ProviderMark::Key, |configured| mark_of(configured.identifier));
        let is_last = connection.is_usable && usable == 1;
        let may_unlink = (connection.flow == Flow::Redirect || connection.is_gone) && !is_last;
        Shown { connection, mark, may_unlink }
    };
    let list = Connections {
        shown: connections.into_iter().map(of_connection).collect(),
        providers: keeping(services)?,
        flash: logged_in.asked.flash.clone(),
    };
    let viewer = logged_in.viewer();
    Ok(page(&state, &logged_in.asked, move || view! { <ConnectionsPage viewer=viewer list=list /> }))
}

/// Sends the browser to a provider, whose account becomes a way in when it comes back.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/account/connections`.
#[server(endpoint = "link-provider")]
pub async fn link_provider(
    /// The id of the provider.
    #[server(default)]
    provider: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let origin = Origin::new(LINK, PAGE);
    let session = match call.resumed() {
        Ok(resumed) => resumed.session.id.clone(),
        Err(error) => return call.refuse(origin, error),
    };
    let journey = Journey { errand: Errand::Link { session }, next: Some(PAGE.to_owned()) };
    match call.send_away(&ProviderId::new(provider), &journey).await {
        Ok(()) => Ok(()),
        Err(flows::Error::NotProved(_) | flows::Error::UnknownProvider) => {
            call.refuse(origin, FormError::ProviderFailed)
        }
        Err(error) => call.refuse_for(origin, error),
    }
}

/// Takes a way in away from one's account.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/account/connections`.
#[server(endpoint = "unlink-provider")]
pub async fn unlink_provider(
    /// The id of the provider.
    #[server(default)]
    provider: String,
    /// What the provider knows the person by.
    #[server(default)]
    entity_id: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let which = (&ProviderId::new(provider), entity_id.as_str());
    match flows::unlink(call.services(), call.scope(), which).await {
        Ok(()) => call.go_on(&OwnPath::known(PAGE), Some(Done::Unlinked)),
        // It is gone already: what the person wanted.
        Err(flows::Error::NotFound) if call.is_form() => call.go_on(&OwnPath::known(PAGE), None),
        Err(error) => call.refuse_for(Origin::new(UNLINK, PAGE), error),
    }
}

struct Shown {
    connection: Connection,
    mark: ProviderMark,
    may_unlink: bool,
}

struct Connections {
    shown: Vec<Shown>,
    providers: Vec<ProviderShown>,
    flash: Flash,
}

#[component]
fn ConnectionsPage(viewer: Viewer, list: Connections) -> impl IntoView {
    let Connections { shown, providers, flash } = list;
    let refusal = [LINK, UNLINK].into_iter().find_map(|form| words::of_refusal(flash.error_of(form)?));
    let headers = || {
        view! {
            <Header text="Way in" />
            <Header text="Account" />
            <Header text="Actions" unseen=true />
        }
    };
    let rows = shown.into_iter().map(|shown| view! { <ConnectionRow shown=shown /> }).collect_view();
    view! {
        <AccountPage
            title="Connections"
            product=PRODUCT
            viewer=viewer
            entry=AccountEntry::Connections
            lead="How you can log in to this account."
        >
            {flash.done.map(|done| view! { <Notice>{words::of_done(done)}</Notice> })}
            {refusal.map(|refusal| view! { <Alert>{refusal}</Alert> })}
            <Table caption="Your ways in" headers=headers>{rows}</Table>
            {(!providers.is_empty())
                .then(|| {
                    view! {
                        <Section
                            title="Link another account"
                            lead="You go there, log in, and come back. Its e-mail address may be another one."
                        >
                            <ProviderForms providers=providers action="/api/link-provider" verb="Link" fields=Vec::new() />
                        </Section>
                    }
                })}
        </AccountPage>
    }
}

#[component]
fn ConnectionRow(shown: Shown) -> impl IntoView {
    let Shown { connection, mark, may_unlink } = shown;
    let Connection { provider, name, entity_id, account, is_usable, flow, is_passkey, .. } = connection;
    let label = format!("Unlink {name}");
    let note = match flow {
        _ if !is_usable => NOT_OFFERED,
        Flow::Mail => "For whoever reads the mail of your account",
        Flow::Credentials | Flow::Redirect => "The last way in can't be unlinked",
    };
    view! {
        <Row>
            <Cell>
                <span class="way">
                    <ProviderIcon mark=mark />
                    <strong>{words::at_start(&name)}</strong>
                </span>
            </Cell>
            <Cell label="Account" wide=true>
                <bdi>{account.unwrap_or_else(|| "unnamed".to_owned())}</bdi>
                {(may_unlink && !is_usable).then(|| view! { <p class="detail">{NOT_OFFERED}</p> })}
            </Cell>
            <Cell>
                {if may_unlink {
                    view! {
                        <PostForm action="/api/unlink-provider" inline=true>
                            <HiddenField name="provider" value=provider.to_string() />
                            <HiddenField name="entity_id" value=entity_id />
                            <Button kind=ButtonKind::Quiet label=label>"Unlink"</Button>
                        </PostForm>
                    }
                        .into_any()
                } else if flow != Flow::Credentials || !is_usable {
                    view! { <span class="detail">{note}</span> }.into_any()
                } else {
                    let text = if is_passkey { "Your passkeys" } else { "Change password" };
                    view! { <a href="/account/security">{text}</a> }.into_any()
                }}
            </Cell>
        </Row>
    }
}
