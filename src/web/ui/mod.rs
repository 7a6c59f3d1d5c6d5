//! The parts that pages are made of: plain components without a rule, a query or a script of their own.
//! They know no user, session or form; a page hands them texts and addresses. All text is escaped. Used by the pages
//! of `web`; how the parts look is decided in `style/` alone.

#![expect(
    clippy::needless_pass_by_value,
    clippy::fn_params_excessive_bools,
    reason = "a component owns its props, and they are passed by name"
)]

mod alert;
mod avatar;
mod badge;
mod button;
mod document;
mod entry_page;
mod field;
mod form;
mod frame;
mod guide;
mod icon;
mod page;
mod pager;
mod provider;
mod section;
mod table;
mod text_area;
mod when;

pub use alert::{Alert, Notice};
pub use avatar::{Avatar, Person};
pub use badge::{Badge, Tone};
pub use button::{Button, ButtonKind, ButtonLink};
pub use document::Document;
pub use entry_page::{EntryPage, MessagePage, OrDivider};
pub use field::{CheckboxField, Choice, HiddenField, SearchField, SelectField, TextField};
pub use form::{Actions, FieldPair, PostForm, Split};
pub use frame::Viewer;
pub use guide::{Chapter, CodeBlock, GuidePage, Prose};
pub use page::{AccountEntry, AccountPage, DashboardEntry, DashboardPage, Link};
pub use pager::Pager;
pub use provider::{ProviderButton, ProviderIcon, ProviderLink, ProviderMark};
pub use section::{ConfirmPanel, Definition, DefinitionList, EmptyState, Section};
pub use table::{Cell, FilterBar, Header, ListTitle, Row, SortDirection, SortHeader, Table, TwoLines};
pub use text_area::TextArea;
pub use when::When;
