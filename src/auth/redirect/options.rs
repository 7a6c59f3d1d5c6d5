//! Reads the options of a provider and says what is wrong with one. Nothing is asked of any other server: a provider that
//! is dead must not keep this one from starting.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    auth::{InvalidOption, Options},
    platform::HttpUrl,
};

/// The longest text of an option, in characters.
const MAX_CHARS: usize = 2_048;

/// The options of one provider, all of which it knows.
pub struct OptionReader<'a> {
    options: BTreeMap<&'a str, &'a Value>,
}

impl<'a> OptionReader<'a> {
    /// The options of a provider that knows these names.
    ///
    /// # Errors
    /// [`InvalidOption`] for another name.
    pub fn of(options: &'a Options, known: &[&[&str]]) -> Result<Self, InvalidOption> {
        let mut known = known.concat();
        known.sort_unstable();
        if let Some(name) = options.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(InvalidOption::new(name, format!("unknown, known are: {}", known.join(", "))));
        }
        Ok(Self { options: options.iter().map(|(name, value)| (name.as_str(), value)).collect() })
    }

    /// A text.
    ///
    /// # Errors
    /// [`InvalidOption`] if it is something else, empty or far too long.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, InvalidOption> {
        self.options.get(name).map(|value| text_of(name, value)).transpose()
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// As [`Self::text`], and where it is missing.
    pub fn required(&self, name: &str) -> Result<&'a str, InvalidOption> {
        self.text(name)?.ok_or_else(|| InvalidOption::new(name, "is missing"))
    }

    /// Yes or no.
    ///
    /// # Errors
    /// [`InvalidOption`] if it is something else.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, InvalidOption> {
        match self.options.get(name) {
            None => Ok(default),
            // Variables of the environment are texts.
            Some(Value::String(text)) if text == "true" || text == "false" => Ok(text == "true"),
            Some(value) => value.as_bool().ok_or_else(|| InvalidOption::new(name, "must be true or false")),
        }
    }

    /// Several texts: a list, or one text with blanks or commas between them.
    ///
    /// # Errors
    /// [`InvalidOption`] if one is no text.
    pub fn list(&self, name: &str) -> Result<Vec<&'a str>, InvalidOption> {
        match self.options.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => values.iter().map(|value| text_of(name, value)).collect(),
            Some(Value::String(text)) => Ok(text.split([' ', ',']).filter(|part| !part.is_empty()).collect()),
            Some(_) => Err(InvalidOption::new(name, "must be a list of texts")),
        }
    }

    /// The address of another server.
    ///
    /// # Errors
    /// As [`check_web_url`].
    pub fn url(&self, name: &str, default: &'a str) -> Result<&'a str, InvalidOption> {
        let text = self.text(name)?.unwrap_or(default);
        check_web_url(name, text)?;
        Ok(text)
    }
}

fn text_of<'a>(name: &str, value: &'a Value) -> Result<&'a str, InvalidOption> {
    let text = value.as_str().ok_or_else(|| InvalidOption::new(name, "must be text"))?;
    if text.trim().is_empty() {
        return Err(InvalidOption::new(name, "must not be empty"));
    }
    if text.chars().count() > MAX_CHARS || text.chars().any(char::is_control) {
        return Err(InvalidOption::new(name, "must be one line of at most 2048 characters"));
    }
    Ok(text)
}

/// Checks an address that people or secrets are sent to: https, http on this machine alone, and nothing behind `#`.
///
/// # Errors
/// [`InvalidOption`] says what is wrong with it.
pub fn check_web_url(name: &str, text: &str) -> Result<HttpUrl, InvalidOption> {
    let url: HttpUrl = text.parse().map_err(|error| InvalidOption::new(name, format!("{error}")))?;
    if text.contains(char::is_whitespace) || text.contains('#') {
        return Err(InvalidOption::new(name, "must hold no blank and no `#`"));
    }
    if !url.is_https() && !url.is_this_machine() {
        return Err(InvalidOption::new(name, "must begin with `https://`; `http://` is for this machine alone"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reason_of(name: &str, value: Value) -> Option<String> {
        let options = Options::from_iter([(name.to_owned(), value)]);
        let read = OptionReader::of(&options, &[&["flag", "text", "list", "url"]]);
        let reason = read.and_then(|reader| {
            reader.flag("flag", false)?;
            reader.text("text")?;
            reader.list("list")?;
            reader.url("url", "https://id.example.org").map(drop)
        });
        reason.err().map(|error| error.to_string())
    }

    #[test]
    fn what_is_wrong_with_an_option_is_said() {
        for (name, value, reason) in [
            ("other", json!(1), "option 'other': unknown, known are: flag, list, text, url"),
            ("flag", json!(1), "option 'flag': must be true or false"),
            ("flag", json!("yes"), "option 'flag': must be true or false"),
            ("text", json!(1), "option 'text': must be text"),
            ("text", json!(" "), "option 'text': must not be empty"),
            ("text", json!("a\nb"), "option 'text': must be one line of at most 2048 characters"),
            ("text", json!("a".repeat(2_049)), "option 'text': must be one line of at most 2048 characters"),
            ("list", json!(1), "option 'list': must be a list of texts"),
            ("list", json!([1]), "option 'list': must be text"),
            ("url", json!("id.example.org"), "option 'url': must be a URL such as `https://app.example.org/hooks`"),
            ("url", json!("ftp://id.example.org"), "option 'url': must begin with `https://` or `http://`"),
            ("url", json!("https://a@id.example.org"), "option 'url': must hold no user name and no password"),
            ("url", json!("https://id.example.org/#a"), "option 'url': must hold no blank and no `#`"),
            (
                "url",
                json!("http://id.example.org"),
                "option 'url': must begin with `https://`; `http://` is for this machine alone",
            ),
            (
                "url",
                json!("http://127.0.0.1.example.org"),
                "option 'url': must begin with `https://`; `http://` is for this machine alone",
            ),
        ] {
            assert_eq!(reason_of(name, value.clone()).as_deref(), Some(reason), "{name} = {value}");
        }
    }

    #[test]
    fn a_right_option_is_read() {
        for (name, value) in [
            ("flag", json!(true)),
            ("flag", json!("false")),
            ("text", json!("s3cret")),
            ("list", json!("a b,c")),
            ("list", json!(["a", "b"])),
            ("url", json!("http://localhost:4000/a")),
            ("url", json!("http://127.0.0.1:4000")),
            ("url", json!("http://[::1]:4000")),
            ("url", json!("https://10.0.0.1/realms/a")),
        ] {
            assert_eq!(reason_of(name, value.clone()), None, "{name} = {value}");
        }
    }
}
