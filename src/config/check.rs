//! What no single setting can know: rules between settings, and what is allowed but probably not meant.

use std::{collections::HashSet, net::IpAddr, ops::RangeInclusive, time::Duration};

use super::{Config, ServerSettings, SessionSettings, USER_ACTOR, providers};
use crate::{
    flows::InviteSettings,
    platform::{Encryption, MailSettings, Sender, Transport},
};

/// The prefix that binds a cookie to one host over TLS (RFC 6265bis §4.1.3.2).
const HOST_PREFIX: &str = "__Host-";
/// The prefix of a cookie that is only sent over TLS.
const SECURE_PREFIX: &str = "__Secure-";
/// Words that stand in the place of an actor type in a path of the API.
const RESERVED_ACTORS: [&str; 10] =
    ["signin", "signout", "callback", "session", "csrf", "providers", "token", "mfa", "error", "forward"];
/// The word that stands in the place of a provider in a path of the API.
const RESERVED_PROVIDER: &str = "providers";
/// How long a mail may take: what is shorter would fail on a slow day, and what is longer holds up the next mail.
const SMTP_TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(5);
/// The longest id of a provider or actor type.
const MAX_ID_CHARS: usize = 64;

/// A rule that is broken, with the key that breaks it.
#[derive(Debug)]
pub(super) struct Wrong {
    pub key: String,
    pub problem: String,
}

type Checked = Result<(), Wrong>;

fn wrong(key: &str, problem: impl Into<String>) -> Checked {
    Err(Wrong { key: key.to_owned(), problem: problem.into() })
}

/// Fills in what follows from other settings.
pub(super) fn complete(config: &mut Config) {
    let all = providers::all_of(&config.providers);
    config.actors.entry(USER_ACTOR.to_owned()).or_insert(all);
    for domain in &mut config.registration.allowed_domains {
        *domain = domain.trim().trim_start_matches('@').to_lowercase();
    }
    config.registration.require_verified_email.get_or_insert(config.mail.is_sent());
    if let Some(domain) = &mut config.session.cookie_domain {
        *domain = domain.trim().trim_start_matches('.').to_ascii_lowercase();
    }
    let name = &config.session.cookie_name;
    if config.server.public_url.is_https() && !name.starts_with(HOST_PREFIX) && !name.starts_with(SECURE_PREFIX) {
        let prefix = if config.session.cookie_domain.is_some() { SECURE_PREFIX } else { HOST_PREFIX };
        config.session.cookie_name = format!("{prefix}{name}");
    }
}

/// Checks all rules between settings.
pub(super) fn check(config: &Config) -> Checked {
    check_server(config)?;
    check_session(config)?;
    check_password(config)?;
    check_log(config)?;
    check_registration(config)?;
    check_invites(config)?;
    check_mail(config)?;
    check_providers(config)?;
    check_webhooks(config)?;
    if let Err(error) = config.resolve_user.to_endpoint() {
        return wrong(&format!("resolve_user.{}", error.setting), error.problem);
    }
    check_actors(config)
}

fn check_server(config: &Config) -> Checked {
    let server = &config.server;
    for (key, duration) in [
        ("server.header_timeout", server.header_timeout),
        ("server.request_timeout", server.request_timeout),
        ("server.shutdown_timeout", server.shutdown_timeout),
    ] {
        if duration.is_zero() {
            return wrong(key, "must be longer than nothing");
        }
    }
    if server.idle_timeout < server.request_timeout {
        return wrong("server.idle_timeout", "must not be shorter than `server.request_timeout`");
    }
    Ok(())
}

fn check_session(config: &Config) -> Checked {
    let session = &config.session;
    let name = &session.cookie_name;
    let bare = name.trim_start_matches(HOST_PREFIX).trim_start_matches(SECURE_PREFIX);
    // A token of RFC 9110 §5.6.2, less what cookie parsers disagree on.
    let is_token = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !is_token {
        return wrong("session.cookie_name", "must be letters, digits, `-`, `_` and `.`");
    }
    if bare != name && !config.server.public_url.is_https() {
        return wrong("session.cookie_name", "browsers take this prefix over https only; `server.public_url` is http");
    }
    let host = config.server.public_url.host();
    let is_above = |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.'));
    match session.cookie_domain.as_deref() {
        Some(domain) if !domain.contains('.') || domain.parse::<IpAddr>().is_ok() || !is_above(domain) => {
            return wrong(
                "session.cookie_domain",
                format!("must be `{host}` or a domain above it, such as `example.org`"),
            );
        }
        Some(_) if name.starts_with(HOST_PREFIX) => {
            return wrong(
                "session.cookie_name",
                "`__Host-` binds the cookie to one host; `session.cookie_domain` does not",
            );
        }
        _ => {}
    }
    if session.idle.is_zero() {
        return wrong("session.idle", "must be longer than nothing");
    }
    match session.idle > session.absolute {
        true if session.idle == SessionSettings::default().idle => {
            wrong("session.absolute", "must not be shorter than `session.idle`, which is 7d by default")
        }
        true => wrong("session.idle", "must not be longer than `session.absolute`"),
        false => Ok(()),
    }
}

fn check_password(config: &Config) -> Checked {
    match config.password.problem() {
        Some(problem) => wrong("password.memory_kib", problem),
        None => Ok(()),
    }
}

fn check_log(config: &Config) -> Checked {
    match config.log.problem() {
        Some(problem) => wrong("log.filter", problem),
        None => Ok(()),
    }
}

fn check_registration(config: &Config) -> Checked {
    let is_domain = |domain: &str| {
        !domain.is_empty() && !domain.contains(|c: char| c == '@' || c == '*' || c == '/' || c.is_whitespace())
    };
    match config.registration.allowed_domains.iter().find(|domain| !is_domain(domain)) {
        Some(domain) => {
            wrong("registration.allowed_domains", format!("`{domain}` is not a domain such as `example.org`"))
        }
        None => Ok(()),
    }
}

fn check_invites(config: &Config) -> Checked {
    if InviteSettings::BOUNDS.contains(&config.invites.expires_in) {
        return Ok(());
    }
    wrong("invites.expires_in", "must be from 1h to 30d")
}

fn check_mail(config: &Config) -> Checked {
    let MailSettings { transport, from, directory, smtp } = &config.mail;
    if from.as_deref().is_some_and(|from| Sender::parse(from).is_none()) {
        return wrong("mail.from", "must be one sender: `name@example.org` or `Name <name@example.org>`");
    }
    if *transport == Transport::File && directory.as_os_str().is_empty() {
        return wrong("mail.directory", "must be a directory");
    }
    if smtp.host.is_empty() || smtp.host.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return wrong("mail.smtp.host", "must be the name or address of a mail server");
    }
    if smtp.port == Some(0) {
        return wrong("mail.smtp.port", "must be a port");
    }
    if !SMTP_TIMEOUT.contains(&smtp.timeout) {
        return wrong("mail.smtp.timeout", "must be between 1s and 5m");
    }
    match (&smtp.username, &smtp.password) {
        (None, Some(_)) => wrong("mail.smtp.username", "is missing: there is a `mail.smtp.password`"),
        (Some(_), None) => wrong("mail.smtp.password", "is missing: there is a `mail.smtp.username`"),
        _ => Ok(()),
    }
}

fn check_providers(config: &Config) -> Checked {
    let mut seen = HashSet::new();
    for provider in &config.providers {
        let id = provider.id.as_str();
        if id == RESERVED_PROVIDER {
            return wrong("providers.id", format!("`{id}` can't be the id of a provider"));
        }
        if !is_id(id) {
            return wrong("providers.id", format!("`{id}` must be small letters, digits, `-` and `_`"));
        }
        if !seen.insert(id) {
            return wrong("providers.id", format!("`{id}` stands there twice"));
        }
    }
    if seen.is_empty() { wrong("providers", "without a provider nobody can log in") } else { Ok(()) }
}

fn check_webhooks(config: &Config) -> Checked {
    let mut seen = HashSet::new();
    for webhook in &config.webhooks {
        let id = webhook.id.as_str();
        if !is_id(id) {
            return wrong("webhooks.id", format!("`{id}` must be small letters, digits, `-` and `_`"));
        }
        if !seen.insert(id) {
            return wrong("webhooks.id", format!("`{id}` stands there twice"));
        }
        if let Err(error) = webhook.to_endpoint() {
            return wrong(&format!("webhooks.{id}.{}", error.setting), error.problem);
        }
    }
    Ok(())
}

fn check_actors(config: &Config) -> Checked {
    for (name, actor) in &config.actors {
        let key = format!("actors.{name}.providers");
        if !is_id(name) || RESERVED_ACTORS.contains(&name.as_str()) {
            return wrong(&key, format!("`{name}` can't be the name of an actor type"));
        }
        let is_known = |id: &String| config.providers.iter().any(|provider| provider.id == *id);
        if let Some(id) = actor.providers.iter().find(|id| !is_known(id)) {
            return wrong(&key, format!("no provider has the id `{id}`"));
        }
    }
    Ok(())
}

fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.len() <= MAX_ID_CHARS && text.bytes().all(is_plain)
}

/// What is allowed but probably not meant.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    let public_url = &config.server.public_url;
    if config.registration.requires_verified_email() && !config.mail.is_sent() {
        let text = "registration.require_verified_email holds, but mail.transport is `outbox`: an admin has to hand on \
            every link by which an address is confirmed";
        warnings.push(text.to_owned());
    }
    if config.password.is_below_default_cost() {
        warnings.push("password hashes cost less than the default: stolen ones are cheaper to guess".to_owned());
    }
    let listen = &config.server.listen;
    if *public_url == ServerSettings::default().public_url && listen.port() != ServerSettings::default().listen.port() {
        warnings.push(format!(
            "server.listen is {listen}, but every link leads to {public_url}: set server.public_url to how people reach it"
        ));
    }
    let smtp = &config.mail.smtp;
    let is_exposed = smtp.encryption == Encryption::None && smtp.password.is_some() && !smtp.is_local();
    if config.mail.transport == Transport::Smtp && is_exposed {
        warnings.push("mail.smtp.encryption is `none`: the password travels to the mail server in the open".to_owned());
    }
    if !public_url.is_https() && !public_url.is_local() {
        warnings.push(format!("server.public_url is {public_url}: passwords and cookies travel without encryption"));
    }
    warnings
}
