//! What stands around every page of someone who is logged in: the top bar with the viewer's menu, and the list of
//! neighbouring pages beside the content. The menu is a `<details>`, so it opens without a script.

use leptos::prelude::*;

use super::{
    avatar::Avatar,
    document::Document,
    icon::{ChevronDown, Mark},
};

/// The one who looks at a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The full name; empty for someone who gave none.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// Whether the dashboard is open to them.
    pub may_manage_users: bool,
}

impl Viewer {
    /// The name, or the e-mail address of someone without one.
    pub fn called(&self) -> &str {
        if self.name.trim().is_empty() { &self.email } else { &self.name }
    }
}

/// The two halves of what a person sees when logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    Account,
    Dashboard,
}

/// An entry of the side navigation.
pub(super) struct Entry {
    pub href: &'static str,
    pub text: &'static str,
    pub is_current: bool,
}

/// A document with top bar and side navigation.
#[component]
pub(super) fn Frame(
    title: String,
    product: String,
    viewer: Viewer,
    area: Area,
    entries: Vec<Entry>,
    children: Children,
) -> impl IntoView {
    let label = match area {
        Area::Account => "Account",
        Area::Dashboard => "Dashboard",
    };
    view! {
        <Document title=title product=product.clone()>
            <a class="skip" href="#content">"Skip to content"</a>
            <TopBar product=product viewer=viewer area=area />
            <div class="frame">
                <nav class="side" aria-label=label>
                    <ul>{entries.into_iter().map(side_link).collect_view()}</ul>
                </nav>
                <main class="content" id="content">{children()}</main>
            </div>
        </Document>
    }
}

#[component]
fn TopBar(product: String, viewer: Viewer, area: Area) -> impl IntoView {
    let home = if viewer.may_manage_users { "/dashboard/users" } else { "/account" };
    let areas = viewer.may_manage_users.then(|| {
        view! {
            <nav class="areas" aria-label="Areas">
                {area_link("/dashboard/users", "Dashboard", area == Area::Dashboard)}
                {area_link("/account", "Account", area == Area::Account)}
            </nav>
        }
    });
    view! {
        <header class="bar">
            <a class="brand" href=home>
                <Mark />
                <span class="brand-name">{product}</span>
            </a>
            {areas}
            <ViewerMenu viewer=viewer />
        </header>
    }
}

#[component]
fn ViewerMenu(viewer: Viewer) -> impl IntoView {
    let called = viewer.called().to_owned();
    let dashboard =
        viewer.may_manage_users.then(|| view! { <a class="menu-item" href="/dashboard/users">"Dashboard"</a> });
    let for_programs =
        viewer.may_manage_users.then(|| view! { <a class="menu-item" href="/docs/api">"API for programs"</a> });
    let name = (called != viewer.email).then(|| view! { <p class="menu-name"><bdi>{called.clone()}</bdi></p> });
    view! {
        <details class="menu">
            <summary class="menu-open">
                <Avatar name=called.clone() />
                <span class="menu-called">{called.clone()}</span>
                <span class="unseen">"Your menu"</span>
                <ChevronDown />
            </summary>
            <div class="menu-panel">
                <div class="menu-who">
                    {name}
                    <p class="menu-email"><bdi>{viewer.email}</bdi></p>
                </div>
                {dashboard}
                <a class="menu-item" href="/account">"Your account"</a>
                {for_programs}
                <form method="post" action="/api/logout">
                    <button class="menu-item" type="submit">"Log out"</button>
                </form>
            </div>
        </details>
    }
}

fn area_link(href: &'static str, text: &'static str, is_current: bool) -> impl IntoView {
    view! { <a class="area" href=href aria-current=is_current.then_some("true")>{text}</a> }
}

fn side_link(entry: Entry) -> impl IntoView {
    let current = entry.is_current.then_some("page");
    view! { <li><a class="side-link" href=entry.href aria-current=current>{entry.text}</a></li> }
}
