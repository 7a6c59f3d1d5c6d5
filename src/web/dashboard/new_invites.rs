//! `/dashboard/invites/new`: invite many at once. What was pasted is read, and what would come of it is shown before
//! anything is sent; both are answers to a form that is posted to this address, since 500 lines fit in no cookie. The
//! preview changes nothing.

mod pasted;
mod view;

use std::time::Duration;

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;

use crate::{
    flows::{self, Availability, Invitation, InviteTerms, RegistrationMode},
    shared::{EmailAddress, Field, FormError, Problem, Role},
    users::InviteNote,
    web::{
        http::{
            error::PageError,
            flash::Done,
            form::{Origin, current_call},
            next::OwnPath,
            page::page,
            scope::{LoggedIn, Manager},
        },
        newcomer::read_email,
        state::WebState,
        words,
    },
};

use pasted::{Line, Pasted};
use view::{FormPage, PreviewPage, Previewed, ResultPage, Row, Typed};

const CLOSED: &str = "Nobody can be invited now: registration is closed. Whoever runs this server can open it, or create \
    users at the command line.";
/// The name of the form that invites one.
const FORM: &str = "invite";

/// What is posted, as it was typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewInvites {
    /// One address a line, or a table.
    emails: String,
    /// The role.
    role: String,
    /// How long the invites last.
    expires_in: String,
    /// What is added.
    note: String,
    /// `send` after the preview.
    step: String,
}

impl NewInvites {
    fn terms(&self) -> Result<InviteTerms, FormError> {
        read_terms(&self.role, &self.expires_in, &self.note)
    }

    fn typed(self) -> Typed {
        Typed { emails: self.emails, role: self.role, expires_in: self.expires_in, note: self.note }
    }
}

fn read_terms(role: &str, expires_in: &str, note: &str) -> Result<InviteTerms, FormError> {
    let invalid = |field| FormError::Invalid { field, problem: Problem::Invalid };
    let role = if role.is_empty() { Ok(Role::Member) } else { role.parse() };
    let role = role.map_err(|_| invalid(Field::Role))?;
    let note = InviteNote::parse(note).map_err(|_| invalid(Field::Note))?;
    let expires_in = match expires_in.trim() {
        "" => None,
        text => Some(read_life(text).ok_or_else(|| invalid(Field::ExpiresIn))?),
    };
    Ok(InviteTerms { role, note, expires_in, ..InviteTerms::default() })
}

fn read_life(text: &str) -> Option<Duration> {
    let life = crate::platform::duration_text::parse(text).ok()?;
    flows::InviteSettings::BOUNDS.contains(&life).then_some(life)
}

/// `GET /dashboard/invites/new`.
///
/// # Errors
/// [`PageError::NotLoggedIn`], [`PageError::Forbidden`].
pub async fn show(State(state): State<WebState>, manager: Manager) -> Result<Response, PageError> {
    let Manager(logged_in) = manager;
    let is_closed = state.services.rules.registration.mode == RegistrationMode::Closed;
    let error = logged_in.asked.flash.error_of(FORM).cloned().or(is_closed.then_some(FormError::RegistrationClosed));
    let typed_in = |field| logged_in.asked.flash.typed_in(FORM, field).unwrap_or_default().to_owned();
    let typed = Typed {
        emails: typed_in("email"),
        role: typed_in("role"),
        expires_in: typed_in("expires_in"),
        note: typed_in("note"),
    };
    Ok(form_page(&state, &logged_in, typed, error))
}

fn form_page(state: &WebState, logged_in: &LoggedIn, typed: Typed, error: Option<FormError>) -> Response {
    let viewer = logged_in.viewer();
    let typed = typed.or_default_life(state.services.rules.invites.expires_in);
    page(state, &logged_in.asked, move || view! { <FormPage viewer=viewer typed=typed error=error /> })
}

/// `POST /dashboard/invites/new`: the preview, or the result of sending.
///
/// # Errors
/// [`PageError::NotLoggedIn`], [`PageError::Forbidden`], [`PageError::BadRequest`] for what is no form.
pub async fn answer(
    State(state): State<WebState>,
    manager: Manager,
    form: Result<Form<NewInvites>, FormRejection>,
) -> Result<Response, PageError> {
    let Manager(logged_in) = manager;
    let Form(new) = form.map_err(|refused| PageError::for_status(refused.status()))?;
    if state.services.rules.registration.mode == RegistrationMode::Closed {
        return Ok(refused(&state, &logged_in, new, FormError::RegistrationClosed));
    }
    let pasted = Pasted::read(&new.emails);
    let terms = match new.terms() {
        Ok(terms) => terms,
        Err(error) => return Ok(refused(&state, &logged_in, new, error)),
    };
    if pasted.addresses.is_empty() && pasted.wrong.is_empty() {
        let nothing = FormError::Invalid { field: Field::Email, problem: Problem::Required };
        return Ok(refused(&state, &logged_in, new, nothing));
    }
    if new.step == "send" {
        send(&state, &logged_in, (new, terms)).await
    } else {
        preview(&state, &logged_in, new).await
    }
}

fn refused(state: &WebState, logged_in: &LoggedIn, new: NewInvites, error: FormError) -> Response {
    let mut response = form_page(state, logged_in, new.typed(), Some(error));
    *response.status_mut() = http::StatusCode::BAD_REQUEST;
    response
}

async fn preview(state: &WebState, logged_in: &LoggedIn, new: NewInvites) -> Result<Response, PageError> {
    let pasted = Pasted::read(&new.emails);
    let (numbers, emails): (Vec<usize>, Vec<EmailAddress>) = pasted.addresses.into_iter().unzip();
    let judged = flows::availability(&state.services, &logged_in.asked.scope, &emails).await?;
    let mut previewed = Previewed { wrong: pasted.wrong, twice: pasted.twice, ..Previewed::default() };
    for ((number, email), availability) in numbers.into_iter().zip(emails).zip(judged) {
        let line = |email: EmailAddress| Line { number, text: email.into() };
        match availability {
            Availability::Ready => previewed.ready.push(email),
            Availability::HasAccount => previewed.users.push(line(email)),
            Availability::AlreadyInvited => previewed.invited.push(line(email)),
        }
    }
    let viewer = logged_in.viewer();
    let typed = new.typed().or_default_life(state.services.rules.invites.expires_in);
    Ok(page(state, &logged_in.asked, move || view! { <PreviewPage viewer=viewer typed=typed previewed=previewed /> }))
}

async fn send(
    state: &WebState,
    logged_in: &LoggedIn,
    (new, terms): (NewInvites, InviteTerms),
) -> Result<Response, PageError> {
    let emails: Vec<EmailAddress> = Pasted::read(&new.emails).addresses.into_iter().map(|(_, email)| email).collect();
    if emails.is_empty() || emails.len() > flows::MAX_INVITES_AT_ONCE {
        return preview(state, logged_in, new).await;
    }
    let scope = &logged_in.asked.scope;
    let answers = flows::invite_many(&state.services, scope, (&emails, &terms)).await?;
    let is_mailed = state.services.platform.outbox.is_sent();
    let link = |token: &str| format!("{}/link/{token}", state.site.public_url);
    let row = |(email, answer): (_, Result<flows::Invited, Availability>)| Row {
        email,
        link: answer.as_ref().ok().filter(|_| !is_mailed).map(|invited| link(invited.token.expose())),
        answer: answer.map(drop),
    };
    let rows: Vec<Row> = emails.into_iter().zip(answers).map(row).collect();
    let viewer = logged_in.viewer();
    Ok(page(state, &logged_in.asked, move || {
        view! { <ResultPage viewer=viewer rows=rows is_mailed=is_mailed /> }
    }))
}

/// Invites one person. Answers the link where no mail carries it.
///
/// # Errors
/// A [`FormError`], to scripts; a form goes back to the page where people are invited.
#[server(endpoint = "invite")]
pub async fn invite(
    /// To whom.
    #[server(default)]
    email: String,
    /// The role that is promised; a member's unless it is named.
    #[server(default)]
    role: String,
    /// How long it lasts: `7d`.
    #[server(default)]
    expires_in: String,
    /// What is added.
    #[server(default)]
    note: String,
) -> Result<String, FormError> {
    let call = current_call()?;
    let origin = Origin::new(FORM, "/dashboard/invites/new")
        .keep("email", &email)
        .keep("role", &role)
        .keep("expires_in", &expires_in)
        .keep("note", &note);
    let read = read_email(&email).and_then(|email| Ok((email, read_terms(&role, &expires_in, &note)?)));
    let (email, terms) = match read {
        Ok(read) => read,
        Err(error) => return call.refuse(origin, error).map(|()| String::new()),
    };
    let invited = match flows::invite(call.services(), call.scope(), Invitation { email, terms }).await {
        Ok(invited) => invited,
        Err(error) => return call.refuse_for(origin, error).map(|()| String::new()),
    };
    let page = OwnPath::parse(&format!("/dashboard/invites/{}", invited.id));
    let page = page.unwrap_or_else(|| OwnPath::known("/dashboard/invites"));
    call.go_on(&page, Some(Done::Invited))?;
    if call.is_form() || call.services().platform.outbox.is_sent() {
        return Ok(String::new());
    }
    Ok(call.url(&format!("/link/{}", invited.token.expose())))
}

/// Why the form was refused, for its top.
fn refusal(error: Option<&FormError>) -> Option<String> {
    match error {
        Some(FormError::RegistrationClosed) => Some(CLOSED.to_owned()),
        other => other.and_then(words::of_refusal),
    }
}
