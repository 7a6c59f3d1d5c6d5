//! The options of the providers that send people elsewhere: a wrong one stops the start and is named.

use std::{fs, iter};

use latchkey::{Latchkey, config::Config};

/// What `latchkey config check` says of a provider with these options.
fn problem_of(kind: &str, options: &str) -> Option<String> {
    let unique = (std::process::id(), std::thread::current().id());
    let folder = std::env::temp_dir().join(format!("latchkey-redirect-options-{unique:?}"));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{kind}.toml"));
    fs::write(&file, format!("[[providers]]\nid = \"it\"\nkind = {kind:?}\n[providers.options]\n{options}\n")).unwrap();
    let config = Config::load(Some(&file), iter::empty()).unwrap();
    let checked = Latchkey::builder().check(&config);
    fs::remove_dir_all(&folder).unwrap();
    checked.err().map(|error| error.to_string())
}

const CLIENT: &str = "client_id = \"a\"\nclient_secret = \"b\"";

const SCHEME: &str = "must begin with `https://`; `http://` is for this machine alone";

#[test]
fn a_wrong_option_of_an_openid_provider_is_named() {
    let issuer = format!("{CLIENT}\nissuer = \"https://id.example.org/a\"");
    for (kind, options, problem) in [
        ("oidc", "", "option 'issuer': is missing"),
        ("oidc", "issuer = \"https://id.example.org\"", "option 'client_id': is missing"),
        ("oidc", "issuer = \"https://id.example.org\"\nclient_id = \"a\"", "option 'client_secret': is missing"),
        ("oidc", "issuer = \"http://id.example.org\"", &format!("option 'issuer': {SCHEME}")),
        ("oidc", "issuer = \"https://id.example.org?a=1\"", "option 'issuer': must hold no query"),
        (
            "oidc",
            "issuer = \"id.example.org\"",
            "option 'issuer': must be a URL such as `https://app.example.org/hooks`",
        ),
        ("oidc", "issuer = 7", "option 'issuer': must be text"),
        ("oidc", &format!("{issuer}\nscopes = \"a\\\"b\""), "option 'scopes': `a\"b` is no scope"),
        (
            "oidc",
            &format!("{issuer}\ncallback_url = \"http://app.example.org/\""),
            &format!("option 'callback_url': {SCHEME}"),
        ),
        (
            "oidc",
            &format!("{issuer}\ncallback_urls = [\"/a\"]"),
            "option 'callback_urls': must be a URL such as `https://app.example.org/hooks`",
        ),
        ("oidc", &format!("{issuer}\npersist = \"no\""), "option 'persist': must be true or false"),
        (
            "oidc",
            &format!("{issuer}\npersist = false\nkeep_tokens = true"),
            "option 'keep_tokens': nothing is kept where `persist` is false",
        ),
        (
            "oidc",
            &format!("{issuer}\nclient_secrets = \"b\""),
            "option 'client_secrets': unknown, known are: callback_url, \
            callback_urls, client_id, client_secret, display_name, issuer, keep_tokens, persist, scopes",
        ),
    ] {
        assert_eq!(problem_of(kind, options), Some(format!("provider 'it', {problem}")), "{kind}: {options}");
    }
}

#[test]
fn a_wrong_option_of_google_and_github_is_named() {
    for (kind, options, problem) in [
        ("google", "", "option 'client_id': is missing"),
        (
            "google",
            &format!("{CLIENT}\nhosted_domain = \"@example.org\""),
            "option 'hosted_domain': must be a domain such as `example.org`",
        ),
        (
            "google",
            &format!("{CLIENT}\nissuer = \"http://accounts.google.com\""),
            &format!("option 'issuer': {SCHEME}"),
        ),
        ("github", "client_secret = \"b\"", "option 'client_id': is missing"),
        (
            "github",
            &format!("{CLIENT}\nissuer = \"https://github.com\""),
            "option 'issuer': unknown, known are: api_url, \
            authorization_url, callback_url, callback_urls, client_id, client_secret, display_name, keep_tokens, persist, \
            scopes, token_url",
        ),
        ("github", &format!("{CLIENT}\ntoken_url = \"http://github.com/\""), &format!("option 'token_url': {SCHEME}")),
        ("github", &format!("{CLIENT}\napi_url = \"\""), "option 'api_url': must not be empty"),
    ] {
        assert_eq!(problem_of(kind, options), Some(format!("provider 'it', {problem}")), "{kind}: {options}");
    }
}

#[test]
fn right_options_are_taken_without_a_question_to_anybody() {
    for (kind, options) in [
        ("oidc", format!("{CLIENT}\nissuer = \"https://id.example.invalid/realms/a/\"")),
        (
            "oidc",
            format!("{CLIENT}\nissuer = \"http://localhost:1/\"\nscopes = [\"openid\", \"email\"]\npersist = false"),
        ),
        ("google", format!("{CLIENT}\nhosted_domain = \"example.org\"\nkeep_tokens = true")),
        (
            "github",
            format!(
                "{CLIENT}\ncallback_url = \"https://app.example.org/back\"\ncallback_urls = \"http://localhost/b\""
            ),
        ),
    ] {
        assert_eq!(problem_of(kind, &options), None, "{kind}: {options}");
    }
}
