//! What is asked of the list of users.

use serde::{Deserialize, Deserializer, de::Error};
use utoipa::IntoParams;

use super::StatusName;
use crate::{
    api::{
        error::ApiError,
        fields::Fields,
        values::{Cursor, Ids, Name, Offset, PageSize, SearchText, Times},
    },
    shared::{EmailAddress, PersonName, Role, UserId},
    users::{Exact, Filter, Order, Page, SortBy, Status, TimeOf},
};

/// `GET /admin/users`: each parameter narrows the list, `order` and what stands below choose the part of it.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UsersQuery {
    /// Part of the e-mail address or the name; under three characters, how one of them begins.
    pub q: Option<SearchText>,
    /// Only who has this address.
    pub email: Option<EmailAddress>,
    /// Only who has exactly this first name.
    pub first_name: Option<Name>,
    /// Only who has exactly this last name.
    pub last_name: Option<Name>,
    /// Only these users; may be said more than once.
    pub id: Option<Ids>,
    /// Only this role.
    pub role: Option<Role>,
    /// Only this status.
    pub status: Option<StatusName>,
    /// When they came to exist: `created_at[$gt]` and so on.
    #[param(style = DeepObject, explode)]
    pub created_at: Option<Times>,
    /// When they were last changed: `updated_at[$gt]` and so on.
    #[param(style = DeepObject, explode)]
    pub updated_at: Option<Times>,
    /// What the list is sorted by; `-` before it turns it round. The newest come first where nothing is said.
    pub order: Option<UserOrder>,
    /// How many users a page has: 1 to 100, 50 where nothing is said.
    pub limit: Option<PageSize>,
    /// How many users stand before the page.
    pub offset: Option<Offset>,
    /// The id of the last user that was seen: the page follows it, in the list's own order. Not together with `offset`.
    pub after: Option<Cursor>,
    /// Which fields of each user are answered: `email,role` these and the id, `-metadata` all but that.
    pub fields: Option<Fields>,
}

/// What the list is sorted by.
#[derive(Clone, Copy, Debug)]
pub struct UserOrder(Order);

impl UserOrder {
    /// What the list can be sorted by.
    pub const NAMES: [(&'static str, SortBy); 6] = [
        ("created_at", SortBy::Created),
        ("updated_at", SortBy::Updated),
        ("email", SortBy::Email),
        ("name", SortBy::Name),
        ("first_name", SortBy::FirstName),
        ("last_name", SortBy::LastName),
    ];
}

impl<'de> Deserialize<'de> for UserOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (name, is_descending) = text.strip_prefix('-').map_or((text.as_str(), false), |name| (name, true));
        let Some((_, by)) = Self::NAMES.into_iter().find(|(known, _)| *known == name) else {
            let known = "must be created_at, updated_at, email, name, first_name or last_name, with or without a `-`";
            return Err(D::Error::custom(known));
        };
        Ok(Self(Order { by, is_descending }))
    }
}

impl UsersQuery {
    /// Which users.
    ///
    /// # Errors
    /// `invalid_data` for an empty name.
    pub fn filter(&self) -> Result<Filter, ApiError> {
        let times = [(TimeOf::Created, &self.created_at), (TimeOf::Updated, &self.updated_at)];
        let spans = times
            .into_iter()
            .flat_map(|(of, times)| times.iter().flat_map(move |times| times.0.iter().map(move |span| (of, *span))));
        let exact = Exact {
            ids: self.id.as_ref().map(|ids| ids.0.iter().filter_map(|id| UserId::parse(id)).collect()),
            email: self.email.clone(),
            first_name: name_in("first_name", self.first_name.as_ref())?,
            last_name: name_in("last_name", self.last_name.as_ref())?,
            times: spans.collect(),
        };
        let status = self.status.map(|status| match status {
            StatusName::Active => Status::Active,
            StatusName::Disabled => Status::Disabled,
        });
        Ok(Filter { search: self.q.as_ref().map(|q| q.0.clone()), role: self.role, status, exact })
    }

    /// In which order.
    pub fn order(&self) -> Order {
        self.order.map_or_else(Order::default, |order| order.0)
    }

    /// Which part.
    ///
    /// # Errors
    /// `invalid_data` for what can't be the id of a user, and for a page that begins at two places.
    pub fn page(&self) -> Result<Page, ApiError> {
        match (&self.after, self.offset.unwrap_or_default().0) {
            (None, 0) => Ok(Page::First),
            (None, rows) => Ok(Page::Behind(rows)),
            (Some(_), 1..) => Err(ApiError::invalid_field("offset", "it can't be given together with 'after'")),
            (Some(Cursor(id)), 0) => match UserId::parse(id) {
                Some(id) => Ok(Page::After(id)),
                None => Err(ApiError::invalid_field("after", "there is no such user")),
            },
        }
    }
}

fn name_in(field: &str, name: Option<&Name>) -> Result<Option<PersonName>, ApiError> {
    match name {
        Some(Name(None)) => Err(ApiError::invalid_field(field, "it is empty")),
        Some(Name(Some(name))) => Ok(Some(name.clone())),
        None => Ok(None),
    }
}
