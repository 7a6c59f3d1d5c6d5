//! The parts of the API, and whom each address answers. A group of routes is written down with its part and its audience;
//! what follows from that for a program, such as 401 and 403, is added to each of them.

use utoipa::openapi::{RefOr, response::Response, security::SecurityRequirement};
use utoipa_axum::router::OpenApiRouter;

use super::operations;

/// A part of the API, as its readers see it.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// What one does with it.
    pub about: &'static str,
}

/// Whom an address answers, unless it says something else of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Whoever asks.
    Anyone,
    /// Who has a live token or session: 401 for others.
    Known,
    /// Who may manage users: 401 or 403 for others.
    Managers,
}

impl Audience {
    /// Writes down which part a group of routes belongs to, and whom it answers.
    pub fn of<S>(self, part: &Part, mut group: OpenApiRouter<S>) -> OpenApiRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let refusals: &[&str] = match self {
            Self::Anyone => &[],
            Self::Known => &["401"],
            Self::Managers => &["401", "403"],
        };
        for (_, _, operation) in operations(group.get_openapi_mut()) {
            operation.tags = Some(vec![part.name.to_owned()]);
            if self != Self::Anyone && operation.security.is_none() {
                let known_by = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
                operation.security = Some(vec![known_by("token"), known_by("session")]);
                for status in refusals {
                    let refused = || RefOr::T(Response::default());
                    operation.responses.responses.entry((*status).to_owned()).or_insert_with(refused);
                }
            }
        }
        group
    }
}
