//! `/login`: e-mail and password. Whoever is logged in already is asked whether to go on. What was typed survives an
//! error, the password excepted; `?next=` is a path of this site or nothing.

use axum::{
    extract::{Query, State},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    http::{
        error::PageError,
        form::{Origin, current_call},
        next::OwnPath,
        page::page,
        pending::{Awaited, Pending},
        scope::Asked,
    },
    newcomer::read_email,
    state::{PRODUCT, WebState},
    ui::{
        Alert, Button, ButtonKind, ButtonLink, CheckboxField, EntryPage, HiddenField, Notice, PostForm, Split,
        TextField,
    },
    words,
};
use crate::{
    auth::{AuthInput, providers::EMAILPASS},
    flows::{self, LogIn, Outcome, RegistrationMode},
    islands::PasswordField,
    shared::FormError,
    users::User,
};

/// The name of the form, as its server function is called.
const FORM: &str = "login";

/// What may follow `/login` in the address.
#[derive(Deserialize)]
pub struct LoginQuery {
    next: Option<String>,
    #[serde(rename = "use")]
    use_account: Option<String>,
}

/// `GET /login`.
///
/// # Errors
/// [`PageError`] where the layers around it are missing.
pub async fn show(
    State(state): State<WebState>,
    asked: Asked,
    Query(query): Query<LoginQuery>,
) -> Result<Response, PageError> {
    let next = query.next.as_deref().and_then(OwnPath::parse);
    let wants_another = query.use_account.as_deref() == Some("another");
    if let Some(resumed) = asked.resumed.as_ref().filter(|_| !wants_another) {
        let user = resumed.user.clone();
        return Ok(page(&state, &asked, move || view! { <AlreadyLoggedIn user=user next=next /> }));
    }
    let form = LoginForm {
        next,
        email: asked.flash.typed_in(FORM, "email").unwrap_or_default().to_owned(),
        is_remembered: asked.flash.typed_in(FORM, "remember").is_some(),
        error: asked.flash.error_of(FORM).and_then(words::of_refusal),
        notice: words::of_notice(&asked),
        may_register: state.services.rules.registration.mode == RegistrationMode::Open,
    };
    Ok(page(&state, &asked, move || view! { <LoginPage form=form /> }))
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
    let next = OwnPath::parse(&next);
    let back = next.as_ref().map_or_else(|| "/login".to_owned(), |next| format!("/login?next={}", next.in_query()));
    let mut origin = Origin::new(FORM, back).keep("email", &email);
    if remember.is_some() {
        origin = origin.keep("remember", "true");
    }
    let Some(provider) = call.services().providers.first_of(EMAILPASS).map(|provider| provider.id.clone()) else {
        return call.refuse(origin, FormError::Credentials);
    };
    let body = [("email".to_owned(), email.clone()), ("password".to_owned(), password)].into();
    let input = AuthInput { body, ..AuthInput::default() };
    let wanted = LogIn { provider, input, is_remembered: remember.is_some() };
    match flows::log_in(call.services(), call.scope(), &wanted).await {
        Ok(Outcome::LoggedIn(logged_in)) => {
            call.log_in(&logged_in.session).await?;
            call.go_on(&next.unwrap_or_else(|| home_of(&logged_in.user)), None)
        }
        Ok(Outcome::Redirect(_)) => call.refuse(origin, FormError::Credentials),
        Err(flows::Error::EmailNotVerified { user }) => {
            if let Ok(email) = read_email(&email) {
                call.set_pending(&Pending::mail(Awaited::Confirmation { user }, email, call.scope().now));
            }
            call.refuse(Origin::new(FORM, "/link"), FormError::EmailNotVerified)
        }
        Err(error) => call.refuse_for(origin, error),
    }
}

/// Where a user starts.
fn home_of(user: &User) -> OwnPath {
    let path = if user.role.may_manage_users() { "/dashboard/users" } else { "/account" };
    OwnPath::known(path)
}

struct LoginForm {
    next: Option<OwnPath>,
    email: String,
    is_remembered: bool,
    error: Option<String>,
    notice: Option<String>,
    may_register: bool,
}

#[component]
fn LoginPage(form: LoginForm) -> impl IntoView {
    let next = form.next.as_ref().map(|next| next.as_str().to_owned());
    let register =
        form.next.as_ref().map_or_else(|| "/register".to_owned(), |next| format!("/register?next={}", next.in_query()));
    let foot =
        move || form.may_register.then(|| view! { <p>"New here? " <a href=register>"Create an account"</a></p> });
    let has_no_email = form.email.is_empty();
    let tab = form.error.as_ref().map_or("Log in", |_| "Log in: that didn't work");
    view! {
        <EntryPage title="Log in" product=PRODUCT tab=tab foot=foot>
            {form.notice.map(|notice| view! { <Notice>{notice}</Notice> })}
            {form.error.map(|error| view! { <Alert>{error}</Alert> })}
            <PostForm action="/api/login">
                <TextField
                    name="email"
                    label="E-mail"
                    kind="email"
                    autocomplete="username webauthn"
                    value=form.email
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
                <Split>
                    <CheckboxField name="remember" label="Keep me logged in on this device" checked=form.is_remembered />
                    <a href="/forgot-password">"Forgot password?"</a>
                </Split>
                {next.map(|next| view! { <HiddenField name="next" value=next /> })}
                <Button full=true>"Log in"</Button>
            </PostForm>
        </EntryPage>
    }
}

#[component]
fn AlreadyLoggedIn(user: User, next: Option<OwnPath>) -> impl IntoView {
    let on = next.clone().unwrap_or_else(|| home_of(&user)).as_str().to_owned();
    let another = next
        .map_or_else(|| "/login?use=another".to_owned(), |next| format!("/login?use=another&next={}", next.in_query()));
    let lead = format!("You're logged in as {}.", user.email);
    view! {
        <EntryPage title="Welcome back" product=PRODUCT lead=lead>
            <ButtonLink href=on full=true>"Continue"</ButtonLink>
            <ButtonLink href=another kind=ButtonKind::Quiet full=true>"Use another account"</ButtonLink>
            <PostForm action="/api/logout">
                <Button kind=ButtonKind::Quiet full=true>"Log out"</Button>
            </PostForm>
        </EntryPage>
    }
}
