//! Pages of the account and of the dashboard: the frame with the right entry marked, a heading, and the content.

use leptos::prelude::*;

use super::{
    frame::{Area, Entry, Frame, Viewer},
    icon::ArrowLeft,
};

/// Somewhere to go, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The address.
    pub href: String,
    /// The words.
    pub text: String,
}

impl Link {
    /// Makes a link from an address and words.
    pub fn new(href: impl Into<String>, text: impl Into<String>) -> Self {
        Self { href: href.into(), text: text.into() }
    }
}

/// The pages of the account, in the order of its navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountEntry {
    /// `/account`
    Profile,
    /// `/account/security`
    Security,
    /// `/account/sessions`
    Sessions,
    /// `/account/connections`
    Connections,
}

impl AccountEntry {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Profile, "/account", "Profile"),
        (Self::Security, "/account/security", "Security"),
        (Self::Sessions, "/account/sessions", "Sessions"),
        (Self::Connections, "/account/connections", "Connections"),
    ];
}

/// The pages of the dashboard, in the order of its navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DashboardEntry {
    /// `/dashboard/users`
    Users,
    /// `/dashboard/invites`
    Invites,
    /// `/dashboard/audit`
    Audit,
    /// `/dashboard/mail`
    Mail,
    /// `/dashboard/webhooks`
    Webhooks,
    /// `/dashboard/system`
    System,
}

impl DashboardEntry {
    const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Users, "/dashboard/users", "Users"),
        (Self::Invites, "/dashboard/invites", "Invites"),
        (Self::Audit, "/dashboard/audit", "Audit log"),
        (Self::Mail, "/dashboard/mail", "Mail"),
        (Self::Webhooks, "/dashboard/webhooks", "Webhooks"),
        (Self::System, "/dashboard/system", "System"),
    ];
}

/// A page of `/account`.
#[component]
pub fn AccountPage(
    /// The heading, and the title of the tab unless `tab` says more.
    #[prop(into)]
    title: String,
    /// The product's name.
    #[prop(into)]
    product: String,
    /// The one who looks at it.
    viewer: Viewer,
    /// Which entry of the navigation it is.
    entry: AccountEntry,
    /// The title of the tab where it names the state too.
    #[prop(optional, into)]
    tab: Option<String>,
    /// A sentence under the heading.
    #[prop(optional, into)]
    lead: Option<String>,
    /// What the page holds, mostly `Section`s.
    children: Children,
) -> impl IntoView {
    let entries =
        AccountEntry::ALL.into_iter().map(|(it, href, text)| Entry { href, text, is_current: it == entry }).collect();
    let tab = tab.unwrap_or_else(|| title.clone());
    view! {
        <Frame title=tab product=product viewer=viewer area=Area::Account entries=entries>
            <div class="column">
                <PageHead title=title lead=lead />
                {children()}
            </div>
        </Frame>
    }
}

/// A page of `/dashboard`.
#[component]
pub fn DashboardPage(
    /// The heading, and the title of the tab unless `tab` says more.
    #[prop(into)]
    title: String,
    /// The product's name.
    #[prop(into)]
    product: String,
    /// The one who looks at it.
    viewer: Viewer,
    /// Which entry of the navigation it is, or belongs to.
    entry: DashboardEntry,
    /// The title of the tab where it names the state too.
    #[prop(optional, into)]
    tab: Option<String>,
    /// A sentence under the heading.
    #[prop(optional, into)]
    lead: Option<String>,
    /// The page above this one.
    #[prop(optional)]
    back: Option<Link>,
    /// Stands beside the heading: what can be done here.
    #[prop(optional, into)]
    actions: Option<ViewFnOnce>,
    /// What the page holds.
    children: Children,
) -> impl IntoView {
    let entries =
        DashboardEntry::ALL.into_iter().map(|(it, href, text)| Entry { href, text, is_current: it == entry }).collect();
    let tab = tab.unwrap_or_else(|| title.clone());
    view! {
        <Frame title=tab product=product viewer=viewer area=Area::Dashboard entries=entries>
            {back.map(|back| view! { <a class="back" href=back.href><ArrowLeft />{back.text}</a> })}
            <PageHead title=title lead=lead actions=actions />
            {children()}
        </Frame>
    }
}

#[component]
fn PageHead(title: String, lead: Option<String>, #[prop(default = None)] actions: Option<ViewFnOnce>) -> impl IntoView {
    view! {
        <header class="page-head">
            <div class="page-title">
                <h1><bdi>{title}</bdi></h1>
                {lead.map(|lead| view! { <p class="lead"><bdi>{lead}</bdi></p> })}
            </div>
            {actions.map(|actions| view! { <div class="page-actions">{actions.run()}</div> })}
        </header>
    }
}
