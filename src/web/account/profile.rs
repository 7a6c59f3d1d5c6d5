//! `/account`: one's own names, and what else is known of one.

use axum::{extract::State, response::Response};
use leptos::prelude::*;

use crate::{
    flows,
    shared::{Field, FormError},
    users::User,
    web::{
        http::{
            error::PageError,
            flash::{Done, Flash},
            form::{Origin, current_call},
            next::OwnPath,
            page::page,
            scope::LoggedIn,
        },
        newcomer::read_profile,
        state::{PRODUCT, WebState},
        ui::{
            AccountEntry, AccountPage, Alert, Badge, Button, Definition, DefinitionList, Notice, PostForm, Section,
            TextField, Tone, Viewer, When,
        },
        words,
    },
};

const FORM: &str = "profile";

/// `GET /account`.
///
/// # Errors
/// [`PageError::NotLoggedIn`].
pub async fn show(State(state): State<WebState>, logged_in: LoggedIn) -> Result<Response, PageError> {
    let viewer = logged_in.viewer();
    let user = logged_in.resumed.user.clone();
    let flash = logged_in.asked.flash.clone();
    Ok(page(&state, &logged_in.asked, move || view! { <ProfilePage viewer=viewer user=user flash=flash /> }))
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

#[component]
fn ProfilePage(viewer: Viewer, user: User, flash: Flash) -> impl IntoView {
    let error = flash.error_of(FORM).cloned();
    let refusal = error.as_ref().and_then(words::of_refusal);
    let [first_error, last_error] =
        [Field::FirstName, Field::LastName].map(|field| words::of_field(error.as_ref(), field));
    let typed = |field: &str, stored: Option<String>| {
        flash.typed_in(FORM, field).map(str::to_owned).or(stored).unwrap_or_default()
    };
    let first_name = typed("first_name", user.first_name);
    let last_name = typed("last_name", user.last_name);
    let (tone, state) = match user.email_verified_at {
        Some(_) => (Tone::Good, "Confirmed"),
        None => (Tone::Neutral, "Not confirmed"),
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
