//! The configuration as operators write it: what is read, what is refused and in which words.

use std::{collections::BTreeSet, fs, path::PathBuf, time::Duration};

use toml::{Table, Value};

use super::{keys::KEYS, *};
use crate::{
    flows::RegistrationMode,
    platform::{
        CaFile, LogFormat, SmtpSettings,
        testing::{CA_CERTIFICATE, TempDir},
    },
};

/// Reads `file` and `env` as the binary does.
fn load(file: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let directory = TempDir::new();
    let path = directory.path().join("latchkey.toml");
    fs::write(&path, file).unwrap();
    Config::load(Some(&path), env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// What is wrong with `file` and `env`, without the path of the file, which differs each time.
fn refusal(file: &str, env: &[(&str, &str)]) -> String {
    let text = load(file, env).unwrap_err().to_string();
    assert!(!text.contains('\n'), "one line: {text}");
    match (text.find('/'), text.find("latchkey.toml")) {
        (Some(start), Some(end)) if start < end => format!("{}{}", &text[..start], &text[end..]),
        _ => text,
    }
}

#[test]
fn everything_has_a_default() {
    let config = load("", &[]).unwrap();
    let mut expected = Config::default();
    expected.registration.require_verified_email = Some(false);
    assert_eq!(config, expected);
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:3000");
    assert_eq!(config.server.public_url.to_string(), "http://localhost:3000");
    assert_eq!(config.database.url.expose(), "sqlite://data/latchkey.db");
    assert_eq!(config.keys.instance_key(), PathBuf::from("data/instance.key"));
    assert_eq!(config.registration.mode, RegistrationMode::Open);
    assert_eq!(config.session.idle, Duration::from_hours(7 * 24));
    assert_eq!(config.session.absolute, Duration::from_hours(30 * 24));
    assert_eq!(config.session.cookie_name, "latchkey");
    assert_eq!((config.password.memory_kib, config.password.iterations, config.password.parallelism), (19_456, 2, 1));
    assert_eq!(config.log.format, None);
    assert_eq!(config.providers.iter().map(|provider| provider.id.as_str()).collect::<Vec<_>>(), ["emailpass"]);
    assert_eq!(config.actors["user"].providers, ["emailpass"]);
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn a_file_sets_what_it_names() {
    let config = load(
        r#"
        [server]
        listen = "[::1]:8080"
        public_url = "https://Login.Example.org:443/"
        trusted_proxies = ["10.0.0.0/8", "2001:db8::1"]
        allowed_origins = ["https://app.example.org"]
        [registration]
        mode = "invite_only"
        allowed_domains = ["Example.org", "@example.net"]
        [session]
        idle = "12h"
        [password]
        max_parallel_hashes = 3
        [limits]
        log_in_per_ip = "off"
        register_per_ip = "3/1h"
        [log]
        format = "json"
        [[providers]]
        id = "emailpass"
        kind = "emailpass"
        [[providers]]
        id = "work"
        kind = "oidc"
        [providers.options]
        issuer = "https://id.example.org"
        [actors.customer]
        providers = ["emailpass"]
        "#,
        &[],
    )
    .unwrap();
    assert_eq!(config.server.public_url.to_string(), "https://login.example.org");
    assert_eq!(config.server.public_url.join("/login"), "https://login.example.org/login");
    assert!(config.server.trusted_proxies[0].contains("10.1.2.3".parse().unwrap()));
    assert!(config.server.trusted_proxies[0].contains("::ffff:10.1.2.3".parse().unwrap()));
    assert!(!config.server.trusted_proxies[1].contains("2001:db8::2".parse().unwrap()));
    assert_eq!(config.registration.allowed_domains, ["example.org", "example.net"]);
    assert_eq!(config.session.cookie_name, "__Host-latchkey");
    assert_eq!(config.password.queue_len(), 96);
    assert!(config.limits.log_in_per_ip.is_off());
    assert_eq!(config.limits.register_per_ip.to_string(), "3/1h");
    assert_eq!(config.log.format, Some(LogFormat::Json));
    assert_eq!(config.providers[1].options["issuer"].as_str(), Some("https://id.example.org"));
    assert_eq!(config.actors["user"].providers, ["emailpass", "work"]);
    assert_eq!(config.actors["customer"].providers, ["emailpass"]);
}

#[test]
fn a_variable_wins_over_the_file() {
    let file = "[server]\nlisten = \"127.0.0.1:1\"\n[session]\nidle = \"1h\"";
    let env = [
        ("LATCHKEY_SERVER__LISTEN", "127.0.0.1:2"),
        ("LATCHKEY_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1"),
        ("LATCHKEY_SERVER__ALLOWED_ORIGINS", "[\"https://a.example.org\", \"https://b.example.org\"]"),
        ("LATCHKEY_REGISTRATION__REQUIRE_VERIFIED_EMAIL", "false"),
        ("LATCHKEY_REGISTRATION__ALLOWED_DOMAINS", ""),
        ("LATCHKEY_PASSWORD__MEMORY_KIB", "32768"),
        ("LATCHKEY_LOG__FORMAT", "pretty"),
        ("LATCHKEY_ACTORS__CUSTOMER__PROVIDERS", "emailpass"),
        ("PATH", "/bin"),
        ("LATCHKEYS", "are no settings"),
    ];
    let config = load(file, &env).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:2");
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(config.server.allowed_origins.len(), 2);
    assert!(!config.registration.requires_verified_email() && config.registration.allowed_domains.is_empty());
    assert_eq!(config.password.memory_kib, 32_768);
    assert_eq!(config.session.idle, Duration::from_hours(1));
    assert_eq!(config.log.format, Some(LogFormat::Pretty));
    assert_eq!(config.actors["customer"].providers, ["emailpass"]);
}

#[test]
fn variables_complete_a_provider_or_add_one() {
    let file = "[[providers]]\nid = \"my-work\"\nkind = \"oidc\"\n[providers.options]\nissuer = \"https://a.example\"";
    let env = [
        ("LATCHKEY_PROVIDERS__MY_WORK__OPTIONS__CLIENT_SECRET", "s3cret"),
        ("LATCHKEY_PROVIDERS__GOOGLE__OPTIONS__CLIENT_ID", "12345"),
    ];
    let config = load(file, &env).unwrap();
    let ids: Vec<_> = config.providers.iter().map(|provider| (provider.id.as_str(), provider.kind.as_str())).collect();
    assert_eq!(ids, [("my-work", "oidc"), ("google", "google")]);
    assert_eq!(config.providers[0].options["client_secret"].as_str(), Some("s3cret"));
    assert_eq!(config.providers[0].options["issuer"].as_str(), Some("https://a.example"));
    assert_eq!(config.providers[1].options["client_id"].as_str(), Some("12345"));

    let config = load("", &[("LATCHKEY_PROVIDERS__GOOGLE__OPTIONS__CLIENT_ID", "1")]).unwrap();
    let ids: Vec<_> = config.providers.iter().map(|provider| provider.id.as_str()).collect();
    assert_eq!(ids, ["emailpass", "google"], "the default stays");
}

const WEBHOOK: &str = "[[webhooks]]\nid = \"my-shop\"\nurl = \"https://app.example.org/hooks?token=t0ken\"\n";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn webhooks_are_read_from_the_file_and_from_variables() {
    let env = [
        ("LATCHKEY_WEBHOOKS__MY_SHOP__SECRET", SECRET),
        ("LATCHKEY_WEBHOOKS__MY_SHOP__EVENTS", "user.*, invite.accepted"),
        ("LATCHKEY_WEBHOOKS__LOG__URL", "http://127.0.0.1:9000/"),
        ("LATCHKEY_WEBHOOKS__LOG__SECRET", &format!("{SECRET},{SECRET}")),
        ("LATCHKEY_WEBHOOKS__LOG__ALLOW_PRIVATE", "true"),
    ];
    let config = load(WEBHOOK, &env).unwrap();
    let endpoints: Vec<_> = config.webhooks.iter().map(|webhook| webhook.to_endpoint().unwrap()).collect();
    let facts: Vec<_> =
        endpoints.iter().map(|one| (one.id.as_str(), one.secrets.len(), one.events.join(" "))).collect();
    assert_eq!(facts, [("my-shop", 1, "user.* invite.accepted".to_owned()), ("log", 2, "*".to_owned())]);
    let shown = format!("{} {config:?}", config.to_toml_redacted());
    assert!(shown.contains("https://app.example.org/hooks"), "{shown}");
    assert!(!shown.contains("t0ken") && !shown.contains("MfKQ9r8GKYqr"), "{shown}");
}

#[test]
fn a_webhook_that_can_never_work_is_refused_with_its_key_and_the_reason() {
    let with = |text: &str| format!("{WEBHOOK}secret = {SECRET:?}\n{text}");
    for (file, message) in [
        (
            with("").replace("my-shop", "My shop"),
            "setting `webhooks.id` in latchkey.toml: `My shop` must be small letters",
        ),
        (with("") + &with(""), "setting `webhooks.id` in latchkey.toml: `my-shop` stands there twice"),
        (
            with("").replace("https", "http"),
            "setting `webhooks.my-shop.url` in latchkey.toml: must begin with `https://`",
        ),
        (
            with("").replace("app.example.org", "0x7f.1"),
            "setting `webhooks.my-shop.url` in latchkey.toml: 127.0.0.1 is a private address",
        ),
        (
            with("").replace("https", "ftp"),
            "setting `webhooks[0].url` in latchkey.toml: must begin with `https://` or `http://`",
        ),
        (with("events = []"), "setting `webhooks.my-shop.events` in latchkey.toml: names none"),
        (
            with("events = [\"users.*\"]"),
            "setting `webhooks.my-shop.events` in latchkey.toml: there are no events `users.*`",
        ),
        (
            with("").replace("LaLaSw", "LaLa"),
            "setting `webhooks.my-shop.secret` in latchkey.toml: must be `whsec_` and 24 to 64",
        ),
        (WEBHOOK.to_owned() + "secret = []", "setting `webhooks.my-shop.secret` in latchkey.toml: must be `whsec_`"),
        (WEBHOOK.to_owned() + "secret = 1", "setting `webhooks[0].secret` in latchkey.toml: must be a text"),
        (WEBHOOK.to_owned(), "setting `webhooks[0]` in latchkey.toml: missing field `secret`"),
        (with("evnets = []"), "unknown setting `webhooks.evnets` in latchkey.toml"),
    ] {
        let refusal = refusal(&file, &[]);
        assert!(refusal.starts_with(message), "{refusal}");
        assert!(!refusal.contains("MfKQ9r8GKYqr") && !refusal.contains("t0ken"), "{refusal}");
    }
    for (name, value, message) in [
        (
            "LATCHKEY_WEBHOOKS__MY_SHOP__SECRET",
            "whsec_c2hvcnQ=",
            "setting `webhooks.my-shop.secret` from LATCHKEY_WEBHOOKS__MY_SHOP__SECRET: ",
        ),
        (
            "LATCHKEY_WEBHOOKS__MY_SHOP__URL",
            "nowhere",
            "setting `webhooks[0].url` from LATCHKEY_WEBHOOKS__MY_SHOP__URL: must be a URL",
        ),
        ("LATCHKEY_WEBHOOKS__MY_SHOP__ID", "x", "unknown setting `webhooks.my_shop.id`"),
    ] {
        let refusal = refusal(&with(""), &[(name, value)]);
        assert!(refusal.starts_with(message), "{refusal}");
    }
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    for (file, message) in [
        (
            "[server]\npublic_ulr = \"http://x\"",
            "unknown setting `server.public_ulr` in latchkey.toml; the nearest known one is `server.public_url`",
        ),
        ("[sever]\nlisten = 1", "unknown setting `sever` in latchkey.toml; the nearest known one is `server`"),
        ("listen = 1", "unknown setting `listen` in latchkey.toml; the nearest known one is `server.listen`"),
        (
            "[pasword]\nmemory_kib = 1",
            "unknown setting `pasword` in latchkey.toml; the nearest known one is `password`",
        ),
        ("[metrics]\ntoken = \"x\"", "unknown setting `metrics` in latchkey.toml; the nearest known one is"),
        (
            "[mail.smtp]\nhsot = \"x\"",
            "unknown setting `mail.smtp.hsot` in latchkey.toml; the nearest known one is `mail.smtp.host`",
        ),
        (
            "[[providers]]\nidd = \"x\"",
            "unknown setting `providers.idd` in latchkey.toml; the nearest known one is `providers.id`",
        ),
        (
            "[[providers]]\nid = \"google\"\nkind = \"google\"\nclient_id = \"x\"",
            "unknown setting `providers.client_id` in latchkey.toml; the nearest known one is `providers.options.client_id`",
        ),
        ("[actors.user]\nprovider = []", "unknown setting `actors.user.provider` in latchkey.toml"),
    ] {
        let refusal = refusal(file, &[]);
        assert!(refusal.starts_with(message), "{refusal}");
    }
    for (name, nearest) in [
        ("LATCHKEY_SERVER__PUBLIC_ULR", "LATCHKEY_SERVER__PUBLIC_URL"),
        ("LATCHKEY_SERVER_PUBLIC_URL", "LATCHKEY_SERVER__PUBLIC_URL"),
        ("LATCHKEY_DATABASE_URL", "LATCHKEY_DATABASE__URL"),
        ("LATCHKEY_SERVER__LISTEN__PORT", "LATCHKEY_SERVER__LISTEN"),
        ("LATCHKEY_PROVIDERS__FIRM__CLIENT_SECRET", "LATCHKEY_PROVIDERS__FIRM__OPTIONS__CLIENT_SECRET"),
        ("LATCHKEY_PROVIDERS__FIRM__KNID", "LATCHKEY_PROVIDERS__FIRM__KIND"),
    ] {
        let refusal = refusal("", &[(name, "x")]);
        assert!(refusal.contains(&format!("from {name};")), "{refusal}");
        assert!(refusal.ends_with(&format!("the nearest known one is `{nearest}`")), "{refusal}");
    }
}

#[test]
fn a_variable_that_is_no_setting_is_left_alone() {
    for name in [
        "LATCHKEY_SERVICE_HOST",
        "LATCHKEY_SERVICE_PORT_HTTP",
        "LATCHKEY_PORT",
        "LATCHKEY_PORT_3000_TCP_ADDR",
        "LATCHKEY_TEST_POSTGRES",
        "latchkey_server__listen",
    ] {
        assert_eq!(load("", &[(name, "tcp://10.0.0.1:3000")]).unwrap(), load("", &[]).unwrap(), "{name}");
    }
}

#[test]
fn a_wrong_value_is_refused_with_its_key_and_origin() {
    for (file, parts) in [
        ("[server]\nlisten = \"localhost\"", ["`server.listen` in latchkey.toml", "socket address"]),
        ("[server]\nlisten = 3000", ["`server.listen` in latchkey.toml", "expected"]),
        ("server = 3", ["`server` in latchkey.toml", "expected"]),
        ("[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"x\"]", ["`server.trusted_proxies[1]`", "`x` is neither"]),
        ("[server]\npublic_url = \"example.org\"", ["`server.public_url`", "https://"]),
        ("[server]\npublic_url = \"ftp://example.org\"", ["`server.public_url`", "http"]),
        ("[server]\npublic_url = \"https://example.org/app\"", ["`server.public_url`", "no path"]),
        ("[server]\npublic_url = \"https://ada@example.org\"", ["`server.public_url`", "user name"]),
        ("[server]\npublic_url = \"https://example.org?x\"", ["`server.public_url`", "query"]),
        ("[server]\npublic_url = \"https://\"", ["`server.public_url`", "must be a URL"]),
        ("[server]\nrequest_timeout = \"0s\"", ["`server.request_timeout`", "longer"]),
        ("[server]\nidle_timeout = \"29s\"", ["`server.idle_timeout`", "`server.request_timeout`"]),
        ("[server]\nmax_connections_per_client = 0", ["`server.max_connections_per_client`", "nonzero"]),
        ("[database]\nurl = \"mysql://x\"", ["`database.url`", "sqlite://"]),
        ("[database]\nurl = \"sqlite::memory:\"", ["`database.url`", "in memory"]),
        ("[database]\nmax_connections = 0", ["`database.max_connections`", "nonzero"]),
        ("[invites]\nexpires_in = \"59m\"", ["`invites.expires_in`", "1h to 30d"]),
        ("[registration]\nmode = \"maybe\"", ["`registration.mode`", "invite_only"]),
        ("[registration]\nallowed_domains = [\"a b\"]", ["`registration.allowed_domains`", "`a b`"]),
        ("[session]\nidle = \"7\"", ["`session.idle`", "`15m`"]),
        ("[session]\nidle = 7", ["`session.idle`", "string"]),
        ("[session]\nidle = \"31d\"", ["`session.idle`", "session.absolute"]),
        ("[session]\nabsolute = \"1d\"", ["`session.absolute` in latchkey.toml", "session.idle"]),
        ("[session]\nidle = \"0s\"", ["`session.idle`", "longer"]),
        ("[session]\ncookie_name = \"a b\"", ["`session.cookie_name`", "letters"]),
        ("[session]\ncookie_name = \"\"", ["`session.cookie_name`", "letters"]),
        ("[session]\ncookie_name = \"__Host-x\"", ["`session.cookie_name`", "https"]),
        ("[password]\nmemory_kib = -1", ["`password.memory_kib`", ""]),
        ("[password]\nmemory_kib = 4", ["`password.memory_kib`", "cost"]),
        ("[password]\nmax_parallel_hashes = 0", ["`password.max_parallel_hashes`", "nonzero"]),
        ("[limits]\nlog_in_per_ip = \"30\"", ["`limits.log_in_per_ip`", "`30/1m`"]),
        ("[mail]\nfrom = \"a@example.org, b@example.org\"", ["`mail.from` in latchkey.toml", "one sender"]),
        ("[mail]\ntransport = \"pigeon\"", ["`mail.transport`", "smtp"]),
        ("[mail]\ntransport = \"file\"\ndirectory = \"\"", ["`mail.directory`", "directory"]),
        ("[mail.smtp]\nhost = \"\"", ["`mail.smtp.host`", "mail server"]),
        ("[mail.smtp]\nport = 70000", ["`mail.smtp.port`", ""]),
        ("[mail.smtp]\nencryption = \"some\"", ["`mail.smtp.encryption`", "starttls"]),
        (
            "[mail.smtp]\nca_file = \"/nowhere/ca.pem\"",
            ["`mail.smtp.ca_file`", "/nowhere/ca.pem can't be read: No such file"],
        ),
        ("[mail.smtp]\nca_file = \"Cargo.toml\"", ["`mail.smtp.ca_file`", "no certificate"]),
        ("[mail.smtp]\ntimeout = \"10m\"", ["`mail.smtp.timeout`", "5m"]),
        ("[mail.smtp]\npassword = \"x\"", ["`mail.smtp.username`", "missing"]),
        ("[mail.smtp]\nusername = \"x\"", ["`mail.smtp.password`", "missing"]),
        ("[log]\nformat = \"xml\"", ["`log.format`", "pretty"]),
        ("[log]\nfilter = \"latchkey=loud\"", ["`log.filter` in latchkey.toml", "filter"]),
        ("providers = []", ["`providers`", "nobody can log in"]),
        ("[[providers]]\nkind = \"x\"", ["`providers[0]`", "id"]),
        ("[[providers]]\nid = \"A b\"\nkind = \"x\"", ["`providers.id`", "small letters"]),
        ("[actors.user]\nproviders = [\"nope\"]", ["`actors.user.providers`", "`nope`"]),
        ("[actors.session]\nproviders = []", ["`actors.session.providers`", "can't be the name"]),
    ] {
        let refusal = refusal(file, &[]);
        assert!(parts.iter().all(|part| refusal.contains(part)), "{file}: {refusal}");
    }
}

#[test]
fn a_provider_id_stands_once() {
    let one = "[[providers]]\nid = \"a\"\nkind = \"emailpass\"\n";
    assert!(refusal(&one.repeat(2), &[]).contains("`a` stands there twice"));
}

#[test]
fn no_actor_type_and_no_provider_stands_in_the_way_of_a_path() {
    for name in [
        "signin",
        "signout",
        "callback",
        "session",
        "csrf",
        "providers",
        "token",
        "mfa",
        "error",
        "forward",
        "A",
        "a/b",
    ] {
        assert!(refusal(&format!("[actors.\"{name}\"]\nproviders = []"), &[]).contains("can't be the name"), "{name}");
    }
    let provider = "[[providers]]\nid = \"providers\"\nkind = \"emailpass\"";
    assert!(refusal(provider, &[]).contains("`providers` can't be the id"));
}

#[test]
fn a_wrong_variable_is_named() {
    for (name, value, problem) in [
        ("LATCHKEY_SERVER__LISTEN", "x", "socket address"),
        ("LATCHKEY_PASSWORD__MEMORY_KIB", "lots", "`lots` is not a whole number"),
        ("LATCHKEY_REGISTRATION__REQUIRE_VERIFIED_EMAIL", "yes", "`yes` is neither true nor false"),
        ("LATCHKEY_SERVER__TRUSTED_PROXIES", "10.0.0.0/8,x", "`x` is neither"),
        ("LATCHKEY_SERVER__TRUSTED_PROXIES", "[\"10.0.0.0/8\"", "list"),
        ("LATCHKEY_SESSION__IDLE", "60d", "session.absolute"),
    ] {
        let refusal = refusal("[server]\nlisten = \"127.0.0.1:1\"", &[(name, value)]);
        assert!(refusal.contains(&format!("from {name}: ")) && refusal.contains(problem), "{refusal}");
    }
}

#[test]
fn a_file_that_is_no_toml_is_refused_with_its_line_but_without_its_text() {
    let refusal = refusal("[database]\nurl = \"postgres://ada:s3cret@h/d\n", &[]);
    assert!(refusal.contains("latchkey.toml, line 2: "), "{refusal}");
    assert!(!refusal.contains("s3cret"), "{refusal}");
}

#[test]
fn a_wrong_value_that_may_be_a_secret_is_not_repeated() {
    let refusal = refusal("[database]\nurl = \"postgres://ada:s3cret@[h/d\"", &[]);
    assert!(refusal.contains("database.url") && !refusal.contains("s3cret"), "{refusal}");
}

#[test]
fn a_named_file_must_exist() {
    let missing = Config::load(Some(Path::new("/nowhere/latchkey.toml")), std::iter::empty());
    assert!(missing.unwrap_err().to_string().starts_with("/nowhere/latchkey.toml can't be read: "));
}

const EXPOSED_PASSWORD: &str = r#"
    mail.transport = "smtp"
    mail.smtp = { host = "mail.example.org", encryption = "none", username = "door", password = "x" }
"#;

#[test]
fn what_is_probably_not_meant_is_warned_of() {
    for (file, count) in [
        ("", 0),
        ("[password]\nmemory_kib = 19455", 1),
        ("[password]\niterations = 1", 1),
        ("[password]\nmemory_kib = 65536\niterations = 3", 0),
        ("[server]\npublic_url = \"http://login.example.org\"", 1),
        ("[server]\npublic_url = \"http://127.0.0.1:3000\"", 0),
        (EXPOSED_PASSWORD, 1),
        ("[server]\npublic_url = \"http://[::1]:3000\"", 0),
        ("[server]\npublic_url = \"http://app.localhost\"", 0),
    ] {
        let warnings = load(file, &[]).unwrap().warnings;
        assert_eq!(warnings.len(), count, "{file}: {warnings:?}");
    }
}

#[test]
fn what_is_shown_has_no_secrets_and_can_be_read_again() {
    let file = r#"
        [database]
        url = "postgres://ada:s3cret@db.example.org/latchkey?password=s3cret"
        [mail.smtp]
        username = "door"
        password = "s3cret"
        [[providers]]
        id = "google"
        kind = "google"
        [providers.options]
        client_id = "shown"
        client_secret = "s3cret"
        scopes = ["a", "b"]
        [providers.options.nested]
        api_token = "s3cret"
    "#;
    let config = load(file, &[]).unwrap();
    let shown = config.to_toml_redacted();
    assert!(!shown.contains("s3cret") && shown.contains("client_id = \"shown\""), "{shown}");
    assert!(!format!("{config:?}").contains("s3cret"));
    assert!(load(&shown, &[]).is_ok(), "{shown}");

    let default = load("", &[]).unwrap();
    assert_eq!(load(&default.to_toml_redacted(), &[]).unwrap(), default);
}

/// Holds the table of known keys against the settings themselves.
#[test]
fn the_known_keys_are_the_settings() {
    let mut config = Config::default();
    config.password.max_queued_hashes = Some(1);
    config.log.format = Some(LogFormat::Json);
    config.session.cookie_domain = Some("example.org".to_owned());
    config.registration.require_verified_email = Some(true);
    config.mail.from = Some("front.door@example.org".to_owned());
    let password = Some(toml::from_str::<SmtpSettings>("password = \"s3cret\"").unwrap().password.unwrap());
    let (port, username) = (Some(25), Some("latchkey".to_owned()));
    let folder = TempDir::new();
    let ca_file = folder.path().join("ca.pem");
    fs::write(&ca_file, CA_CERTIFICATE).unwrap();
    let ca_file = Some(CaFile::read(&ca_file).unwrap());
    config.mail.smtp = SmtpSettings { port, ca_file, username, password, ..SmtpSettings::default() };
    config.resolve_user.url = Some("https://app.example.org/hook".parse().unwrap());
    config.resolve_user.secret = Some(crate::events::webhooks::SecretText::One("(any)".to_owned()));
    let table: Table = config.to_toml_redacted().parse().unwrap();
    let mut found = BTreeSet::new();
    for (section, value) in &table {
        match value {
            Value::Table(keys) if section == "mail" => {
                let nested = keys["smtp"].as_table().unwrap().keys().map(|key| format!("mail.smtp.{key}"));
                let own = keys.keys().filter(|key| *key != "smtp").map(|key| format!("mail.{key}"));
                found.extend(own.chain(nested));
            }
            Value::Table(keys) if section != "actors" => {
                found.extend(keys.keys().map(|key| format!("{section}.{key}")));
            }
            _ => {}
        }
    }
    let known: BTreeSet<String> =
        KEYS.iter().map(|(key, _)| (*key).to_owned()).filter(|key| !key.contains('*')).collect();
    assert_eq!(found, known);
    let patterns = KEYS.iter().filter(|(key, _)| key.contains('*')).map(|(key, _)| *key);
    let webhooks = ["webhooks.*.url", "webhooks.*.secret", "webhooks.*.events", "webhooks.*.allow_private"];
    assert_eq!(patterns.collect::<Vec<_>>(), [&["actors.*.providers", "providers.*.kind"][..], &webhooks].concat());
}
