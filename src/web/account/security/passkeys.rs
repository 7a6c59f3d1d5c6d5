//! The passkeys on `/account/security`: what one has, add one, call one something else, remove one. Adding needs JavaScript,
//! the rest does not. The last way in stays.

use leptos::prelude::*;
use serde_json::Value;

use crate::{
    auth::OwnPasskey,
    flows::{self, PasskeyChoice},
    islands::NewPasskey,
    platform::Timestamp,
    shared::{Field, FormError, MAX_PASSKEY_NAME_CHARS, PasskeyName, Problem, ProviderId},
    web::{
        http::{
            error::PageError,
            flash::{Done, Flash},
            form::{Call, Origin, current_call},
            next::OwnPath,
            scope::Asked,
        },
        state::WebState,
        ui::{
            Badge, Button, ButtonKind, Cell, Header, HiddenField, PostForm, Row, Section, Table, TextField, Tone, When,
        },
        words,
    },
};

const PAGE: &str = "/account/security";
const ADD: &str = "add-passkey";
const RENAME: &str = "rename-passkey";
const REMOVE: &str = "remove-passkey";
/// The name of a passkey that is refused.
const BAD_NAME: FormError = FormError::Invalid { field: Field::Name, problem: Problem::Invalid };

/// Says what a browser is to be asked, so that its device makes a passkey for who is logged in.
///
/// # Errors
/// A [`FormError`].
#[server(endpoint = "new-passkey-options")]
pub async fn new_passkey_options(
    /// The id of the provider.
    #[server(default)]
    provider: String,
) -> Result<Value, FormError> {
    let call = current_call()?;
    match flows::offer_passkey(call.services(), call.scope(), &ProviderId::new(provider)).await {
        Ok(options) => Ok(options),
        Err(error) => call.refuse_for(Origin::new(ADD, PAGE), error).map(|()| Value::Null),
    }
}

/// Adds a passkey to the account of the one who asks.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/account/security`.
#[server(endpoint = "add-passkey")]
pub async fn add_passkey(
    /// The id of the provider.
    #[server(default)]
    provider: String,
    /// What it is to be called.
    #[server(default)]
    name: String,
    /// What the browser has answered.
    #[server(default)]
    credential: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let origin = Origin::new(ADD, PAGE).keep("name", &name);
    let Some(name) = PasskeyName::parse(&name) else { return call.refuse(origin, BAD_NAME) };
    let new = (&ProviderId::new(provider), PasskeyChoice { name, credential });
    match flows::add_passkey(call.services(), call.scope(), new).await {
        Ok(()) => call.go_on(&OwnPath::known(PAGE), Some(Done::PasskeyAdded)),
        Err(flows::Error::NotProved(_) | flows::Error::UnknownProvider) => {
            call.refuse(origin, FormError::PasskeyNotAdded)
        }
        Err(error) => call.refuse_for(origin, error),
    }
}

/// Gives a passkey of the one who asks another name.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/account/security`.
#[server(endpoint = "rename-passkey")]
pub async fn rename_passkey(
    /// The id of the provider.
    #[server(default)]
    provider: String,
    /// The id of the passkey.
    #[server(default)]
    id: String,
    /// What it is to be called.
    #[server(default)]
    name: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let origin = Origin::new(RENAME, PAGE).keep("id", &id);
    let Some(name) = PasskeyName::parse(&name) else { return call.refuse(origin, BAD_NAME) };
    let which = (&ProviderId::new(provider), id.as_str());
    let renamed = flows::rename_passkey(call.services(), call.scope(), which, &name).await;
    answer(&call, origin, (renamed, Done::PasskeyRenamed))
}

/// Takes a passkey away from the account of the one who asks.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/account/security`.
#[server(endpoint = "remove-passkey")]
pub async fn remove_passkey(
    /// The id of the provider.
    #[server(default)]
    provider: String,
    /// The id of the passkey.
    #[server(default)]
    id: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let which = (&ProviderId::new(provider), id.as_str());
    let removed = flows::remove_passkey(call.services(), call.scope(), which).await;
    answer(&call, Origin::new(REMOVE, PAGE), (removed, Done::PasskeyRemoved))
}

fn answer(call: &Call, origin: Origin, (outcome, done): (Result<(), flows::Error>, Done)) -> Result<(), FormError> {
    match outcome {
        Ok(()) => call.go_on(&OwnPath::known(PAGE), Some(done)),
        // It is gone already.
        Err(flows::Error::NotFound | flows::Error::UnknownProvider) if call.is_form() => {
            call.go_on(&OwnPath::known(PAGE), None)
        }
        Err(flows::Error::UnknownProvider) => call.refuse(origin, FormError::NotFound),
        Err(error) => call.refuse_for(origin, error),
    }
}

/// The passkeys of the one who asks, and what the form for another holds.
pub struct PasskeyList {
    passkeys: Vec<OwnPasskey>,
    /// The provider by which one is added.
    provider: String,
    /// What another one is called unless its owner says otherwise.
    name: String,
    /// Why another one was refused its name.
    name_error: Option<String>,
    /// The passkey whose new name was refused, and why.
    refused: Option<(String, String)>,
    now: Timestamp,
}

impl PasskeyList {
    /// What there is; `None` where people have no passkeys.
    ///
    /// # Errors
    /// [`PageError`] if the database fails.
    pub async fn of(state: &WebState, asked: &Asked) -> Result<Option<Self>, PageError> {
        let Some(provider) = flows::passkey_provider(&state.services) else { return Ok(None) };
        let Asked { scope, flash, .. } = asked;
        let browser = || words::of_browser(scope.client.user_agent.as_deref());
        let error_of = |form| words::of_field(flash.error_of(form), Field::Name);
        let typed = |form, field| Flash::typed_in(flash, form, field).map(str::to_owned);
        Ok(Some(Self {
            passkeys: flows::own_passkeys(&state.services, scope).await?,
            provider: provider.id.to_string(),
            name: typed(ADD, "name").unwrap_or_else(browser),
            name_error: error_of(ADD),
            refused: typed(RENAME, "id").zip(error_of(RENAME)),
            now: scope.now,
        }))
    }
}

/// The passkeys of the one who asks.
#[component]
pub fn Passkeys(
    /// What there is.
    list: PasskeyList,
) -> impl IntoView {
    let PasskeyList { passkeys, provider, name, name_error, refused, now } = list;
    let headers = || {
        view! {
            <Header text="Passkey" />
            <Header text="Added" />
            <Header text="Last used" />
            <Header text="Actions" unseen=true />
        }
    };
    let has_some = !passkeys.is_empty();
    let rows = passkeys.into_iter().enumerate().map(move |(nth, passkey)| {
        let error = refused.as_ref().filter(|(id, _)| *id == passkey.id).map(|(_, error)| error.clone());
        view! { <PasskeyRow passkey=passkey place=(nth, now) error=error /> }
    });
    let rows = rows.collect_view();
    view! {
        <Section
            title="Passkeys"
            lead="Log in by finger, face or the code of your device, and type nothing. A passkey works on this site alone."
        >
            {has_some.then(|| view! { <Table caption="Your passkeys" headers=headers>{rows}</Table> })}
            <noscript>
                <p class="detail">"Adding a passkey needs JavaScript: your browser is asked to make one."</p>
            </noscript>
            <NewPasskey provider=provider name=name error=name_error />
        </Section>
    }
}

#[component]
fn PasskeyRow(passkey: OwnPasskey, place: (usize, Timestamp), error: Option<String>) -> impl IntoView {
    let (nth, now) = place;
    let kept = match (passkey.is_synced, passkey.may_be_synced) {
        (true, _) => "Synced",
        (false, true) => "Not synced yet",
        (false, false) => "On one device",
    };
    let tone = if passkey.is_synced { Tone::Accent } else { Tone::Neutral };
    let (name, added_at) = (passkey.name.clone(), passkey.added_at);
    let used = passkey.last_used_at.map_or_else(
        || "never".into_any(),
        |at| view! { <When iso=at.to_rfc3339() text=words::of_time(at, now) /> }.into_any(),
    );
    view! {
        <Row>
            <Cell>
                <strong><bdi>{name}</bdi></strong>
                " "
                <Badge tone=tone text=kept />
            </Cell>
            <Cell label="Added">
                <When iso=added_at.to_rfc3339() text=words::of_time(added_at, now) />
            </Cell>
            <Cell label="Last used">{used}</Cell>
            <Cell>
                <PasskeyActions passkey=passkey nth=nth error=error />
            </Cell>
        </Row>
    }
}

#[component]
fn PasskeyActions(passkey: OwnPasskey, nth: usize, error: Option<String>) -> impl IntoView {
    let OwnPasskey { provider, id, name, .. } = passkey;
    let (provider, is_open) = (provider.to_string(), error.is_some());
    let (remove, rename) = (format!("Remove {name}"), format!("Rename {name}"));
    let (its_provider, its_id) = (provider.clone(), id.clone());
    view! {
        <div class="passkey-actions">
            <details class="passkey-rename" open=is_open>
                <summary class="button button-quiet" aria-label=rename>
                    "Rename"
                </summary>
                <PostForm action="/api/rename-passkey">
                    <HiddenField name="provider" value=provider />
                    <HiddenField name="id" value=id />
                    <TextField
                        name="name"
                        label="Name"
                        id=format!("passkey-name-{nth}")
                        value=name
                        maxlength=u32::try_from(MAX_PASSKEY_NAME_CHARS).unwrap_or(u32::MAX)
                        error=error
                        required=true
                    />
                    <Button kind=ButtonKind::Quiet>"Save name"</Button>
                </PostForm>
            </details>
            <PostForm action="/api/remove-passkey" inline=true>
                <HiddenField name="provider" value=its_provider />
                <HiddenField name="id" value=its_id />
                <Button kind=ButtonKind::Quiet label=remove>"Remove"</Button>
            </PostForm>
        </div>
    }
}
