//! `/dashboard/invites`: the list of invites. Search, filters, order and page all stand in the address, as in the list of
//! users; what can be done with one invite stands on its own page.

use axum::{
    extract::{Query, State},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;

use crate::{
    platform::Timestamp,
    shared::{InviteId, Role},
    users::{
        self, Invite, InviteFilter, InviteList, InviteOrder, InvitePage as Page, InviteSortBy as SortBy, InviteState,
    },
    web::{
        http::{error::PageError, next::query_value, page::page, scope::Manager},
        state::{PRODUCT, WebState},
        ui::{
            Badge, ButtonKind, ButtonLink, Cell, Choice, DashboardEntry, DashboardPage, EmptyState, FilterBar, Header,
            HiddenField, Notice, Pager, Row, SearchField, SelectField, SortDirection, SortHeader, Table, When,
        },
        words::{self, invites as invite_words},
    },
};

const PAGE: &str = "/dashboard/invites";
/// How many invites a page may show; the first is where nothing is asked for.
const LIMITS: [u32; 3] = [25, 50, 100];

/// The state of the list, as the address has it. What can't be read is as good as absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    state: String,
    role: String,
    sort: String,
    limit: String,
    after: String,
    before: String,
}

impl ListQuery {
    fn filter(&self) -> InviteFilter {
        InviteFilter {
            search: Some(self.q.clone()).filter(|q| !q.trim().is_empty()),
            state: invite_words::STATES.into_iter().find(|(name, ..)| *name == self.state).map(|(_, state, _)| state),
            role: self.role.parse().ok(),
            ..InviteFilter::default()
        }
    }

    fn order(&self) -> InviteOrder {
        let (name, is_descending) =
            self.sort.strip_prefix('-').map_or((self.sort.as_str(), false), |name| (name, true));
        match name {
            "email" => InviteOrder { by: SortBy::Email, is_descending },
            "expires" => InviteOrder { by: SortBy::Expires, is_descending },
            "created" => InviteOrder { by: SortBy::Created, is_descending },
            _ => InviteOrder::default(),
        }
    }

    fn page(&self) -> Page {
        match (InviteId::parse(&self.after), InviteId::parse(&self.before)) {
            (Some(after), _) => Page::After(after),
            (None, Some(before)) => Page::Before(before),
            (None, None) => Page::First,
        }
    }

    fn limit(&self) -> u32 {
        let wanted = self.limit.parse().unwrap_or(LIMITS[0]);
        LIMITS.into_iter().find(|limit| *limit == wanted).unwrap_or(LIMITS[0])
    }

    /// The address of the list with this state, at another page or in another order.
    fn address(&self, changes: &[(&str, &str)]) -> String {
        let state = [
            ("q", &self.q),
            ("state", &self.state),
            ("role", &self.role),
            ("sort", &self.sort),
            ("limit", &self.limit),
        ];
        let is_changed = |name: &str| changes.iter().any(|(change, _)| *change == name);
        let kept = state.into_iter().filter(|(name, _)| !is_changed(name)).map(|(name, value)| (name, value.as_str()));
        let pairs = kept.chain(changes.iter().copied()).filter(|(_, value)| !value.is_empty());
        let query: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", query_value(value))).collect();
        if query.is_empty() { PAGE.to_owned() } else { format!("{PAGE}?{}", query.join("&")) }
    }

    /// The list without filters, if there are any.
    fn cleared(&self) -> Option<String> {
        let is_filtered = self.filter() != InviteFilter::default();
        is_filtered.then(|| self.address(&[("q", ""), ("state", ""), ("role", "")]))
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
            // The newest come first where one begins to sort by age.
            None if by == SortBy::Created => format!("-{name}"),
            Some(SortDirection::Descending) | None => name.to_owned(),
        };
        (self.address(&[("sort", &sort)]), direction)
    }
}

/// `GET /dashboard/invites`.
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
    let list = match users::list_invites(db, scope, (&filter, order, &query.page()), limit).await {
        // The invite at which the page began was deleted: the list goes on from its beginning.
        Err(users::Error::UnknownCursor) => {
            users::list_invites(db, scope, (&filter, order, &Page::First), limit).await?
        }
        other => other?,
    };
    let viewer = logged_in.viewer();
    let notice = words::of_notice(&logged_in.asked);
    let now = scope.now;
    let is_mailed = state.services.platform.outbox.is_sent();
    let actions = || view! { <ButtonLink href="/dashboard/invites/new">"Invite people"</ButtonLink> };
    Ok(page(&state, &logged_in.asked, move || {
        view! {
            <DashboardPage
                title="Invites"
                product=PRODUCT
                viewer=viewer
                entry=DashboardEntry::Invites
                actions=actions
            >
                {notice.map(|notice| view! { <Notice>{notice}</Notice> })}
                <Filters query=query.clone() />
                <Listed query=query list=list is_mailed=is_mailed now=now />
            </DashboardPage>
        }
    }))
}

#[component]
fn Filters(query: ListQuery) -> impl IntoView {
    let any = |text| vec![Choice::new("", text)].into_iter();
    let states = any("Any state").chain(invite_words::STATES.map(|(name, _, text)| Choice::new(name, text))).collect();
    let roles = any("Any role").chain(Role::ALL.map(|role| Choice::new(role.as_str(), words::of_role(role)))).collect();
    let limits = LIMITS.map(|limit| Choice::new(limit.to_string(), format!("{limit} a page"))).to_vec();
    let clear = query.cleared();
    let limit = query.limit().to_string();
    let sort = (!query.sort.is_empty()).then(|| query.sort.clone());
    view! {
        <FilterBar action=PAGE label="Filter invites" clear=clear>
            <SearchField label="Search e-mail" value=query.q />
            <SelectField name="state" label="State" choices=states selected=query.state />
            <SelectField name="role" label="Role" choices=roles selected=query.role />
            <SelectField name="limit" label="Show" choices=limits selected=limit />
            {sort.map(|sort| view! { <HiddenField name="sort" value=sort /> })}
        </FilterBar>
    }
}

#[component]
fn Listed(query: ListQuery, list: InviteList, is_mailed: bool, now: Timestamp) -> AnyView {
    if list.invites.is_empty() {
        return view! { <NothingListed query=query /> }.into_any();
    }
    let at = |name, invite: &Invite| query.address(&[(name, invite.id.as_str())]);
    let previous = list.invites.first().filter(|_| list.has_previous).map(|invite| at("before", invite));
    let next = list.invites.last().filter(|_| list.has_next).map(|invite| at("after", invite));
    let count = match list.count {
        Some(1) => "1 invite".to_owned(),
        Some(count) => format!("{count} invites"),
        None => "More than 1,000 invites".to_owned(),
    };
    let (by_email, email_direction) = query.sorted_by(SortBy::Email, "email");
    let (by_created, created_direction) = query.sorted_by(SortBy::Created, "created");
    let (by_expires, expires_direction) = query.sorted_by(SortBy::Expires, "expires");
    let headers = move || {
        view! {
            <SortHeader text="E-mail" href=by_email direction=email_direction />
            <Header text="Role" />
            <Header text="State" />
            <Header text="Invited by" />
            <Header text="Mail" />
            <SortHeader text="Created" href=by_created direction=created_direction />
            <SortHeader text="Expires" href=by_expires direction=expires_direction />
        }
    };
    let rows = list
        .invites
        .into_iter()
        .map(|invite| view! { <InviteRow invite=invite is_mailed=is_mailed now=now /> })
        .collect_view();
    view! {
        <Table caption="Invites" headers=headers>{rows}</Table>
        <Pager previous=previous next=next count=count />
    }
    .into_any()
}

#[component]
fn NothingListed(query: ListQuery) -> AnyView {
    let Some(clear) = query.cleared() else {
        return view! {
            <EmptyState title="No invites yet" text="Whoever you invite shows up here until they are in.">
                <ButtonLink href="/dashboard/invites/new">"Invite people"</ButtonLink>
            </EmptyState>
        }
        .into_any();
    };
    view! {
        <EmptyState title="Nothing matches" text="No invite fits this search and these filters.">
            <ButtonLink href=clear kind=ButtonKind::Quiet>"Clear filters"</ButtonLink>
        </EmptyState>
    }
    .into_any()
}

#[component]
fn InviteRow(invite: Invite, is_mailed: bool, now: Timestamp) -> impl IntoView {
    let href = format!("{PAGE}/{}", query_value(invite.id.as_str()));
    let (tone, state) = invite_words::of_state(&invite, now);
    let inviter = invite_words::of_inviter(&invite);
    let email = invite.email.to_string();
    let expires = match invite.state(now) {
        InviteState::Pending => invite_words::of_end(invite.expires_at, now),
        _ => words::date(invite.expires_at),
    };
    view! {
        <Row>
            <Cell><a href=href><bdi>{email}</bdi></a></Cell>
            <Cell label="Role"><Badge tone=invite_words::tone_of_role(invite.role) text=words::of_role(invite.role) /></Cell>
            <Cell label="State"><Badge tone=tone text=state /></Cell>
            <Cell label="Invited by"><bdi>{inviter}</bdi></Cell>
            <Cell label="Mail">{invite_words::of_mail(invite.mail, is_mailed)}</Cell>
            <Cell label="Created">
                <When iso=invite.created_at.to_rfc3339() text=words::of_time(invite.created_at, now) />
            </Cell>
            <Cell label="Expires"><When iso=invite.expires_at.to_rfc3339() text=expires /></Cell>
        </Row>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_of_the_list_is_an_address() {
        let query = ListQuery { q: "a&b".to_owned(), state: "pending".to_owned(), ..ListQuery::default() };
        assert_eq!(query.filter().state, Some(InviteState::Pending));
        assert_eq!(query.address(&[("after", "x")]), "/dashboard/invites?q=a%26b&state=pending&after=x");
        assert_eq!(query.cleared().as_deref(), Some("/dashboard/invites"));
        assert_eq!(
            query.sorted_by(SortBy::Expires, "expires").0,
            "/dashboard/invites?q=a%26b&state=pending&sort=expires"
        );
    }
}
