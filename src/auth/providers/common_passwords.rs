//! The common passwords that nobody may choose: what guessing programs try first (NIST SP 800-63B-4 §3.1.1.2).
//! The list is in the binary, in lower case and sorted; what is too short to be allowed is not in it.

/// One password a line, sorted by bytes.
const LIST: &str = include_str!("common_passwords.txt");

/// Whether a password is among the common ones, in whatever case.
pub fn contain(password: &str) -> bool {
    let lower = password.to_lowercase();
    list().binary_search(&lower.trim()).is_ok()
}

fn list() -> &'static [&'static str] {
    static LINES: std::sync::OnceLock<Vec<&'static str>> = std::sync::OnceLock::new();
    LINES.get_or_init(|| LIST.lines().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_holds_nothing_too_short() {
        assert!(list().is_sorted());
        assert!(list().len() > 5_000);
        assert!(list().iter().all(|line| line.chars().count() >= crate::shared::MIN_PASSWORD_CHARS));
    }

    #[test]
    fn what_everyone_chooses_is_refused_and_a_phrase_is_not() {
        for password in [
            "password",
            "Password1",
            "12345678",
            "QWERTYUIOP",
            "iloveyou",
            "trustno1",
            "letmein123",
            "aaaaaaaa",
            " password1 ",
        ] {
            assert!(contain(password), "{password}");
        }
        for password in ["seven lamps of wool", "kX9#vPq2", "pässwörd-auf-deutsch"] {
            assert!(!contain(password), "{password}");
        }
    }
}
