//! The other ways to log in, register or accept an invite: one button for each provider that people are sent to, and one
//! for each other form. Shared by the pages of people who are not in yet.

use leptos::prelude::*;

use super::{
    http::next::{OwnPath, query_value},
    ui::{HiddenField, PostForm, ProviderButton, ProviderLink, ProviderMark},
};
use crate::{
    auth::{
        Configured, Flow,
        providers::{EMAIL_CODE, EMAIL_LINK, EMAILPASS, PASSKEY},
    },
    flows::{self, Services, USER},
};

/// A provider as a page shows it.
#[derive(Clone, Debug)]
pub struct ProviderShown {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its mark.
    pub mark: ProviderMark,
}

impl From<&Configured> for ProviderShown {
    fn from(configured: &Configured) -> Self {
        let mark = mark_of(configured.identifier);
        Self { id: configured.id.to_string(), name: configured.display_name.clone(), mark }
    }
}

/// The mark of a kind of provider.
pub fn mark_of(identifier: &str) -> ProviderMark {
    match identifier {
        "google" => ProviderMark::Google,
        "github" => ProviderMark::GitHub,
        EMAILPASS | EMAIL_LINK => ProviderMark::Mail,
        EMAIL_CODE => ProviderMark::Code,
        PASSKEY => ProviderMark::Passkey,
        _ => ProviderMark::Key,
    }
}

/// What people are mailed who log in by a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailed {
    /// A link, with a code for another device.
    Link,
    /// A code alone.
    Code,
    /// What a provider of somebody else asks for.
    Other,
}

impl Mailed {
    /// What a provider mails; `None` for one that mails nothing.
    pub fn of(configured: &Configured) -> Option<Self> {
        let mailed = match configured.identifier {
            EMAIL_LINK => Self::Link,
            EMAIL_CODE => Self::Code,
            _ => Self::Other,
        };
        (configured.flow == Flow::Mail).then_some(mailed)
    }

    /// What its page says first.
    pub fn lead(self, is_sent: bool) -> &'static str {
        match (self, is_sent) {
            (_, false) => "This site sends no mail itself. Type your address, then ask an administrator for your link.",
            (Self::Link, true) => "Type your address, and we mail you a link that logs you in. It works once.",
            (Self::Code, true) => "Type your address, and we mail you a code that logs you in. It works once.",
            (Self::Other, true) => "Type your address, and we send you a mail that logs you in.",
        }
    }

    /// What its button says.
    pub fn button(self, is_sent: bool) -> &'static str {
        match (self, is_sent) {
            (_, false) => "Continue",
            (Self::Link, true) => "Mail me a link",
            (Self::Code, true) => "Mail me a code",
            (Self::Other, true) => "Send me a mail",
        }
    }
}

/// The providers that mail something to people.
///
/// # Errors
/// None, as long as people may log in at all.
pub fn mailing(services: &Services) -> Result<Vec<ProviderShown>, flows::Error> {
    let all = flows::providers_of(services, USER)?.into_iter();
    Ok(all.filter(|provider| provider.flow == Flow::Mail).map(ProviderShown::from).collect())
}

/// The providers that people are sent to.
///
/// # Errors
/// None, as long as people may log in at all.
pub fn redirecting(services: &Services) -> Result<Vec<ProviderShown>, flows::Error> {
    let all = flows::providers_of(services, USER)?.into_iter();
    Ok(all.filter(|provider| provider.flow == Flow::Redirect).map(ProviderShown::from).collect())
}

/// Those of them by which an account has a way in; of the people of the others nothing is kept.
///
/// # Errors
/// As [`redirecting`].
pub fn keeping(services: &Services) -> Result<Vec<ProviderShown>, flows::Error> {
    let all = flows::providers_of(services, USER)?.into_iter();
    let keeps = |provider: &&Configured| provider.flow == Flow::Redirect && provider.provider.keeps_accounts();
    Ok(all.filter(keeps).map(ProviderShown::from).collect())
}

/// What people call a provider that they may use.
pub fn name_of(services: &Services, id: Option<&str>) -> Option<String> {
    let all = flows::providers_of(services, USER).ok()?;
    all.into_iter().find(|provider| Some(provider.id.as_str()) == id).map(|provider| provider.display_name.clone())
}

/// Links that send people to providers, with a verb: "Log in", "Continue".
#[component]
pub fn ProviderLinks(
    /// The providers.
    providers: Vec<ProviderShown>,
    /// What they are for.
    verb: &'static str,
    /// Where people go on afterwards.
    next: Option<OwnPath>,
    /// The way that was used last in this browser.
    #[prop(optional_no_strip)]
    last_used: Option<String>,
) -> impl IntoView {
    let links = providers.into_iter().map(move |provider| {
        let next = next.as_ref().map(|next| format!("?next={}", next.in_query())).unwrap_or_default();
        let href = format!("/auth/signin/{}{next}", query_value(&provider.id));
        let is_last_used = last_used.as_deref() == Some(provider.id.as_str());
        let text = format!("{verb} with {}", provider.name);
        view! { <ProviderLink href=href mark=provider.mark text=text is_last_used=is_last_used /> }
    });
    view! { <div class="ways">{links.collect_view()}</div> }
}

/// Links to the pages where people type the address that something is mailed to.
#[component]
pub fn MailLinks(
    /// The providers.
    providers: Vec<ProviderShown>,
    /// Where people go on afterwards.
    next: Option<OwnPath>,
) -> impl IntoView {
    let links = providers.into_iter().map(move |provider| {
        let next = next.as_ref().map(|next| format!("&next={}", next.in_query())).unwrap_or_default();
        let href = format!("/login?with={}{next}", query_value(&provider.id));
        let text = format!("Continue with {}", provider.name);
        view! { <ProviderLink href=href mark=provider.mark text=text is_last_used=false /> }
    });
    view! { <div class="ways">{links.collect_view()}</div> }
}

/// Buttons that send people to providers for something that a form asks for.
#[component]
pub fn ProviderForms(
    /// The providers.
    providers: Vec<ProviderShown>,
    /// Where the forms are sent to.
    action: &'static str,
    /// What they are for.
    verb: &'static str,
    /// What is sent along.
    fields: Vec<(&'static str, String)>,
) -> impl IntoView {
    let forms = providers.into_iter().map(move |provider| {
        let fields = fields.clone().into_iter().map(|(name, value)| view! { <HiddenField name=name value=value /> });
        view! {
            <PostForm action=action>
                {fields.collect_view()}
                <HiddenField name="provider" value=provider.id />
                <ProviderButton mark=provider.mark text=format!("{verb} with {}", provider.name) full=true />
            </PostForm>
        }
    });
    view! { <div class="ways">{forms.collect_view()}</div> }
}
