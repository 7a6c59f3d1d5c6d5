//! The ways to log in that the page offers: one whose form stands on it, and the others as buttons that lead to theirs. A
//! provider's form is made of the fields that it asks for; Latchkey's own stands in [`super`].

use leptos::prelude::*;

use crate::{
    auth::{
        Configured, Flow, InputField, InputKind,
        providers::{EMAILPASS, PASSKEY},
    },
    flows::{self, Services, USER},
    islands::PasswordField,
    shared::Field,
    web::{
        http::{flash::Flash, next::OwnPath, next::query_value},
        other_ways::{Mailed, ProviderLinks, ProviderShown, mark_of},
        ui::{HiddenField, OrDivider, ProviderLink, ProviderMark, TextField},
        words,
    },
};

/// The ways to log in.
pub(super) struct Ways {
    /// The one whose form stands on the page; `None` where people can't log in by a form.
    pub here: Option<Way>,
    /// The others.
    pub others: Vec<Way>,
}

/// One way to log in by a form.
#[derive(Clone)]
pub(super) struct Way {
    /// The id of the provider.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Whether it is the first of e-mail and password, whose form stands on the page where nothing is chosen.
    pub is_first: bool,
    /// Whether it is e-mail and password, for which the page has a form of its own.
    pub is_emailpass: bool,
    /// What is mailed, where one logs in by a mail.
    pub mail: Option<Mailed>,
    mark: ProviderMark,
    /// What it asks for.
    pub fields: &'static [InputField],
}

impl From<&Configured> for Way {
    fn from(configured: &Configured) -> Self {
        Self {
            id: configured.id.to_string(),
            name: configured.display_name.clone(),
            is_first: false,
            is_emailpass: configured.identifier == EMAILPASS,
            mail: Mailed::of(configured),
            mark: mark_of(configured.identifier),
            fields: configured.fields,
        }
    }
}

impl Ways {
    /// The ways of people, with the one first that was chosen; else e-mail and password, or what is configured first.
    pub(super) fn of(services: &Services, chosen: Option<&str>) -> Result<Self, flows::Error> {
        let mut all = all_ways(services)?;
        let at = |is_it: &dyn Fn(&Way) -> bool| all.iter().position(is_it);
        let here = chosen.and_then(|id| at(&|way| way.id == id)).or_else(|| at(&|way| way.is_emailpass));
        let here = here.or_else(|| (!all.is_empty()).then_some(0)).map(|at| all.remove(at));
        Ok(Self { here, others: all })
    }
}

/// The ways of people, in the order of the configuration.
fn all_ways(services: &Services) -> Result<Vec<Way>, flows::Error> {
    let all = flows::providers_of(services, USER)?.into_iter();
    // A passkey is no form: nothing is typed.
    let is_form = |way: &&Configured| way.flow != Flow::Redirect && way.identifier != PASSKEY;
    let mut all: Vec<Way> = all.filter(is_form).map(Way::from).collect();
    if let Some(first) = all.iter_mut().find(|way| way.is_emailpass) {
        first.is_first = true;
    }
    // Several of e-mail and password that are called alike can only be told apart by their ids.
    let names: Vec<String> = all.iter().map(|way| way.name.clone()).collect();
    for way in all.iter_mut().filter(|way| way.is_emailpass && !way.is_first) {
        if names.iter().filter(|name| **name == way.name).count() > 1 {
            way.name.clone_from(&way.id);
        }
    }
    Ok(all)
}

impl Way {
    /// The way of this provider; the first of e-mail and password where none is named.
    pub(super) fn find(services: &Services, id: Option<&str>) -> Result<Option<Self>, flows::Error> {
        let is_it = |way: &Self| id.map_or(way.is_emailpass, |id| way.id == id);
        Ok(all_ways(services)?.into_iter().find(is_it))
    }

    /// Where its form stands.
    pub(super) fn page(&self, next: Option<&OwnPath>) -> String {
        let next = next.map(|next| format!("&next={}", next.in_query())).unwrap_or_default();
        format!("/login?with={}{next}", query_value(&self.id))
    }
}

impl Way {
    /// What its page says first.
    pub(super) fn lead(&self, is_sent: bool) -> Option<&'static str> {
        self.mail.map(|mail| mail.lead(is_sent))
    }

    /// What its button says.
    pub(super) fn button(&self, is_sent: bool) -> &'static str {
        self.mail.map_or("Log in", |mail| mail.button(is_sent))
    }

    /// What the button says that leads to its page; beside mails, what is by e-mail is told by its password.
    fn invitation(&self, is_among_mails: bool) -> String {
        match self {
            Self { is_first: true, .. } if is_among_mails => "Log in with a password".to_owned(),
            Self { is_first: true, .. } => "Log in by e-mail".to_owned(),
            Self { mail: Some(_), name, .. } => format!("Continue with {name}"),
            Self { name, .. } => format!("Log in with {name}"),
        }
    }
}

/// The name of a provider's field in the form.
fn in_form(field: &InputField) -> String {
    format!("fields[{}]", field.name)
}

/// What a provider asks for, with what was typed before.
#[component]
pub(super) fn ProviderFields(way: Way, form: &'static str, flash: Flash) -> impl IntoView {
    let error = words::of_field(flash.error_of(form), Field::Email);
    let is_fresh = way.fields.iter().all(|field| flash.typed_in(form, field.name).is_none());
    let fields = way.fields.iter().enumerate().map(move |(nth, field)| match field.kind {
        InputKind::Secret => view! {
            <PasswordField
                name=in_form(field)
                label=field.label.to_owned()
                autocomplete="current-password".to_owned()
                rules=false
                error=None
            />
        }
        .into_any(),
        InputKind::Text | InputKind::Email => view! {
            <TextField
                name=in_form(field)
                label=field.label
                kind=if field.kind == InputKind::Email { "email" } else { "text" }
                autocomplete="username"
                value=flash.typed_in(form, field.name).unwrap_or_default().to_owned()
                error=error.clone().filter(|_| field.kind == InputKind::Email)
                required=true
                autofocus=is_fresh && nth == 0
            />
        }
        .into_any(),
    });
    view! {
        {fields.collect_view()}
        <HiddenField name="provider" value=way.id />
    }
}

/// The buttons of the other ways: other forms, and providers that people are sent to.
#[component]
pub(super) fn OtherWays(
    others: Vec<Way>,
    /// Whether the way whose form stands on the page is by mail.
    is_by_mail: bool,
    elsewhere: Vec<ProviderShown>,
    next: Option<OwnPath>,
    last_used: Option<String>,
) -> impl IntoView {
    (!others.is_empty() || !elsewhere.is_empty()).then(|| {
        let (to, last) = (next.clone(), last_used.clone());
        let is_among_mails = is_by_mail || others.iter().any(|way| way.mail.is_some());
        let buttons = others.into_iter().map(move |way| {
            let is_last_used = last.as_deref() == Some(way.id.as_str());
            let (mark, text) = (way.mark, way.invitation(is_among_mails));
            view! { <ProviderLink href=way.page(to.as_ref()) mark=mark text=text is_last_used=is_last_used /> }
        });
        view! {
            <OrDivider />
            <div class="ways">{buttons.collect_view()}</div>
            <ProviderLinks providers=elsewhere verb="Log in" next=next last_used=last_used />
        }
    })
}
