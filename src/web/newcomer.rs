//! What every form asks somebody who is about to have an account: names, e-mail, password. Registration, the first
//! start and whatever makes accounts share it, so that what was typed and what was wrong come back the same way.

use leptos::prelude::*;

use super::{
    http::{flash::Flash, form::Origin},
    ui::TextField,
    words,
};
use crate::{
    islands::PasswordField,
    shared::{EmailAddress, Field, FormError, PersonName, Problem},
    users::Profile,
};

/// Names as typed, checked.
///
/// # Errors
/// [`FormError::Invalid`] with the field that can't be a name.
pub fn read_profile(first_name: &str, last_name: &str) -> Result<Profile, FormError> {
    let read =
        |text, field| PersonName::parse(text).map_err(|_| FormError::Invalid { field, problem: Problem::Invalid });
    Ok(Profile { first_name: read(first_name, Field::FirstName)?, last_name: read(last_name, Field::LastName)? })
}

/// An e-mail address as typed, checked.
///
/// # Errors
/// [`FormError::Invalid`] for what is no address, or nothing.
pub fn read_email(typed: &str) -> Result<EmailAddress, FormError> {
    let problem = if typed.trim().is_empty() { Problem::Required } else { Problem::Invalid };
    EmailAddress::parse(typed).map_err(|_| FormError::Invalid { field: Field::Email, problem })
}

/// Keeps what a newcomer typed, the password excepted.
pub fn keep(origin: Origin, [first_name, last_name, email]: [&str; 3]) -> Origin {
    origin.keep("first_name", first_name).keep("last_name", last_name).keep("email", email)
}

/// What was typed into the form before, and what was wrong with it.
pub struct Newcomer {
    typed: [String; 3],
    errors: [Option<String>; 4],
    /// Why the form as a whole was refused.
    pub refusal: Option<String>,
    /// What was wrong with a token that goes with the form.
    pub code_error: Option<String>,
}

impl Newcomer {
    /// Reads what the answer before has left for this form.
    pub fn read(flash: &Flash, form: &str) -> Self {
        let error = flash.error_of(form);
        let typed = |field| flash.typed_in(form, field).unwrap_or_default().to_owned();
        let fields = [Field::FirstName, Field::LastName, Field::Email, Field::NewPassword];
        Self {
            typed: ["first_name", "last_name", "email"].map(typed),
            errors: fields.map(|field| words::of_field(error, field)),
            refusal: error.and_then(words::of_refusal),
            code_error: words::of_field(error, Field::Code),
        }
    }

    /// Whether anything was wrong.
    pub fn is_refused(&self) -> bool {
        self.refusal.is_some() || self.code_error.is_some() || self.errors.iter().any(Option::is_some)
    }
}

/// Names, e-mail and a new password.
#[component]
pub fn NewcomerFields(
    /// What was typed before.
    newcomer: Newcomer,
) -> impl IntoView {
    // Whoever was refused goes on where the error is.
    let is_new = !newcomer.is_refused();
    let [first_name, last_name, email] = newcomer.typed;
    let [first_name_error, last_name_error, email_error, password_error] = newcomer.errors;
    view! {
        <TextField
            name="first_name"
            label="First name"
            autocomplete="given-name"
            value=first_name
            error=first_name_error
            optional=true
            autofocus=is_new
        />
        <TextField
            name="last_name"
            label="Last name"
            autocomplete="family-name"
            value=last_name
            error=last_name_error
            optional=true
        />
        <TextField
            name="email"
            label="E-mail"
            kind="email"
            autocomplete="username"
            value=email
            error=email_error
            required=true
        />
        <PasswordField
            name="password".to_owned()
            label="Password".to_owned()
            autocomplete="new-password".to_owned()
            rules=true
            error=password_error
            email_field="email".to_owned()
        />
    }
}
