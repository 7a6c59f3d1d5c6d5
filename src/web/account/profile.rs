//! `/account`: one's own names, and what else is known of one.

use axum::{extract::State, response::Response};
use leptos::prelude::*;

use crate::{
    flows,
    islands::PasswordField,
    shared::{Field, FormError, Problem},
    users::User,
    web::{
        http::{
            error::PageError,
            flash::{Done, Flash},
            form::{Origin, current_call},
            next::OwnPath,
            page::page,
            pending::{Awaited, Pending},
            scope::LoggedIn,
        },
        newcomer::{read_email, read_profile},
        state::{PRODUCT, WebState},
        ui::{
            AccountEntry, AccountPage, Alert, Badge, Button, ButtonKind, ButtonLink, Definition, DefinitionList,
            Notice, PostForm, Section, TextField, Tone, Viewer, When,
        },
        words,
    },
};

const FORM: &str = "profile";
const EMAIL_FORM: &str = "change-email";

/// `GET /account`.
///
/// # Errors
/// [`PageError::NotLoggedIn`].
pub async fn show(State(state): State<WebState>, logged_in: LoggedIn) -> Result<Response, PageError> {
    let viewer = logged_in.viewer();
    let user = logged_in.resumed.user.clone();
    let flash = logged_in.asked.flash.clone();
    let has_password = flows::has_password(&state.services, &user.id).await?;
    let view = move || view! { <ProfilePage viewer=viewer user=user flash=flash has_password=has_password /> };
    Ok(page(&state, &logged_in.asked, view))
}

/// Changes the names of the one who asks.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/account`.
#[server(endpoint = "profile")]
pub async fn update_profile(
    /// The first name.
    #[server(default)]
    first_name: String,
    /// The last name.
    #[server(default)]
    last_name: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let origin = Origin::new(FORM, "/account").keep("first_name", &first_name).keep("last_name", &last_name);
    let profile = match read_profile(&first_name, &last_name) {
        Ok(profile) => profile,
        Err(error) => return call.refuse(origin, error),
    };
    match flows::update_profile(call.services(), call.scope(), &profile).await {
        Ok(()) => call.go_on(&OwnPath::known("/account"), Some(Done::ProfileSaved)),
        Err(error) => call.refuse_for(origin, error),
    }
}

/// Asks for a link at the address that the account is to have.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/account`.
#[server(endpoint = "change-email")]
pub async fn change_email(
    /// The new address.
    #[server(default)]
    email: String,
    /// The password, once more.
    #[server(default)]
    password: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let origin = Origin::new(EMAIL_FORM, "/account").keep("email", &email);
    let asking = match call.resumed() {
        Ok(asking) => asking.clone(),
        Err(error) => return call.refuse(origin, error),
    };
    let new = match read_email(&email) {
        Ok(new) => new,
        Err(error) => return call.refuse(origin, error),
    };
    match flows::request_email_change(call.services(), call.scope(), &asking, (password, new.clone())).await {
        Ok(()) => {
            call.set_pending(&Pending::mail(Awaited::NewEmail, new, call.scope().now));
            call.go_on(&OwnPath::known("/link"), None)
        }
        Err(flows::Error::NotProved(_)) => {
            call.refuse(origin, FormError::Invalid { field: Field::Password, problem: Problem::WrongPassword })
        }
        Err(flows::Error::InvalidData(_)) => call.refuse(origin, FormError::SameEmail),
        Err(error) => call.refuse_for(origin, error),
    }
}

#[component]
fn EmailSection(flash: Flash) -> impl IntoView {
    let error = flash.error_of(EMAIL_FORM).cloned();
    let refusal = error.as_ref().and_then(words::of_refusal);
    let [email_error, password_error] =
        [Field::Email, Field::Password].map(|field| words::of_field(error.as_ref(), field));
    let typed = flash.typed_in(EMAIL_FORM, "email").unwrap_or_default().to_owned();
    view! {
        <Section title="Your e-mail address" lead="The new one has to be confirmed; the old one is told.">
            {refusal.map(|refusal| view! { <Alert>{refusal}</Alert> })}
            <PostForm action="/api/change-email">
                <TextField
                    name="email"
                    label="New e-mail"
                    kind="email"
                    autocomplete="email"
                    value=typed
                    error=email_error
                    required=true
                />
                <PasswordField
                    name="password".to_owned()
                    label="Your password".to_owned()
                    autocomplete="current-password".to_owned()
                    rules=false
                    error=password_error
                />
                <Button kind=ButtonKind::Quiet>"Change e-mail"</Button>
            </PostForm>
        </Section>
    }
}

/// For who has come in by another provider alone, and so has nothing to confirm the change with.
#[component]
fn EmailNeedsPassword() -> impl IntoView {
    view! {
        <Section
            title="Your e-mail address"
            lead="A change of address is confirmed with your password, and your account has none. Set a password first."
        >
            <ButtonLink href="/account/security" kind=ButtonKind::Quiet>"Set a password"</ButtonLink>
        </Section>
    }
}

#[component]
fn ProfilePage(viewer: Viewer, user: User, flash: Flash, has_password: bool) -> impl IntoView {
    let error = flash.error_of(FORM).cloned();
    let refusal = error.as_ref().and_then(words::of_refusal);
    let [first_error, last_error] =
        [Field::FirstName, Field::LastName].map(|field| words::of_field(error.as_ref(), field));
    let typed = |field: &str, stored: Option<String>| {
        flash.typed_in(FORM, field).map(str::to_owned).or(stored).unwrap_or_default()
    };
    let email_section = if has_password {
        view! { <EmailSection flash=flash.clone() /> }.into_any()
    } else {
        view! { <EmailNeedsPassword /> }.into_any()
    };
    let first_name = typed("first_name", user.first_name);
    let last_name = typed("last_name", user.last_name);
    let (tone, state) = match user.email_verified_at {
        Some(_) => (Tone::Good, "Confirmed"),
        None => (Tone::Warn, "Not confirmed"),
    };
    view! {
        <AccountPage title="Profile" product=PRODUCT viewer=viewer entry=AccountEntry::Profile>
            {flash.done.map(|done| view! { <Notice>{words::of_done(done)}</Notice> })}
            {refusal.map(|refusal| view! { <Alert>{refusal}</Alert> })}
            <Section title="Your name" lead="This is how others see you.">
                <PostForm action="/api/profile">
                    <TextField
                        name="first_name"
                        label="First name"
                        autocomplete="given-name"
                        value=first_name
                        error=first_error
                        optional=true
                    />
                    <TextField
                        name="last_name"
                        label="Last name"
                        autocomplete="family-name"
                        value=last_name
                        error=last_error
                        optional=true
                    />
                    <Button>"Save"</Button>
                </PostForm>
            </Section>
            {email_section}
            <Section title="Your account">
                <DefinitionList>
                    <Definition term="E-mail">
                        <bdi>{user.email.to_string()}</bdi>" "<Badge tone=tone text=state />
                    </Definition>
                    <Definition term="Role">{words::of_role(user.role)}</Definition>
                    <Definition term="Member since">
                        <When iso=user.created_at.to_rfc3339() text=words::date(user.created_at) />
                    </Definition>
                </DefinitionList>
            </Section>
        </AccountPage>
    }
}
