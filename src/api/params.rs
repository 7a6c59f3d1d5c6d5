//! What stands behind the `?` of an address, read as strictly as a body: an unknown name is refused, and so is a value of
//! the wrong kind, by its name. `name[]=a&name[0]=b&name=c` is a list, `name[$gt]=x` an operator. Control characters are
//! refused wherever they stand.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{body::read, error::ApiError};
use crate::web::state::WebState;

/// The longest value, in bytes.
const MAX_VALUE_BYTES: usize = 2_048;

/// The parameters of a request.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<WebState> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &WebState) -> Result<Self, ApiError> {
        read(collect(pairs_of(parts)?)?).map(Self)
    }
}

/// Names and values as they stand in the address.
///
/// # Errors
/// `invalid_data` where there is no telling them apart.
pub fn pairs_of(parts: &Parts) -> Result<Vec<(String, String)>, ApiError> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    pairs.map(|pairs| pairs.0).map_err(|_| ApiError::invalid_data("Invalid request: The parameters can't be read"))
}

/// A parameter as its brackets tell.
enum Parameter {
    Values(Vec<String>),
    Operators(Map<String, Value>),
}

fn collect(pairs: Vec<(String, String)>) -> Result<Map<String, Value>, ApiError> {
    let mut all: BTreeMap<String, Parameter> = BTreeMap::new();
    for (key, value) in pairs {
        let (name, inner) = match key.split_once('[').and_then(|(name, rest)| Some((name, rest.strip_suffix(']')?))) {
            Some((name, inner)) => (name, Some(inner)),
            None => (key.as_str(), None),
        };
        check(name, &value)?;
        let operator = inner.filter(|inner| !inner.bytes().all(|byte| byte.is_ascii_digit()));
        let new = || if operator.is_some() { Parameter::Operators(Map::new()) } else { Parameter::Values(Vec::new()) };
        let parameter = all.entry(name.to_owned()).or_insert_with(new);
        let is_another = match (parameter, operator) {
            (Parameter::Values(values), None) => {
                values.push(value);
                false
            }
            (Parameter::Operators(known), Some(operator)) => {
                known.insert(operator.to_owned(), Value::String(value)).is_some()
            }
            _ => true,
        };
        if is_another {
            return Err(ApiError::invalid_field(name, "it is given in two ways"));
        }
    }
    Ok(all.into_iter().map(|(name, parameter)| (name, value_of(parameter))).collect())
}

fn check(name: &str, value: &str) -> Result<(), ApiError> {
    if value.chars().any(char::is_control) || name.chars().any(char::is_control) {
        return Err(ApiError::invalid_field(name, "control characters are not allowed"));
    }
    if value.len() > MAX_VALUE_BYTES {
        return Err(ApiError::invalid_field(name, "it is too long"));
    }
    Ok(())
}

fn value_of(parameter: Parameter) -> Value {
    match parameter {
        Parameter::Operators(operators) => Value::Object(operators),
        Parameter::Values(mut values) if values.len() == 1 => values.pop().map_or(Value::Null, Value::String),
        Parameter::Values(values) => values.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn collected(query: &str) -> Result<Value, ApiError> {
        let uri: http::Uri = format!("/x?{query}").parse().unwrap();
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.uri = uri;
        pairs_of(&parts).and_then(collect).map(Value::Object)
    }

    #[test]
    fn brackets_make_lists_and_operators() {
        for (query, value) in [
            ("", json!({})),
            ("q=a%20b+c", json!({ "q": "a b c" })),
            ("id=a", json!({ "id": "a" })),
            ("id=a&id=b", json!({ "id": ["a", "b"] })),
            ("id%5B0%5D=a&id[]=b&id[7]=c", json!({ "id": ["a", "b", "c"] })),
            ("at[$gt]=1&at%5B%24lt%5D=2", json!({ "at": { "$gt": "1", "$lt": "2" } })),
            ("a[b=1", json!({ "a[b": "1" })),
        ] {
            assert_eq!(collected(query), Ok(value), "{query}");
        }
    }

    #[test]
    fn what_is_said_twice_or_cannot_be_stored_is_refused() {
        let long = format!("q={}", "x".repeat(MAX_VALUE_BYTES + 1));
        for query in ["at=1&at[$gt]=2", "at[$gt]=1&at[$gt]=2", "q=a%00b", "q=%0a", "a%00=b", &long] {
            assert!(collected(query).is_err(), "{query}");
        }
    }
}
