//! The known keys and what kind of value each has. Reads environment variables by it, and finds the nearest known key
//! for one that is not. A test holds this table against the settings themselves.

use toml::{Table, Value};

/// What a value looks like, so that a variable's text can become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Bool,
    List,
}

/// Every key with a fixed name.
pub(super) const KEYS: [(&str, Kind); 64] = [
    ("server.listen", Kind::Text),
    ("server.public_url", Kind::Text),
    ("server.trusted_proxies", Kind::List),
    ("server.allowed_origins", Kind::List),
    ("server.forward_origins", Kind::List),
    ("server.max_connections_per_client", Kind::Number),
    ("server.header_timeout", Kind::Text),
    ("server.request_timeout", Kind::Text),
    ("server.idle_timeout", Kind::Text),
    ("server.shutdown_timeout", Kind::Text),
    ("database.url", Kind::Text),
    ("database.max_connections", Kind::Number),
    ("registration.mode", Kind::Text),
    ("registration.allowed_domains", Kind::List),
    ("registration.require_verified_email", Kind::Bool),
    ("invites.expires_in", Kind::Text),
    ("invites.email_match", Kind::Text),
    ("mail.transport", Kind::Text),
    ("mail.from", Kind::Text),
    ("mail.directory", Kind::Text),
    ("mail.smtp.host", Kind::Text),
    ("mail.smtp.port", Kind::Number),
    ("mail.smtp.encryption", Kind::Text),
    ("mail.smtp.ca_file", Kind::Text),
    ("mail.smtp.username", Kind::Text),
    ("mail.smtp.password", Kind::Text),
    ("mail.smtp.timeout", Kind::Text),
    ("session.idle", Kind::Text),
    ("session.absolute", Kind::Text),
    ("session.cookie_name", Kind::Text),
    ("session.cookie_domain", Kind::Text),
    ("password.memory_kib", Kind::Number),
    ("password.iterations", Kind::Number),
    ("password.parallelism", Kind::Number),
    ("password.max_parallel_hashes", Kind::Number),
    ("password.max_queued_hashes", Kind::Number),
    ("limits.log_in_per_ip", Kind::Text),
    ("limits.log_in_per_account", Kind::Text),
    ("limits.log_in_per_account_anywhere", Kind::Text),
    ("limits.ask_passkey_per_ip", Kind::Text),
    ("limits.register_per_ip", Kind::Text),
    ("limits.register_per_account", Kind::Text),
    ("limits.change_password_per_account", Kind::Text),
    ("limits.setup_per_ip", Kind::Text),
    ("limits.recover_per_ip", Kind::Text),
    ("limits.recover_per_account", Kind::Text),
    ("limits.mail_per_account", Kind::Text),
    ("limits.code_per_ip", Kind::Text),
    ("limits.code_per_account", Kind::Text),
    ("limits.code_per_account_anywhere", Kind::Text),
    ("limits.accept_invite_per_ip", Kind::Text),
    ("limits.test_webhook_per_admin", Kind::Text),
    ("log.format", Kind::Text),
    ("log.filter", Kind::Text),
    ("keys.directory", Kind::Text),
    ("resolve_user.url", Kind::Text),
    ("resolve_user.secret", Kind::List),
    ("resolve_user.allow_private", Kind::Bool),
    // Patterns: a star stands for a name that the operator chooses.
    ("actors.*.providers", Kind::List),
    ("providers.*.kind", Kind::Text),
    ("webhooks.*.url", Kind::Text),
    ("webhooks.*.secret", Kind::List),
    ("webhooks.*.events", Kind::List),
    ("webhooks.*.allow_private", Kind::Bool),
];
/// The start of a provider's options, whose names only the provider knows.
const OPTIONS: [&str; 3] = ["providers", "*", "options"];

/// The kind of the key at `path`; `None` if it is unknown.
pub(super) fn kind_of(path: &[&str]) -> Option<Kind> {
    let is_match = |pattern: &[&str]| {
        pattern.len() == path.len() && pattern.iter().zip(path).all(|(part, name)| *part == "*" || part == name)
    };
    let is_option = path.len() == 4 && is_match(&[OPTIONS[0], OPTIONS[1], OPTIONS[2], path[3]]);
    let key = KEYS.iter().find(|(key, _)| is_match(&key.split('.').collect::<Vec<_>>()));
    key.map(|(_, kind)| *kind).or(is_option.then_some(Kind::Text))
}

/// Whether `name` is a known key with one underscore where two belong: `server_listen`.
pub(super) fn looks_like_key(name: &str) -> bool {
    KEYS.iter().any(|(key, _)| key.replace('.', "_") == name)
}

/// The known key or section that is spelled most like `key`; a key may also lack its section. What only a provider can know
/// belongs among its options.
pub(super) fn nearest(key: &str) -> String {
    if let Some(option) = option_meant(key) {
        return option;
    }
    let known = KEYS.iter().map(|(known, _)| *known).filter(|known| !known.contains('*'));
    let spellings = known.flat_map(|known| {
        let (section, name) = known.split_once('.').unwrap_or((known, known));
        [(known, known), (section, section), (name, known)]
    });
    let nearest = spellings.min_by_key(|(spelling, _)| strsim::damerau_levenshtein(spelling, key));
    nearest.map_or("server", |(_, known)| known).to_owned()
}

/// The option that is meant by a key of a provider itself: `providers.google.client_id`, in a file without the id.
fn option_meant(key: &str) -> Option<String> {
    let (of, name) = key.rsplit_once('.')?;
    let mut path = of.split('.');
    if path.next() != Some(OPTIONS[0]) || path.nth(1).is_some() {
        return None;
    }
    let like =
        ["id", "kind", "options"].into_iter().find(|known| strsim::damerau_levenshtein(known, name) <= known.len() / 2);
    Some(like.map_or_else(|| format!("{of}.{}.{name}", OPTIONS[2]), |known| format!("{of}.{known}")))
}

/// The first unknown key of a file, as a dotted path.
pub(super) fn unknown_key(file: &Table) -> Option<String> {
    file.iter().find_map(|(section, value)| unknown_in_section(section, value))
}

/// A value of the wrong type is not looked into; the settings themselves refuse it later.
fn unknown_in_section(section: &str, value: &Value) -> Option<String> {
    if !KEYS.iter().any(|(key, _)| key.split('.').next() == Some(section)) {
        return Some(section.to_owned());
    }
    let within = |inner: &str| format!("{section}.{inner}");
    match (section, value) {
        ("providers", Value::Array(providers)) => {
            let mut names = providers.iter().filter_map(Value::as_table).flat_map(Table::keys);
            names.find(|name| !["id", "kind", "options"].contains(&name.as_str())).map(|name| within(name))
        }
        ("webhooks", Value::Array(webhooks)) => {
            let mut names = webhooks.iter().filter_map(Value::as_table).flat_map(Table::keys);
            let is_known = |name: &str| name == "id" || kind_of(&[section, "*", name]).is_some();
            names.find(|name| !is_known(name)).map(|name| within(name))
        }
        ("actors", Value::Table(actors)) => actors.iter().find_map(|(actor, value)| {
            let name = value.as_table()?.keys().find(|name| *name != "providers")?;
            Some(within(&format!("{actor}.{name}")))
        }),
        ("mail", Value::Table(mail)) => mail.iter().find_map(|(key, value)| match (key.as_str(), value) {
            ("smtp", Value::Table(smtp)) => {
                let unknown = smtp.keys().find(|key| kind_of(&[section, "smtp", key.as_str()]).is_none())?;
                Some(within(&format!("smtp.{unknown}")))
            }
            ("smtp", _) => None,
            _ => kind_of(&[section, key]).is_none().then(|| within(key)),
        }),
        (_, Value::Table(keys)) => {
            keys.keys().find(|key| kind_of(&[section, key.as_str()]).is_none()).map(|key| within(key))
        }
        _ => None,
    }
}

/// Turns the text of a variable into a value of `kind`.
pub(super) fn value_of(kind: Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Text => Ok(Value::String(text.to_owned())),
        Kind::Number => text.trim().parse().map(Value::Integer).map_err(|_| format!("`{text}` is not a whole number")),
        Kind::Bool => {
            text.trim().parse().map(Value::Boolean).map_err(|_| format!("`{text}` is neither true nor false"))
        }
        Kind::List if text.trim_start().starts_with('[') => toml_list(text),
        Kind::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
    }
}

fn toml_list(text: &str) -> Result<Value, String> {
    let table: Table = format!("list = {text}").parse().map_err(|_| "is not a list in TOML".to_owned())?;
    table.get("list").cloned().ok_or_else(|| "is not a list in TOML".to_owned())
}
