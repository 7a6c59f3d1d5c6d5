//! Which fields of a thing an answer holds: `fields=email,role` these, `fields=+x,-y` all but what is taken away. The id
//! is always there, since it is what a thing is asked for by. An unknown field is refused.

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::{Map, Value};

use super::error::ApiError;

/// What is asked for, not checked yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<String>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Value::String(text) = Value::deserialize(deserializer)? else {
            return Err(D::Error::custom("must be one list with commas"));
        };
        let words = text.split(',').filter(|word| !word.trim().is_empty());
        Ok(Self(words.map(read_word).collect()))
    }
}

/// A `+` that nobody has escaped is a space by the time it is here.
fn read_word(word: &str) -> String {
    let name = word.trim();
    let is_added = word.starts_with(' ') && !name.starts_with(['+', '-']);
    if is_added { format!("+{name}") } else { name.to_owned() }
}

impl Fields {
    /// Which of the `known` fields are shown.
    ///
    /// # Errors
    /// `invalid_data` names the first field that is not known.
    pub fn choose(&self, known: &[&'static str]) -> Result<Chosen, ApiError> {
        let is_plain = |word: &String| !word.starts_with(['+', '-']);
        let mut shown: Vec<&'static str> = if self.0.iter().any(is_plain) { vec!["id"] } else { known.to_vec() };
        for word in &self.0 {
            let name = word.strip_prefix(['+', '-']).unwrap_or(word);
            let Some(name) = known.iter().find(|known| **known == name) else {
                return Err(ApiError::invalid_field("fields", &format!("there is no field '{name}'")));
            };
            if !word.starts_with('-') {
                shown.push(name);
            } else if *name != "id" {
                shown.retain(|shown| shown != name);
            }
        }
        Ok(Chosen(shown))
    }
}

/// The fields that are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen(Vec<&'static str>);

impl Chosen {
    /// What is shown of a thing.
    ///
    /// # Errors
    /// `unknown_error` for what is no object.
    pub fn of(&self, thing: &impl Serialize) -> Result<Map<String, Value>, ApiError> {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(thing) else { return Err(ApiError::internal()) };
        fields.retain(|name, _| self.0.iter().any(|shown| shown == name));
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KNOWN: [&str; 4] = ["id", "email", "role", "metadata"];

    fn chosen(text: &str) -> Option<Vec<String>> {
        let fields: Fields = serde_json::from_value(json!(text)).unwrap();
        let thing = json!({ "id": 1, "email": 2, "role": 3, "metadata": 4 });
        let shown = fields.choose(&KNOWN).ok()?.of(&thing).ok()?;
        Some(KNOWN.iter().filter(|name| shown.contains_key(**name)).map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn fields_are_named_added_and_taken_away() {
        for (text, shown) in [
            ("", &KNOWN[..]),
            (",", &KNOWN),
            ("email", &["id", "email"]),
            ("email,role", &["id", "email", "role"]),
            ("email, role", &["id", "email", "role"]),
            ("+email", &KNOWN),
            (" email", &KNOWN),
            ("   ,email,  role ,", &["id", "email", "role"]),
            (" -metadata", &["id", "email", "role"]),
            ("-metadata", &["id", "email", "role"]),
            ("-metadata,-id", &["id", "email", "role"]),
            ("email,+role", &["id", "email", "role"]),
        ] {
            assert_eq!(
                chosen(text).as_deref(),
                Some(shown.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>().as_slice()),
                "{text}"
            );
        }
        for text in ["password", "*", "-x", "+x", "++email", "-", "email,id.x", "EMAIL"] {
            assert_eq!(chosen(text), None, "{text}");
        }
    }
}
