//! `/dashboard/users`: the list of users. Search, filters, order and page all stand in the address, so that a view can be
//! bookmarked and sent; nothing here needs a script.

use axum::{
    extract::{Query, State},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;

use crate::{
    platform::Timestamp,
    shared::{Role, UserId},
    users::{self, Filter, List, Order, Page, SortBy, Status, User},
    web::{
        http::{error::PageError, next::query_value, page::page, scope::Manager},
        state::{PRODUCT, WebState},
        ui::{
            Badge, ButtonKind, ButtonLink, Cell, Choice, DashboardEntry, DashboardPage, EmptyState, FilterBar, Header,
            HiddenField, Notice, Pager, Person, Row, SearchField, SelectField, SortDirection, SortHeader, Table, Tone,
            When,
        },
        words,
    },
};

const PAGE: &str = "/dashboard/users";
/// How many users a page may show; the first is where nothing is asked for.
const LIMITS: [u32; 3] = [25, 50, 100];

/// The state of the list, as the address has it. What can't be read is as good as absent: an address that somebody typed
/// or kept still shows a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    role: String,
    status: String,
    sort: String,
    limit: String,
    after: String,
    before: String,
}

impl ListQuery {
    fn filter(&self) -> Filter {
        let status = match self.status.as_str() {
            "active" => Some(Status::Active),
            "disabled" => Some(Status::Disabled),
            _ => None,
        };
        let search = Some(self.q.clone()).filter(|q| !q.trim().is_empty());
        Filter { search, role: self.role.parse().ok(), status, ..Filter::default() }
    }

    fn order(&self) -> Order {
        let (name, is_descending) =
            self.sort.strip_prefix('-').map_or((self.sort.as_str(), false), |name| (name, true));
        match name {
            "email" => Order { by: SortBy::Email, is_descending },
            "name" => Order { by: SortBy::Name, is_descending },
            "created" => Order { by: SortBy::Created, is_descending },
            _ => Order::default(),
        }
    }

    fn page(&self) -> Page {
        match (UserId::parse(&self.after), UserId::parse(&self.before)) {
            (Some(after), _) => Page::After(after),
            (None, Some(before)) => Page::Before(before),
            (None, None) => Page::First,
        }
    }

    fn limit(&self) -> u32 {
        let wanted = self.limit.parse().unwrap_or(LIMITS[0]);
        LIMITS.into_iter().find(|limit| *limit == wanted).unwrap_or(LIMITS[0])
    }

    fn is_filtered(&self) -> bool {
        self.filter() != Filter::default()
    }

    /// The address of the list with this state, at another page or in another order.
    fn address(&self, changes: &[(&str, &str)]) -> String {
        let state = [
            ("q", &self.q),
            ("role", &self.role),
            ("status", &self.status),
            ("sort", &self.sort),
            ("limit", &self.limit),
        ];
        let is_changed = |name: &str| changes.iter().any(|(change, _)| *change == name);
        let kept = state.into_iter().filter(|(name, _)| !is_changed(name)).map(|(name, value)| (name, value.as_str()));
        let pairs = kept.chain(changes.iter().copied()).filter(|(_, value)| !value.is_empty());
        let query: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", query_value(value))).collect();
        if query.is_empty() { PAGE.to_owned() } else { format!("{PAGE}?{}", query.join("&")) }
    }

    /// The list sorted by a column; the other way round if it is already.
    fn sorted_by(&self, by: SortBy, name: &str) -> (String, Option<SortDirection>) {
        let now = self.order();
        let direction = (now.by == by).then_some(if now.is_descending {
            SortDirection::Descending
        } else {
            SortDirection::Ascending
        });
        let sort = match direction {
            Some(SortDirection::Ascending) => format!("-{name}"),
            // The newest come first where one begins to sort by time.
            None if by == SortBy::Created => format!("-{name}"),
            Some(SortDirection::Descending) | None => name.to_owned(),
        };
        (self.address(&[("sort", &sort)]), direction)
    }
}

/// `GET /dashboard/users`.
///
/// # Errors
/// [`PageError::NotLoggedIn`], [`PageError::Forbidden`].
pub async fn show(
    State(state): State<WebState>,
    manager: Manager,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let Manager(logged_in) = manager;
    let scope = &logged_in.asked.scope;
    let db = &state.services.platform.db;
    let (filter, order, limit) = (query.filter(), query.order(), query.limit());
    let list = match users::list(db, scope, (&filter, order, &query.page()), limit).await {
        // The user at whom the page began was deleted: the list goes on from its beginning.
        Err(users::Error::UnknownCursor) => users::list(db, scope, (&filter, order, &Page::First), limit).await?,
        other => other?,
    };
    let viewer = logged_in.viewer();
    let notice = words::of_notice(&logged_in.asked);
    let now = scope.now;
    let actions = || view! { <ButtonLink href="/dashboard/invites/new">"Invite people"</ButtonLink> };
    Ok(page(&state, &logged_in.asked, move || {
        view! {
            <DashboardPage title="Users" product=PRODUCT viewer=viewer entry=DashboardEntry::Users actions=actions>
                {notice.map(|notice| view! { <Notice>{notice}</Notice> })}
                <Filters query=query.clone() />
                <UserList query=query list=list now=now />
            </DashboardPage>
        }
    }))
}

#[component]
fn Filters(query: ListQuery) -> impl IntoView {
    let roles = [Choice::new("", "Any role")].into_iter();
    let roles = roles.chain(Role::ALL.map(|role| Choice::new(role.as_str(), words::of_role(role)))).collect();
    let states =
        vec![Choice::new("", "Any status"), Choice::new("active", "Active"), Choice::new("disabled", "Disabled")];
    let limits = LIMITS.map(|limit| Choice::new(limit.to_string(), format!("{limit} a page"))).to_vec();
    let clear = query.is_filtered().then(|| query.address(&[("q", ""), ("role", ""), ("status", "")]));
    let limit = query.limit().to_string();
    let sort = (!query.sort.is_empty()).then(|| query.sort.clone());
    view! {
        <FilterBar action=PAGE label="Filter users" clear=clear>
            <SearchField label="Search e-mail and name" value=query.q />
            <SelectField name="role" label="Role" choices=roles selected=query.role />
            <SelectField name="status" label="Status" choices=states selected=query.status />
            <SelectField name="limit" label="Show" choices=limits selected=limit />
            {sort.map(|sort| view! { <HiddenField name="sort" value=sort /> })}
        </FilterBar>
    }
}

#[component]
fn UserList(query: ListQuery, list: List, now: Timestamp) -> AnyView {
    if list.users.is_empty() {
        return view! { <NothingListed query=query /> }.into_any();
    }
    let previous =
        list.users.first().filter(|_| list.has_previous).map(|user| query.address(&[("before", user.id.as_str())]));
    let next = list.users.last().filter(|_| list.has_next).map(|user| query.address(&[("after", user.id.as_str())]));
    let count = count_in_words(&list, &query);
    let (by_email, email_direction) = query.sorted_by(SortBy::Email, "email");
    let (by_name, name_direction) = query.sorted_by(SortBy::Name, "name");
    let (by_created, created_direction) = query.sorted_by(SortBy::Created, "created");
    let headers = move || {
        view! {
            <SortHeader text="Name" href=by_name direction=name_direction />
            <SortHeader text="E-mail" href=by_email direction=email_direction />
            <Header text="Role" />
            <Header text="Status" />
            <Header text="Last login" />
            <SortHeader text="Created" href=by_created direction=created_direction />
        }
    };
    let rows = list.users.into_iter().map(|user| view! { <UserRow user=user now=now /> }).collect_view();
    view! {
        <Table caption="Users" headers=headers>{rows}</Table>
        <Pager previous=previous next=next count=count />
    }
    .into_any()
}

fn count_in_words(list: &List, query: &ListQuery) -> String {
    match list.count {
        Some(1) => "1 user".to_owned(),
        Some(count) => format!("{count} users"),
        None if query.filter().search.is_some() => format!("{} shown", list.users.len()),
        None => "More than 1,000 users".to_owned(),
    }
}

#[component]
fn NothingListed(query: ListQuery) -> AnyView {
    if !query.is_filtered() {
        return view! {
            <EmptyState title="No users yet" text="Whoever registers or accepts an invite shows up here.">
                <ButtonLink href="/dashboard/invites/new">"Invite people"</ButtonLink>
            </EmptyState>
        }
        .into_any();
    }
    let clear = query.address(&[("q", ""), ("role", ""), ("status", "")]);
    view! {
        <EmptyState title="Nothing matches" text="No user fits this search and these filters.">
            <ButtonLink href=clear kind=ButtonKind::Quiet>"Clear filters"</ButtonLink>
        </EmptyState>
    }
    .into_any()
}

#[component]
fn UserRow(user: User, now: Timestamp) -> impl IntoView {
    let href = format!("{PAGE}/{}", query_value(user.id.as_str()));
    let name = user.full_name().unwrap_or_else(|| "No name".to_owned());
    let initials_of = user.display_name();
    let role_tone = if user.role.may_manage_users() { Tone::Accent } else { Tone::Neutral };
    let (status_tone, status) =
        if user.disabled_at.is_some() { (Tone::Bad, "Disabled") } else { (Tone::Good, "Active") };
    let last_login = user.last_login_at.map_or_else(
        || view! { "never" }.into_any(),
        |at| view! { <When iso=at.to_rfc3339() text=words::of_time(at, now) /> }.into_any(),
    );
    view! {
        <Row>
            <Cell><Person name=name email="" href=href initials_of=initials_of /></Cell>
            <Cell label="E-mail" wide=true><bdi>{user.email.to_string()}</bdi></Cell>
            <Cell label="Role"><Badge tone=role_tone text=words::of_role(user.role) /></Cell>
            <Cell label="Status"><Badge tone=status_tone text=status /></Cell>
            <Cell label="Last login">{last_login}</Cell>
            <Cell label="Created"><When iso=user.created_at.to_rfc3339() text=words::date(user.created_at) /></Cell>
        </Row>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_of_the_list_is_an_address() {
        let query = ListQuery { q: "a&b c".to_owned(), sort: "-email".to_owned(), ..ListQuery::default() };
        assert_eq!(query.address(&[("after", "x")]), "/dashboard/users?q=a%26b%20c&sort=-email&after=x");
        assert_eq!(query.address(&[("q", ""), ("sort", "")]), "/dashboard/users");
        assert_eq!(query.sorted_by(SortBy::Email, "email").0, "/dashboard/users?q=a%26b%20c&sort=email");
    }

    #[test]
    fn what_cannot_be_read_is_as_good_as_absent() {
        let query = ListQuery {
            role: "king".to_owned(),
            limit: "9999".to_owned(),
            sort: "x".to_owned(),
            ..ListQuery::default()
        };
        assert_eq!((query.filter(), query.order(), query.limit()), (Filter::default(), Order::default(), 25));
    }
}
