//! Lists as tables that become stacked cards on a phone, and the form that filters them.
//! Roles are written out, because a table that is laid out as blocks loses them in some browsers.

use leptos::prelude::*;

/// A table; on a narrow screen each row is a card with the column's name beside each value.
#[component]
pub fn Table(
    /// What the table lists; read out, not shown.
    #[prop(into)]
    caption: String,
    /// [`Header`]s and [`SortHeader`]s, one a column.
    #[prop(into)]
    headers: ViewFnOnce,
    /// [`Row`]s.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="table-frame">
            <table class="table" role="table">
                <caption class="unseen">{caption}</caption>
                <thead role="rowgroup"><tr role="row">{headers.run()}</tr></thead>
                <tbody role="rowgroup">{children()}</tbody>
            </table>
        </div>
    }
}

/// What a list is about, above it, where a page has several.
#[component]
pub fn ListTitle(
    /// The heading.
    text: &'static str,
) -> impl IntoView {
    view! { <h2 class="list-title">{text}</h2> }
}

/// The name of a column.
#[component]
pub fn Header(
    /// The name.
    text: &'static str,
    /// Whether it is only read out: above buttons, say.
    #[prop(optional)]
    unseen: bool,
) -> impl IntoView {
    view! {
        <th scope="col" role="columnheader">
            <span class=unseen.then_some("unseen")>{text}</span>
        </th>
    }
}

/// Which way a column is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortDirection {
    /// From A to Z, from old to new.
    Ascending,
    /// From Z to A, from new to old.
    Descending,
}

impl SortDirection {
    fn aria(self) -> &'static str {
        match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
        }
    }
}

/// The name of a column that the list can be sorted by.
#[component]
pub fn SortHeader(
    /// The name.
    text: &'static str,
    /// The list sorted by this column, the other way round if it is already.
    #[prop(into)]
    href: String,
    /// How it is sorted now, if by this column.
    direction: Option<SortDirection>,
) -> impl IntoView {
    view! {
        <th scope="col" role="columnheader" class="sortable" aria-sort=direction.map(SortDirection::aria)>
            <a href=href>
                {text}
                <span class="arrow" aria-hidden="true"></span>
            </a>
        </th>
    }
}

/// A row.
#[component]
pub fn Row(
    /// [`Cell`]s, one a column.
    children: Children,
) -> impl IntoView {
    view! { <tr role="row">{children()}</tr> }
}

/// A cell.
#[component]
pub fn Cell(
    /// The column's name, shown on a phone; without one the cell has the whole width: for the one that names the row,
    /// and for buttons.
    #[prop(optional)]
    label: Option<&'static str>,
    /// Whether it has the whole width on a phone all the same: for addresses, and what else is long.
    #[prop(optional)]
    wide: bool,
    /// What it holds; a cell that holds nothing is not there on a phone.
    children: Children,
) -> impl IntoView {
    view! { <td role="cell" class=wide.then_some("cell-wide") data-label=label>{children()}</td> }
}

/// Two lines in a cell: what it is, and below it in a quieter tone what more there is to say.
#[component]
pub fn TwoLines(
    /// The second line.
    #[prop(into)]
    detail: String,
    /// The first line.
    children: Children,
) -> impl IntoView {
    view! {
        <span class="two-lines">
            <strong>{children()}</strong>
            <span class="detail">{detail}</span>
        </span>
    }
}

/// Search and filters above a list: a GET form, so that a view of the list is an address.
#[component]
pub fn FilterBar(
    /// The list's address.
    #[prop(into)]
    action: String,
    /// What is filtered; read out: "Filter users".
    label: &'static str,
    /// Where the list stands without filters, if there are any.
    #[prop(default = None)]
    clear: Option<String>,
    /// `SearchField`, `SelectField`s, `HiddenField`s.
    children: Children,
) -> impl IntoView {
    view! {
        <form class="filters" method="get" action=action role="search" aria-label=label>
            {children()}
            <div class="filters-actions">
                <button type="submit" class="button button-quiet">"Apply"</button>
                {clear.map(|href| view! { <a class="button button-plain" href=href>"Clear filters"</a> })}
            </div>
        </form>
    }
}
