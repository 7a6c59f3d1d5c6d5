//! `/login`: e-mail and password, or what another provider asks for (`?with=` its id). Whoever is logged in already is
//! asked whether to go on. What was typed survives an error, secrets excepted; `?next=` is a path of this site or nothing.

pub mod away;
pub mod passkey;
mod ways;

use std::collections::BTreeMap;

use axum::{
    extract::{Query, State},
    response::Response,
};
use http::HeaderMap;
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    http::{
        error::PageError,
        flash::Flash,
        form::{Call, Origin, current_call},
        next::{OwnPath, home_of},
        page::page,
        pending::{Awaited, Pending},
        scope::Asked,
    },
    newcomer::read_email,
    other_ways::{ProviderShown, name_of, redirecting},
    state::{PRODUCT, WebState},
    ui::{
        Alert, Button, ButtonKind, ButtonLink, CheckboxField, EntryPage, HiddenField, Notice, PostForm, Split,
        TextField,
    },
    words,
};
use crate::{
    auth::AuthInput,
    flows::{self, LogIn, Outcome, RegistrationMode},
    islands::{PasskeyLogIn, PasswordField},
    shared::{EmailAddress, FormError, ProviderId, SignInError, UserId},
};
use ways::{OtherWays, ProviderFields, Way, Ways};

/// The name of the form, as its server function is called.
const FORM: &str = "login";

/// What may follow `/login` in the address.
#[derive(Deserialize)]
pub struct LoginQuery {
    next: Option<String>,
    with: Option<String>,
    #[serde(rename = "use")]
    use_account: Option<String>,
    error: Option<String>,
    provider: Option<String>,
}

/// `GET /login`.
///
/// # Errors
/// [`PageError`] where the layers around it are missing.
pub async fn show(
    State(state): State<WebState>,
    asked: Asked,
    Query(query): Query<LoginQuery>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let next = query.next.as_deref().and_then(OwnPath::parse);
    let wants_another = query.use_account.as_deref() == Some("another");
    let error = refusal_of(&state, &asked, &query);
    if let Some((called, home)) = logged_in_as(&asked).filter(|_| !wants_another) {
        let view = move || view! { <AlreadyLoggedIn called=called home=home next=next error=error /> };
        return Ok(page(&state, &asked, view));
    }
    let form = LoginForm {
        passkey: flows::passkey_provider(&state.services).map(ProviderShown::from),
        next,
        ways: Ways::of(&state.services, query.with.as_deref())?,
        flash: asked.flash.clone(),
        is_remembered: asked.flash.typed_in(FORM, "remember").is_some(),
        error,
        elsewhere: redirecting(&state.services)?,
        last_used: state.away.last_way(&headers),
        notice: words::of_notice(&asked),
        may_register: state.services.rules.registration.mode == RegistrationMode::Open,
        is_sent: state.services.platform.outbox.is_sent(),
    };
    Ok(page(&state, &asked, move || view! { <LoginPage form=form /> }))
}

/// What went wrong, by what the answer before has left, else by the code in the address.
fn refusal_of(state: &WebState, asked: &Asked, query: &LoginQuery) -> Option<String> {
    let name = name_of(&state.services, query.provider.as_deref());
    let said = asked.flash.error_of(FORM).and_then(|error| words::of_provider_refusal(error, name.as_deref()));
    said.or_else(|| words::of_sign_in_error(SignInError::parse(query.error.as_deref()?)?, name.as_deref()))
}

/// What to call whoever is logged in, and where they start; who has no account here starts nowhere.
fn logged_in_as(asked: &Asked) -> Option<(String, Option<OwnPath>)> {
    let of_user = asked.resumed.as_ref().map(|resumed| (resumed.user.email.to_string(), Some(home_of(&resumed.user))));
    of_user.or_else(|| asked.guest.as_ref().map(|guest| (guest.user.display_name().to_owned(), None)))
}

/// Logs a person in by e-mail and password.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/login`.
#[server(endpoint = "login")]
pub async fn login(
    /// The e-mail address.
    #[server(default)]
    email: String,
    /// The password.
    #[server(default)]
    password: String,
    /// Whether to stay logged in when the browser is closed.
    #[server(default)]
    remember: Option<String>,
    /// Where to go on: a path of this site.
    #[server(default)]
    next: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let body = [("email".to_owned(), email), ("password".to_owned(), password)].into();
    log_in(&call, None, (body, remember.is_some()), &next).await
}

/// Logs a person in by what a provider asks for.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to its page.
#[server(endpoint = "login-with")]
pub async fn login_with(
    /// The id of the provider.
    #[server(default)]
    provider: String,
    /// What it asks for.
    #[server(default)]
    fields: BTreeMap<String, String>,
    /// Whether to stay logged in when the browser is closed.
    #[server(default)]
    remember: Option<String>,
    /// Where to go on: a path of this site.
    #[server(default)]
    next: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    log_in(&call, Some(&provider), (fields, remember.is_some()), &next).await
}

/// Logs in by the provider that was chosen; by e-mail and password where none was.
async fn log_in(
    call: &Call,
    chosen: Option<&str>,
    (body, is_remembered): (BTreeMap<String, String>, bool),
    next: &str,
) -> Result<(), FormError> {
    let way = match Way::find(call.services(), chosen) {
        Ok(Some(way)) => way,
        Ok(None) => return call.refuse(Origin::new(FORM, "/login"), FormError::Credentials),
        Err(error) => return call.refuse_for(Origin::new(FORM, "/login"), error),
    };
    let next = OwnPath::parse(next);
    let input = AuthInput { body, ..AuthInput::default() };
    let goes_on = next.as_ref().map(|next| next.as_str().to_owned());
    let provider = ProviderId::new(way.id.as_str());
    let wanted = LogIn { provider, input, is_remembered, next: goes_on, browser: None };
    match flows::log_in(call.services(), call.scope(), &wanted).await {
        Ok(Outcome::ByMail(mail)) => {
            call.set_pending(&Pending::log_in(&wanted, &mail, call.scope().now));
            call.go_on(&OwnPath::known("/link"), None)
        }
        Ok(outcome) => {
            if let_in(call, &wanted.provider, (outcome, next.clone())).await? {
                return Ok(());
            }
            call.refuse(origin(&way, &wanted, next.as_ref()), FormError::Credentials)
        }
        Err(error) => refuse(call, (&way, &wanted), (next.as_ref(), error)),
    }
}

/// Gives whoever was let in their cookie and sends them on; `false` for who must go elsewhere first.
async fn let_in(
    call: &Call,
    provider: &ProviderId,
    (outcome, next): (Outcome, Option<OwnPath>),
) -> Result<bool, FormError> {
    let (session, home) = match outcome {
        Outcome::LoggedIn(logged_in) => (logged_in.session, home_of(&logged_in.user)),
        Outcome::Guest(session) => (session, OwnPath::known("/login")),
        Outcome::Redirect(_) | Outcome::ByMail(_) => return Ok(false),
    };
    call.log_in(&session).await?;
    call.remember_way(provider);
    call.go_on(&next.unwrap_or(home), None)?;
    Ok(true)
}

/// Where a refused log-in goes back to, with what was typed and is no secret.
fn origin(way: &Way, wanted: &LogIn, next: Option<&OwnPath>) -> Origin {
    let back = match next {
        _ if !way.is_first => way.page(next),
        Some(next) => format!("/login?next={}", next.in_query()),
        None => "/login".to_owned(),
    };
    let mut origin = Origin::new(FORM, back);
    for field in way.fields.iter().filter(|field| !field.is_secret()) {
        origin = origin.keep(field.name, wanted.input.body.get(field.name).map_or("", String::as_str));
    }
    if wanted.is_remembered { origin.keep("remember", "true") } else { origin }
}

fn refuse(
    call: &Call,
    (way, wanted): (&Way, &LogIn),
    (next, error): (Option<&OwnPath>, flows::Error),
) -> Result<(), FormError> {
    let origin = origin(way, wanted, next);
    match error {
        flows::Error::EmailNotVerified { user, email } => {
            call.set_pending(&Pending::mail(Awaited::Confirmation { user }, email, call.scope().now));
            call.refuse(Origin::new(FORM, "/link"), FormError::EmailNotVerified)
        }
        flows::Error::NotProved(_) | flows::Error::InvalidData(_) if way.mail.is_some() => {
            let typed = wanted.input.body.get("email").map_or("", String::as_str);
            call.refuse(origin, read_email(typed).err().unwrap_or(FormError::NotRecognised))
        }
        flows::Error::NotProved(_) if !way.is_emailpass => call.refuse(origin, FormError::NotRecognised),
        error => call.refuse_for(origin, error),
    }
}

/// Lets somebody wait for the mail by which they confirm their address.
fn refuse_unconfirmed(call: &Call, user: UserId, email: EmailAddress) -> Result<(), FormError> {
    call.set_pending(&Pending::mail(Awaited::Confirmation { user }, email, call.scope().now));
    call.refuse(Origin::new(FORM, "/link"), FormError::EmailNotVerified)
}

struct LoginForm {
    passkey: Option<ProviderShown>,
    next: Option<OwnPath>,
    ways: Ways,
    flash: Flash,
    is_remembered: bool,
    elsewhere: Vec<ProviderShown>,
    last_used: Option<String>,
    error: Option<String>,
    notice: Option<String>,
    may_register: bool,
    is_sent: bool,
}

#[component]
fn LoginPage(form: LoginForm) -> impl IntoView {
    let register =
        form.next.as_ref().map_or_else(|| "/register".to_owned(), |next| format!("/register?next={}", next.in_query()));
    let foot =
        move || form.may_register.then(|| view! { <p>"New here? " <a href=register>"Create an account"</a></p> });
    let Ways { here, others } = form.ways;
    let title = here.as_ref().filter(|way| !way.is_first).map(|way| format!("Log in with {}", way.name));
    let title = title.unwrap_or_else(|| "Log in".to_owned());
    let is_refused = form.error.is_some() || form.flash.error_of(FORM).is_some();
    let tab = if is_refused { format!("{title}: that didn't work") } else { title.clone() };
    let is_by_mail = here.as_ref().is_some_and(|way| way.mail.is_some());
    let lead = here.as_ref().and_then(|way| way.lead(form.is_sent));
    let lead = lead.map(|lead| {
        let newcomers = if form.may_register { " If you have no account yet, it makes one." } else { "" };
        view! { <p class="lead">{lead}{newcomers}</p> }
    });
    let is_passkey_refused = matches!(form.flash.error_of(FORM), Some(FormError::PasskeyRefused));
    let (forms_next, flash, is_remembered) = (form.next.clone(), form.flash, form.is_remembered);
    let is_last_used = form.passkey.as_ref().is_some_and(|passkey| form.last_used.as_ref() == Some(&passkey.id));
    let passkeys_next = form.next.as_ref().map(|next| next.as_str().to_owned());
    let passkey = form.passkey.map(|passkey| {
        let text = format!("Log in with {}", in_sentence(&passkey.name));
        view! {
            <PasskeyLogIn
                provider=passkey.id
                text=text
                next=passkeys_next
                is_last_used=is_last_used
                is_refused=is_passkey_refused
            />
        }
    });
    let button = here.as_ref().map_or("Log in", |way| way.button(form.is_sent));
    let way = here.map(|way| {
        view! { <WayForm way=way next=forms_next flash=flash is_remembered=is_remembered button=button /> }
    });
    view! {
        <EntryPage title=title product=PRODUCT tab=tab foot=foot>
            {lead}
            {form.notice.map(|notice| view! { <Notice>{notice}</Notice> })}
            {form.error.map(|error| view! { <Alert>{error}</Alert> })}
            {passkey}
            {way}
            <OtherWays others=others is_by_mail=is_by_mail elsewhere=form.elsewhere next=form.next last_used=form.last_used />
        </EntryPage>
    }
}

/// Our own word in the middle of a sentence; the operator's stays as it is.
fn in_sentence(name: &str) -> &str {
    if name == "Passkey" { "a passkey" } else { name }
}

#[component]
fn WayForm(way: Way, next: Option<OwnPath>, flash: Flash, is_remembered: bool, button: &'static str) -> impl IntoView {
    let is_emailpass = way.is_first;
    let action = if is_emailpass { "/api/login" } else { "/api/login-with" };
    let next = next.as_ref().map(|next| next.as_str().to_owned());
    let fields = if is_emailpass {
        view! { <PasswordFields flash=flash /> }.into_any()
    } else {
        view! { <ProviderFields way=way form=FORM flash=flash /> }.into_any()
    };
    view! {
        <PostForm action=action>
            {fields}
            <Split>
                <CheckboxField name="remember" label="Keep me logged in on this device" checked=is_remembered />
                {is_emailpass.then(|| view! { <a href="/forgot-password">"Forgot password?"</a> })}
            </Split>
            {next.map(|next| view! { <HiddenField name="next" value=next /> })}
            <Button full=true>{button}</Button>
        </PostForm>
    }
}

#[component]
fn PasswordFields(flash: Flash) -> impl IntoView {
    let email = flash.typed_in(FORM, "email").unwrap_or_default().to_owned();
    let has_no_email = email.is_empty();
    view! {
        <TextField
            name="email"
            label="E-mail"
            kind="email"
            autocomplete="username webauthn"
            value=email
            required=true
            autofocus=has_no_email
        />
        <PasswordField
            name="password".to_owned()
            label="Password".to_owned()
            autocomplete="current-password".to_owned()
            rules=false
            error=None
        />
    }
}

#[component]
fn AlreadyLoggedIn(
    called: String,
    home: Option<OwnPath>,
    next: Option<OwnPath>,
    error: Option<String>,
) -> impl IntoView {
    let on = next.clone().or(home).map(|on| on.as_str().to_owned());
    let another = next
        .map_or_else(|| "/login?use=another".to_owned(), |next| format!("/login?use=another&next={}", next.in_query()));
    let lead = format!("You're logged in as {called}.");
    view! {
        <EntryPage title="Welcome back" product=PRODUCT lead=lead>
            {error.map(|error| view! { <Alert>{error}</Alert> })}
            {on.map(|on| view! { <ButtonLink href=on full=true>"Continue"</ButtonLink> })}
            <ButtonLink href=another kind=ButtonKind::Quiet full=true>"Use another account"</ButtonLink>
            <PostForm action="/api/logout">
                <Button kind=ButtonKind::Quiet full=true>"Log out"</Button>
            </PostForm>
        </EntryPage>
    }
}
