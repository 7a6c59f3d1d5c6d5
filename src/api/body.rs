//! Bodies of programs: JSON, read strictly. A field that is not known is refused and not passed over, since it was meant
//! to do something; so is one that is missing or of another kind, by its name.

use axum::extract::{FromRequest, Request};
use http::header;
use http_body_util::LengthLimitError;
use serde::{
    Deserializer,
    de::{DeserializeOwned, Visitor},
};
use serde_json::{Map, Value};

use super::error::ApiError;
use crate::web::{http::layers::MAX_BODY_BYTES, state::WebState};

/// The body of a request; an empty one is `{}`.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<WebState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &WebState) -> Result<Self, ApiError> {
        let fields = read_object(request).await?;
        read(fields).map(Self)
    }
}

/// The fields of a JSON body, none where it is empty.
///
/// # Errors
/// What is no JSON object is `invalid_data`, what is too long 413.
pub async fn read_object(request: Request) -> Result<Map<String, Value>, ApiError> {
    let is_json = request.headers().get(header::CONTENT_TYPE).is_none_or(is_json);
    let bytes = axum::body::to_bytes(request.into_body(), MAX_BODY_BYTES).await.map_err(|error| {
        let is_long = std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
        ApiError::for_status(if is_long { http::StatusCode::PAYLOAD_TOO_LARGE } else { http::StatusCode::BAD_REQUEST })
    })?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    if !is_json {
        return Err(ApiError::invalid_data("Invalid request: The body must be JSON (application/json)"));
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(ApiError::invalid_data("Invalid request: The body must be an object")),
        Err(error) => Err(ApiError::invalid_data(format!("Invalid request: The body is no JSON: {error}"))),
    }
}

fn is_json(kind: &http::HeaderValue) -> bool {
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json")
}

/// Reads the fields of a body.
///
/// # Errors
/// `invalid_data` names the fields that are not known, or the one that is missing or wrong.
pub fn read<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, ApiError> {
    let known = fields_of::<T>();
    let unknown: Vec<&str> = fields.keys().map(String::as_str).filter(|name| !known.contains(name)).collect();
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        return Err(ApiError::invalid_data(format!("Invalid request: Unrecognized fields: '{unknown}'")));
    }
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner().to_string();
        ApiError::invalid_data(match reason.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            Some(missing) => format!("Invalid request: Field '{missing}' is required"),
            None => format!("Invalid request: Field '{path}': {reason}"),
        })
    })
}

/// The names of the fields that a type reads, as its derived `Deserialize` tells them.
fn fields_of<T: DeserializeOwned>() -> &'static [&'static str] {
    struct Names<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Names<'_> {
        type Error = serde::de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Self::Error> {
            Err(serde::de::Error::custom("only its fields are asked for"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _name: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            *self.0 = fields;
            self.deserialize_any(visitor)
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut names: &'static [&'static str] = &[];
    // The answer is in `names`; what it is read from holds nothing.
    let _ = T::deserialize(Names(&mut names));
    names
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::shared::Change;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Person {
        email: String,
        #[serde(default)]
        name: Change<String>,
    }

    fn refusal(body: Value) -> String {
        let Value::Object(fields) = body else { unreachable!() };
        format!("{:?}", read::<Person>(fields).unwrap_err())
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(refusal(json!({ "email": "a", "foo": 1 })).contains("Unrecognized fields: 'foo'"));
        assert!(refusal(json!({ "b": 1, "a": 1 })).contains("Unrecognized fields: 'a, b'"));
        assert!(refusal(json!({})).contains("Invalid request: Field 'email' is required"));
        assert!(refusal(json!({ "email": 5 })).contains("Field 'email': invalid type"));
    }

    #[test]
    fn null_takes_away_and_nothing_leaves_alone() {
        let read = |body: Value| read::<Person>(body.as_object().unwrap().clone()).unwrap().name;
        assert_eq!(read(json!({ "email": "a" })), Change::None);
        assert_eq!(read(json!({ "email": "a", "name": null })), Change::To(None));
        assert_eq!(read(json!({ "email": "a", "name": "Ada" })), Change::To(Some("Ada".to_owned())));
    }
}
