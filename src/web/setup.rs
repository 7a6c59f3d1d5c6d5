//! `/setup`: makes the first admin, on the first start only, for whoever has the token from the log. Once there is an
//! admin there is no such page any more.

#![expect(clippy::too_many_arguments, reason = "a server function takes the fields of its form")]

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
        next::{OwnPath, query_value},
        page::page,
        scope::Asked,
    },
    newcomer::{Newcomer, NewcomerFields, keep, read_email, read_profile},
    state::{PRODUCT, WebState},
    ui::{Alert, Button, EntryPage, PostForm, TextField},
};
use crate::{
    flows::{self, DirectUser},
    shared::{Field, FormError, Problem, Role},
};

const FORM: &str = "setup";

/// What may follow `/setup` in the address.
#[derive(Deserialize)]
pub struct SetupQuery {
    token: Option<String>,
}

/// `GET /setup`.
///
/// # Errors
/// [`PageError::NotFound`] once there is an admin.
pub async fn show(
    State(state): State<WebState>,
    asked: Asked,
    Query(query): Query<SetupQuery>,
) -> Result<Response, PageError> {
    if !flows::setup_is_open(&state.services).await? {
        return Err(PageError::NotFound);
    }
    let newcomer = Newcomer::read(&asked.flash, FORM);
    let token = query.token.unwrap_or_default();
    Ok(page(&state, &asked, move || view! { <SetupPage newcomer=newcomer token=token /> }))
}

/// Makes the first admin and logs them in.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to `/setup`.
#[server(endpoint = "setup")]
pub async fn setup(
    /// The token from the log.
    #[server(default)]
    token: String,
    /// The first name.
    #[server(default)]
    first_name: String,
    /// The last name.
    #[server(default)]
    last_name: String,
    /// The e-mail address.
    #[server(default)]
    email: String,
    /// The password.
    #[server(default)]
    password: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    let back = format!("/setup?token={}", query_value(&token));
    let origin = keep(Origin::new(FORM, back), [&first_name, &last_name, &email]);
    let read = read_profile(&first_name, &last_name).and_then(|profile| Ok((profile, read_email(&email)?)));
    let (profile, email) = match read {
        Ok(read) => read,
        Err(error) => return call.refuse(origin, error),
    };
    let new = DirectUser { email, profile, role: Role::Admin, password };
    match flows::set_up(call.services(), call.scope(), token.trim(), new).await {
        Ok(logged_in) => {
            call.log_in(&logged_in.session).await?;
            call.go_on(&OwnPath::known("/dashboard/users"), None)
        }
        Err(flows::Error::NotProved(_)) => {
            call.refuse(origin, FormError::Invalid { field: Field::Code, problem: Problem::Invalid })
        }
        Err(error) => call.refuse_for(origin, error),
    }
}

#[component]
fn SetupPage(newcomer: Newcomer, token: String) -> impl IntoView {
    let tab = if newcomer.is_refused() { "Welcome: that didn't work" } else { "Welcome" };
    let refusal = newcomer.refusal.clone();
    let code_error = newcomer.code_error.clone();
    view! {
        <EntryPage title="Welcome" product=PRODUCT tab=tab lead="Create the first admin. They manage everyone else.">
            {refusal.map(|refusal| view! { <Alert>{refusal}</Alert> })}
            <PostForm action="/api/setup">
                <TextField
                    name="token"
                    label="Setup token"
                    value=token
                    error=code_error
                    hint="It stands in the log of the server."
                    autocomplete="off"
                    required=true
                />
                <NewcomerFields newcomer=newcomer />
                <Button full=true>"Create admin"</Button>
            </PostForm>
        </EntryPage>
    }
}
