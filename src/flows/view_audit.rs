//! View the audit log: events with the addresses of the people in them, for those who manage users.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, Services, authority::asks_as_manager};
use crate::{
    events::{self, AuditEntry, AuditFilter, AuditLog, AuditPage, EventKind, Scope},
    platform::Timestamp,
    shared::{EmailAddress, UserId},
    users,
};

/// What is asked of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuestion {
    /// Only this kind.
    pub kind: Option<EventKind>,
    /// Only what concerns this person or thing: an e-mail address, or an id.
    pub concerning: Option<String>,
    /// Only from this moment on.
    pub from: Option<Timestamp>,
    /// Only before this moment.
    pub to: Option<Timestamp>,
}

/// A page of the log, and who the people in it are.
pub struct AuditView {
    /// The events.
    pub log: AuditLog,
    /// The addresses of the users that are still there, by id.
    pub emails: BTreeMap<String, EmailAddress>,
}

/// One page of the log.
///
/// # Errors
/// [`Error::Forbidden`] for who may not manage users.
pub async fn view_audit(
    services: &Services,
    scope: &Scope,
    (question, page): (&AuditQuestion, &AuditPage),
    limit: u32,
) -> Result<AuditView, Error> {
    asks_as_manager(scope)?;
    let db = &services.platform.db;
    let concerning = match &question.concerning {
        Some(text) => Some(id_of(services, text).await?),
        None => None,
    };
    let filter = AuditFilter { kind: question.kind, concerning, from: question.from, to: question.to };
    let log = events::list_events(db, (&filter, page), limit).await?;
    let people: BTreeSet<&str> = log.entries.iter().flat_map(people_in).collect();
    let ids: Vec<UserId> = people.into_iter().map(UserId::new).collect();
    let emails = users::emails_of(db, &ids).await?;
    Ok(AuditView { log, emails })
}

/// The id of the user with this address; what is no address, or nobody's, stands for itself.
async fn id_of(services: &Services, text: &str) -> Result<String, Error> {
    let Ok(email) = EmailAddress::parse(text) else { return Ok(text.trim().to_owned()) };
    let user = users::find_by_email(&services.platform.db, &email).await?;
    Ok(user.map_or_else(|| email.to_string(), |user| user.id.to_string()))
}

fn people_in(entry: &AuditEntry) -> impl Iterator<Item = &str> {
    let is_user = |kind: &str, id: &'_ Option<String>| kind == "user" && id.is_some();
    let actor = entry.actor_id.as_deref().filter(|_| is_user(&entry.actor_type, &entry.actor_id));
    let target = entry.target_id.as_deref().filter(|_| is_user(&entry.target_type, &entry.target_id));
    actor.into_iter().chain(target)
}
