//! How an address refuses: by its own words where it has some, else as every other does. Statuses that follow from what an
//! operation is, such as 413 for one with a body, are added here.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json, to_value};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Content, ContentBuilder, Ref, RefOr,
        header::HeaderBuilder,
        path::Operation,
        response::{Response, ResponseBuilder},
        schema::{ObjectBuilder, Schema, Type},
    },
};

use crate::api::error::{ErrorType, NotLoggedIn, Refusal};

/// The refusals that are worded alike wherever they come from: status, name, when, and what is answered.
const COMMON: [(&str, &str, &str, &str); 9] = [
    ("400", "InvalidData", "What came in makes no sense", "Invalid request: Unrecognized fields: 'foo'"),
    ("401", "Unauthorized", "Nobody is logged in, or no longer", "Unauthorized"),
    (
        "403",
        "Forbidden",
        "Who asks may not do this, or the request came from another site",
        "You are not allowed to do this.",
    ),
    ("408", "TooSlow", "The request did not arrive in time", "The request did not arrive in time."),
    ("409", "Conflict", "It was changed meanwhile; try again", "It was changed meanwhile. Try again."),
    ("413", "TooLarge", "The body is larger than 64 KiB", "The body is larger than 64 KiB."),
    ("429", "TooManyTries", "Too many tries", "Too many tries. Try again later."),
    ("500", "UnknownError", "The unexpected; the log knows more", "An unknown error occurred."),
    (
        "503",
        "Unavailable",
        "There is more to do than the machine can, or it took too long",
        "There is a lot to do right now.",
    ),
];

/// The shapes of refusals, by their names.
pub(super) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    vec![
        (Refusal::name().into_owned(), Refusal::schema()),
        (ErrorType::name().into_owned(), ErrorType::schema()),
        (NotLoggedIn::name().into_owned(), NotLoggedIn::schema()),
    ]
}

/// The common refusals, by their names.
pub(super) fn common() -> BTreeMap<String, RefOr<Response>> {
    let described = |(status, name, about, message): (&str, &str, &str, &str)| {
        let content = match status {
            "401" => json_of("Unauthorized", json!({ "message": message })),
            _ => json_of("Error", refusal(status, about, message)),
        };
        let mut answer = ResponseBuilder::new().description(about).content("application/json", content);
        if matches!(status, "429" | "503") {
            let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
            let about = "After how many seconds to come back";
            let header = HeaderBuilder::new().schema(Some(seconds)).description(Some(about)).build();
            answer = answer.header("Retry-After", header);
        }
        (name.to_owned(), RefOr::T(answer.build()))
    };
    COMMON.into_iter().map(described).collect()
}

/// Adds the refusals that follow from what an operation is, and gives each its words and an example.
pub(super) fn complete(method: &str, operation: &mut Operation) {
    let is_apart = operation.tags.iter().flatten().any(|tag| tag == crate::api::HEALTH.name);
    let mut follows = Vec::new();
    if !is_apart {
        follows.extend(["500", "503"]);
        if method != "get" {
            follows.push("403");
        }
        if operation.request_body.is_some() {
            follows.extend(["400", "408", "413"]);
        }
        if operation.parameters.is_some() {
            follows.push("400");
        }
    }
    let answers = &mut operation.responses.responses;
    for status in follows {
        answers.entry(status.to_owned()).or_insert_with(|| RefOr::T(Response::default()));
    }
    for (status, answer) in answers.iter_mut() {
        let RefOr::T(Response { description, content, .. }) = answer else { continue };
        let is_refusal = status.starts_with(['4', '5']) && content.is_empty();
        match COMMON.iter().find(|(known, ..)| known == status) {
            Some((_, name, ..)) if is_refusal && description.is_empty() => {
                *answer = RefOr::Ref(Ref::from_response_name(*name));
            }
            _ if is_refusal => {
                let message = quoted(description).to_owned();
                let example = refusal(status, description, &message);
                if status == "400" {
                    description.push_str(". Also where what came in makes no sense: `invalid_data`");
                }
                content.insert("application/json".to_owned(), RefOr::T(json_of("Error", example)));
            }
            _ => {}
        }
    }
}

fn json_of(schema: &str, example: Value) -> Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).example(Some(example)).build()
}

/// The words of a description that stand in back quotes, which are those of the refusal.
fn quoted(description: &str) -> &str {
    description.split('`').nth(1).unwrap_or(description)
}

fn refusal(status: &str, about: &str, message: &str) -> Value {
    let status = status.parse().ok().and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or_default();
    let kind = match status {
        StatusCode::UNAUTHORIZED => ErrorType::Unauthorized,
        StatusCode::FORBIDDEN => ErrorType::Forbidden,
        StatusCode::NOT_FOUND => ErrorType::NotFound,
        StatusCode::BAD_REQUEST if about.ends_with("`not_allowed`") => ErrorType::NotAllowed,
        StatusCode::CONFLICT => ErrorType::Conflict,
        StatusCode::UNPROCESSABLE_ENTITY => ErrorType::DuplicateError,
        StatusCode::TOO_MANY_REQUESTS => ErrorType::RateLimited,
        StatusCode::SERVICE_UNAVAILABLE => ErrorType::Unavailable,
        StatusCode::INTERNAL_SERVER_ERROR => ErrorType::UnknownError,
        _ => ErrorType::InvalidData,
    };
    json!({ "type": to_value(kind).unwrap_or_default(), "message": message })
}
