//! What is asked of the list of invites.

use serde::{Deserialize, Deserializer, de::Error};
use utoipa::IntoParams;

use crate::{
    api::{
        error::ApiError,
        invites::StateName,
        values::{Cursor, Ids, Offset, PageSize, SearchText},
    },
    shared::{EmailAddress, InviteId},
    users::{InviteFilter, InviteOrder, InvitePage, InviteSortBy, InviteState},
};

/// `GET /admin/invites`: each parameter narrows the list, `order` and what stands below choose the part of it.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InvitesQuery {
    /// Part of the e-mail address.
    pub q: Option<SearchText>,
    /// Only these invites; may be said more than once.
    pub id: Option<Ids>,
    /// Only for this address.
    pub email: Option<EmailAddress>,
    /// Only this state.
    pub state: Option<StateName>,
    /// What the list is sorted by; `-` before it turns it round. The newest come first where nothing is said.
    pub order: Option<InvitesOrder>,
    /// How many invites a page has: 1 to 100, 50 where nothing is said.
    pub limit: Option<PageSize>,
    /// How many invites stand before the page.
    pub offset: Option<Offset>,
    /// The id of the last invite that was seen: the page follows it, in the list's own order. Not together with `offset`.
    pub after: Option<Cursor>,
}

/// What the list is sorted by.
#[derive(Clone, Copy, Debug)]
pub struct InvitesOrder(InviteOrder);

impl InvitesOrder {
    /// What the list can be sorted by.
    pub const NAMES: [(&'static str, InviteSortBy); 3] =
        [("created_at", InviteSortBy::Created), ("email", InviteSortBy::Email), ("expires_at", InviteSortBy::Expires)];
}

impl<'de> Deserialize<'de> for InvitesOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (name, is_descending) = text.strip_prefix('-').map_or((text.as_str(), false), |name| (name, true));
        let Some((_, by)) = Self::NAMES.into_iter().find(|(known, _)| *known == name) else {
            return Err(D::Error::custom("must be created_at, email or expires_at, with or without a `-`"));
        };
        Ok(Self(InviteOrder { by, is_descending }))
    }
}

impl InvitesQuery {
    /// Which invites.
    pub fn filter(&self) -> InviteFilter {
        InviteFilter {
            search: self.q.as_ref().map(|q| q.0.clone()),
            state: self.state.map(InviteState::from),
            role: None,
            ids: self.id.as_ref().map(|ids| ids.0.iter().filter_map(|id| InviteId::parse(id)).collect()),
            email: self.email.clone(),
        }
    }

    /// In which order.
    pub fn order(&self) -> InviteOrder {
        self.order.map_or_else(InviteOrder::default, |order| order.0)
    }

    /// Which part.
    ///
    /// # Errors
    /// `invalid_data` for what can't be the id of an invite, and for a page that begins at two places.
    pub fn page(&self) -> Result<InvitePage, ApiError> {
        match (&self.after, self.offset.unwrap_or_default().0) {
            (None, 0) => Ok(InvitePage::First),
            (None, rows) => Ok(InvitePage::Behind(rows)),
            (Some(_), 1..) => Err(ApiError::invalid_field("offset", "it can't be given together with 'after'")),
            (Some(Cursor(id)), 0) => match InviteId::parse(id) {
                Some(id) => Ok(InvitePage::After(id)),
                None => Err(ApiError::invalid_field("after", "there is no such invite")),
            },
        }
    }
}
