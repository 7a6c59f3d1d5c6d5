//! Values of bodies and addresses as the types of the domain: each is checked where it is read, so that a refusal names
//! its field.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::{Map, Value};

use crate::{
    flows::InviteSettings,
    platform::{Timestamp, duration_text},
    shared::PersonName,
    users::{AvatarUrl, InviteNote, Span},
};

/// The most bytes of metadata, as JSON without spaces.
const MAX_METADATA_BYTES: usize = 16 * 1024;
/// The most characters of a search.
pub const MAX_SEARCH_CHARS: usize = 200;
/// The most ids of one request.
pub const MAX_IDS: usize = 100;
/// The most characters of an id.
pub const MAX_ID_CHARS: usize = 255;
/// The most rows of a page.
pub const MAX_ROWS: u32 = 100;
/// How many rows a page has where nothing is said.
pub const ROWS: u32 = 50;

/// A first or last name; an empty one is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub Option<PersonName>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        PersonName::parse(&text).map(Self).map_err(D::Error::custom)
    }
}

/// A note to who is invited; an empty one is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note(pub Option<InviteNote>);

impl<'de> Deserialize<'de> for Note {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        InviteNote::parse(&text).map(Self).map_err(D::Error::custom)
    }
}

/// Where a picture is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture(pub AvatarUrl);

impl<'de> Deserialize<'de> for Picture {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        AvatarUrl::parse(&text).map(Self).map_err(D::Error::custom)
    }
}

/// What the embedding application keeps: an object of at most 16 KiB, without NUL.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Metadata(pub Map<String, Value>);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Map::deserialize(deserializer)?;
        let value = Value::Object(object);
        if value.to_string().len() > MAX_METADATA_BYTES {
            return Err(D::Error::custom("must have at most 16 KiB"));
        }
        // A database that is asked for it as JSON could not give it back.
        if holds_nul(&value) {
            return Err(D::Error::custom("must not hold NUL"));
        }
        let Value::Object(object) = value else { return Err(D::Error::custom("must be an object")) };
        Ok(Self(object))
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(object) => object.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// How long an invite lasts: a text such as `7d` or `36h`, or a number of seconds; from 1 hour to 30 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InviteLife(pub Duration);

impl<'de> Deserialize<'de> for InviteLife {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let life = match Value::deserialize(deserializer)? {
            Value::String(text) => duration_text::parse(&text).map_err(D::Error::custom)?,
            Value::Number(number) => Duration::from_secs(
                number
                    .as_u64()
                    .ok_or_else(|| D::Error::custom("must be a whole number of seconds or a text like `7d`"))?,
            ),
            _ => return Err(D::Error::custom("must be a text like `7d` or a number of seconds")),
        };
        if InviteSettings::BOUNDS.contains(&life) {
            return Ok(Self(life));
        }
        Err(D::Error::custom("must be from 1 hour to 30 days"))
    }
}

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchText(pub String);

impl<'de> Deserialize<'de> for SearchText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.chars().count() > MAX_SEARCH_CHARS {
            return Err(D::Error::custom("must have at most 200 characters"));
        }
        Ok(Self(text))
    }
}

/// One id or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids(pub Vec<String>);

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ids = match Value::deserialize(deserializer)? {
            Value::String(id) => vec![id],
            other => Vec::<String>::deserialize(other).map_err(D::Error::custom)?,
        };
        if ids.iter().any(|id| id.chars().count() > MAX_ID_CHARS) {
            return Err(D::Error::custom("an id has at most 255 characters"));
        }
        if ids.len() > MAX_IDS {
            return Err(D::Error::custom("at most 100 can be asked for at once"));
        }
        Ok(Self(ids))
    }
}

/// The id of the last row that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Cursor(pub String);

/// How many rows a page has: 1 to 100, 50 where nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(pub u32);

impl Default for PageSize {
    fn default() -> Self {
        Self(ROWS)
    }
}

impl<'de> Deserialize<'de> for PageSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match whole_number(&String::deserialize(deserializer)?) {
            Some(rows) if (1..=MAX_ROWS).contains(&rows) => Ok(Self(rows)),
            _ => Err(D::Error::custom("must be a whole number from 1 to 100")),
        }
    }
}

/// How many rows stand before a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offset(pub u32);

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows = whole_number(&String::deserialize(deserializer)?);
        rows.map(Self).ok_or_else(|| D::Error::custom("must be a whole number from 0 to 4294967295"))
    }
}

/// Digits alone: no sign, no space.
fn whole_number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Where a time may lie. Times are RFC 3339, such as `2026-11-21T14:10:00.123Z`, or a day in UTC, such as `2026-11-21`;
/// they are compared as they are answered, to the millisecond.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times(pub Vec<Span>);

/// The operators of a time.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeOperators {
    #[serde(rename = "$gt")]
    after: Option<Time>,
    #[serde(rename = "$gte")]
    from: Option<Time>,
    #[serde(rename = "$lt")]
    before: Option<Time>,
    #[serde(rename = "$lte")]
    until: Option<Time>,
    #[serde(rename = "$eq")]
    at: Option<Time>,
    #[serde(rename = "$ne")]
    not_at: Option<Time>,
}

/// A millisecond: its beginning, and that of the next.
#[derive(Clone, Copy, Debug)]
struct Time(Timestamp, Timestamp);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let at = Timestamp::parse_rfc3339(&String::deserialize(deserializer)?);
        let at = at.ok_or_else(|| D::Error::custom("must be a time such as `2026-11-21T14:10:00Z`, or a day"))?;
        let at = at.to_milliseconds();
        Ok(Self(at, at.plus(Duration::from_millis(1))))
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let asked = match Value::deserialize(deserializer)? {
            value @ Value::String(_) => {
                TimeOperators { at: Some(Time::deserialize(value).map_err(D::Error::custom)?), ..Default::default() }
            }
            value => TimeOperators::deserialize(value).map_err(D::Error::custom)?,
        };
        let mut spans = Vec::new();
        spans.extend(asked.after.map(|Time(_, next)| Span::From(next)));
        spans.extend(asked.from.map(|Time(at, _)| Span::From(at)));
        spans.extend(asked.before.map(|Time(at, _)| Span::Before(at)));
        spans.extend(asked.until.map(|Time(_, next)| Span::Before(next)));
        spans.extend(asked.at.into_iter().flat_map(|Time(at, next)| [Span::From(at), Span::Before(next)]));
        spans.extend(asked.not_at.map(|Time(at, next)| Span::Outside(at, next)));
        Ok(Self(spans))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn metadata_is_a_small_object() {
        assert!(from_value::<Metadata>(json!({ "a": { "b": [1, null, "c\n"] } })).is_ok());
        let large = json!({ "a": "x".repeat(MAX_METADATA_BYTES) });
        for value in [json!(null), json!([]), json!("a"), large, json!({ "a": ["\0"] }), json!({ "a": { "\0": 1 } })] {
            assert!(from_value::<Metadata>(value).is_err());
        }
    }

    #[test]
    fn an_invite_lasts_a_text_or_seconds() {
        let hours = |hours| InviteLife(Duration::from_hours(hours));
        for (value, life) in
            [(json!("7d"), hours(168)), (json!("36h"), hours(36)), (json!(3600), hours(1)), (json!("30d"), hours(720))]
        {
            assert_eq!(from_value::<InviteLife>(value).unwrap(), life);
        }
        for value in [json!("59m"), json!(3599), json!("31d"), json!(7.5), json!(-1), json!("7"), json!(""), json!([1])]
        {
            assert!(from_value::<InviteLife>(value.clone()).is_err(), "{value}");
        }
    }

    #[test]
    fn times_are_compared_to_the_millisecond() {
        let at = |micros| Timestamp::from_micros(micros);
        let (second, next) = (at(1_000_000), at(1_001_000));
        for (value, spans) in [
            (json!("1970-01-01T00:00:01Z"), vec![Span::From(second), Span::Before(next)]),
            (json!({ "$gt": "1970-01-01T00:00:01.000999Z" }), vec![Span::From(next)]),
            (json!({ "$gte": "1970-01-01T00:00:01Z" }), vec![Span::From(second)]),
            (json!({ "$lt": "1970-01-01T00:00:01Z" }), vec![Span::Before(second)]),
            (json!({ "$lte": "1970-01-01T00:00:01Z" }), vec![Span::Before(next)]),
            (json!({ "$ne": "1970-01-01T00:00:01Z" }), vec![Span::Outside(second, next)]),
            (
                json!({ "$gte": "1970-01-01", "$lt": "1970-01-01T01:00:01+01:00" }),
                vec![Span::From(at(0)), Span::Before(second)],
            ),
        ] {
            assert_eq!(from_value::<Times>(value.clone()).unwrap().0, spans, "{value}");
        }
        for value in
            [json!({ "$foo": "1970-01-01" }), json!("x"), json!({ "$gt": "x" }), json!(["1970-01-01"]), json!("")]
        {
            assert!(from_value::<Times>(value.clone()).is_err(), "{value}");
        }
    }

    #[test]
    fn pages_are_bounded() {
        assert_eq!(from_value::<PageSize>(json!("100")).unwrap(), PageSize(100));
        for text in ["0", "101", "-1", "+5", "5.0", "", "x", "99999999999"] {
            assert!(from_value::<PageSize>(json!(text)).is_err(), "{text}");
        }
        for text in ["-1", "", "+1", "4294967296"] {
            assert!(from_value::<Offset>(json!(text)).is_err(), "{text}");
        }
    }
}
