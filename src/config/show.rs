//! The settings as TOML for people to look at, without secrets.

use toml::Value;

use super::Config;

/// What stands in the place of a secret.
const REDACTED: &str = "(redacted)";
/// An option whose name holds one of these words is a secret.
const SECRET_WORDS: [&str; 6] = ["secret", "password", "token", "key", "credential", "private"];

pub(super) fn to_toml_redacted(config: &Config) -> String {
    let mut config = config.clone();
    for provider in &mut config.providers {
        for (name, value) in &mut provider.options {
            redact(name, value);
        }
    }
    // The database URL is written without its password by its own type.
    toml::to_string_pretty(&config).unwrap_or_default()
}

fn redact(name: &str, value: &mut Value) {
    let name = name.to_lowercase();
    if SECRET_WORDS.iter().any(|word| name.contains(word)) {
        *value = Value::String(REDACTED.to_owned());
        return;
    }
    match value {
        Value::Table(table) => table.iter_mut().for_each(|(name, value)| redact(name, value)),
        Value::Array(values) => values.iter_mut().for_each(|value| redact(&name, value)),
        _ => {}
    }
}
