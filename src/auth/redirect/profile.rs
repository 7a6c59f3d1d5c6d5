//! What the other side says of a person, by the names of OpenID Connect Core §5.1. A claim that is no text, too long, or
//! holds control characters is left out, as is an address that is none; a subject like that is refused. An address counts
//! as verified where `email_verified` is `true`, and not where it only looks like it.

use serde_json::{Map, Value, json};

use super::Trouble;
use crate::shared::{EmailAddress, ExternalUser};

/// The most characters of a claim: what an external user may have.
const MAX_CLAIM_CHARS: usize = 500;
/// The most characters of a subject (OpenID Connect Core §2).
const MAX_SUBJECT_CHARS: usize = 255;
/// The texts that are kept.
const TEXTS: [&str; 4] = ["name", "given_name", "family_name", "picture"];

/// A person as the other side knows them.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Who they are there, for ever.
    pub subject: String,
    email: Option<(EmailAddress, bool)>,
    texts: Map<String, Value>,
}

impl Profile {
    /// Reads claims.
    ///
    /// # Errors
    /// [`Trouble::Untrusted`] if they name nobody.
    pub fn of_claims(claims: &Map<String, Value>) -> Result<Self, Trouble> {
        let subject = subject_of(claims).ok_or_else(|| Trouble::untrusted("the subject is missing or no name"))?;
        let said = text_of(claims, "email");
        let email = said.and_then(|email| EmailAddress::parse(email).ok());
        // What they have proved is what is written there, and not what it looks like: `ａ@b.org` is not `a@b.org`.
        // Nor is `K@b.org` with a Kelvin sign `k@b.org`, though it is so in lower case.
        let is_same = said.zip(email.as_ref()).is_some_and(|(said, email)| {
            said.to_lowercase() == email.as_str() && said.is_ascii() == email.as_str().is_ascii()
        });
        let is_verified = is_same && claims.get("email_verified") == Some(&Value::Bool(true));
        let text = |name: &str| text_of(claims, name).map(|text| (name.to_owned(), json!(text)));
        let texts = TEXTS.into_iter().filter_map(text).collect();
        Ok(Self { subject: subject.to_owned(), email: email.map(|email| (email, is_verified)), texts })
    }

    /// Whether the other side knows an address.
    pub fn has_email(&self) -> bool {
        self.email.is_some()
    }

    /// Takes over what another answer about the same person says: the address with its proof, which are one, and the
    /// texts that are missing.
    #[must_use]
    pub fn completed_by(mut self, other: Self) -> Self {
        if self.email.is_none() {
            self.email = other.email;
        }
        for (name, text) in other.texts {
            self.texts.entry(name).or_insert(text);
        }
        self
    }

    /// What is kept of them. An address that is not known is said to be none.
    pub fn to_metadata(&self) -> Map<String, Value> {
        let mut metadata = self.texts.clone();
        metadata.insert("sub".to_owned(), json!(self.subject));
        metadata.insert("email".to_owned(), json!(self.email.as_ref().map(|(email, _)| email.as_str())));
        let is_verified = self.email.as_ref().is_some_and(|(_, is_verified)| *is_verified);
        metadata.insert("email_verified".to_owned(), json!(is_verified));
        metadata
    }

    /// The same for who has no account here.
    pub fn to_external_user(&self) -> ExternalUser {
        let text = |name: &str| self.texts.get(name).and_then(Value::as_str).map(str::to_owned);
        ExternalUser {
            email: self.email.as_ref().map(|(email, _)| email.as_str().to_owned()),
            name: text("name"),
            image: text("picture"),
            ..ExternalUser::new(self.subject.as_str())
        }
    }
}

/// The subject of claims, if it could be anybody's.
pub(super) fn subject_of(claims: &Map<String, Value>) -> Option<&str> {
    let subject = claims.get("sub")?.as_str()?;
    // Outer blanks would be lost in a header, and it would be somebody else's.
    let is_fine = !subject.is_empty()
        && subject.trim() == subject
        && subject.chars().count() <= MAX_SUBJECT_CHARS
        && !subject.chars().any(char::is_control);
    is_fine.then_some(subject)
}

fn text_of<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let text = claims.get(name)?.as_str()?.trim();
    let is_fine = !text.is_empty() && text.chars().count() <= MAX_CLAIM_CHARS && !text.chars().any(char::is_control);
    is_fine.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(claims: &Value) -> Result<Profile, Trouble> {
        Profile::of_claims(claims.as_object().unwrap())
    }

    #[test]
    fn a_subject_that_could_be_nobodys_is_refused() {
        for sub in [
            json!(null),
            json!(7),
            json!(["a"]),
            json!(""),
            json!(" "),
            json!(" a"),
            json!("a "),
            json!("a\u{a0}"),
            json!("a\0"),
            json!("a\nb"),
            json!("a\u{85}"),
            json!("a".repeat(256)),
        ] {
            assert!(profile(&json!({ "sub": sub })).is_err(), "{sub}");
        }
        assert!(profile(&json!({})).is_err());
        for sub in ["7", "auth0|7", "a".repeat(255).as_str(), "Ärger", "a@example.org"] {
            assert_eq!(profile(&json!({ "sub": sub })).unwrap().subject, sub);
        }
    }

    #[test]
    fn an_address_is_verified_where_true_says_so_and_nothing_else() {
        for (said, is_verified) in [
            (json!(true), true),
            (json!(false), false),
            (json!("true"), false),
            (json!("false"), false),
            (json!(1), false),
            (json!([true]), false),
            (json!(null), false),
        ] {
            let claims = json!({ "sub": "7", "email": " Ada@Example.org", "email_verified": said });
            let metadata = profile(&claims).unwrap().to_metadata();
            assert_eq!(metadata["email"], "ada@example.org");
            assert_eq!(metadata["email_verified"], is_verified, "{said}");
        }
        assert_eq!(profile(&json!({ "sub": "7", "email": "a@b.org" })).unwrap().to_metadata()["email_verified"], false);
    }

    #[test]
    fn an_address_that_only_looks_like_another_proves_nothing_of_that_one() {
        for email in
            ["ａda@example.org", "ada＠example.org", "ada@ｅxample.org", "ﬁx@example.org", "\u{212a}ate@example.org"]
        {
            let metadata =
                profile(&json!({ "sub": "7", "email": email, "email_verified": true })).unwrap().to_metadata();
            assert_eq!(metadata["email_verified"], false, "{email}");
        }
    }

    #[test]
    fn what_is_no_address_is_none_and_proves_nothing() {
        for email in [json!(null), json!(7), json!(""), json!("ada"), json!("a@b, c@d.org"), json!("a\n@b.org")] {
            let metadata = profile(&json!({ "sub": "a@b.org", "email": email, "email_verified": true })).unwrap();
            let metadata = metadata.to_metadata();
            assert_eq!((&metadata["email"], &metadata["email_verified"]), (&Value::Null, &json!(false)), "{email}");
        }
    }

    #[test]
    fn what_is_no_sane_text_is_left_out() {
        let claims = json!({
            "sub": "7", "name": "a".repeat(501), "given_name": "Ada\u{7}", "family_name": ["b"], "picture": "  ", "other": "x",
        });
        let expected = json!({ "sub": "7", "email": null, "email_verified": false });
        assert_eq!(Value::Object(profile(&claims).unwrap().to_metadata()), expected);
    }

    #[test]
    fn an_address_and_its_proof_come_from_one_answer() {
        let token = profile(&json!({ "sub": "7", "name": "Ada", "email_verified": true })).unwrap();
        let more =
            profile(&json!({ "sub": "7", "name": "Other", "picture": "p", "email": "ada@example.org" })).unwrap();
        let metadata = Value::Object(token.completed_by(more).to_metadata());
        let expected =
            json!({ "sub": "7", "name": "Ada", "picture": "p", "email": "ada@example.org", "email_verified": false });
        assert_eq!(metadata, expected);
    }
}
