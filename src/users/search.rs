//! What a search looks through, and how what was typed is turned into patterns: everything is compared in NFKC and
//! lower case, and `%`, `_` and `\` stand for themselves.

use unicode_normalization::UnicodeNormalization;

use crate::shared::EmailAddress;

/// Stands between e-mail and names, so that no search matches across them; nobody can type it.
const SEPARATOR: &str = "\u{1f}";
/// Indexes of trigrams know nothing shorter.
const TRIGRAM_CHARS: usize = 3;
/// The most characters of a search that count.
const MAX_SEARCH_CHARS: usize = 200;
/// The most bytes of a name that sort and are searched: more than 200 characters of any script have, unless NFKC spells
/// them out. PostgreSQL takes no index entry over 2,704 bytes, and one holds the name twice and the e-mail address.
const MAX_NAME_KEY_BYTES: usize = 1_000;
/// A trigram that more than one in so many users has narrows a search down by less than it costs to look up.
const RARE_ONE_IN: usize = 20;
/// How many trigrams are looked up where none is rare.
const FEWEST_TRIGRAMS: usize = 2;

/// What a list sorts by and a short search begins with: the full name, or nothing.
pub fn name_key(first_name: Option<&str>, last_name: Option<&str>) -> String {
    let names: Vec<&str> = [first_name, last_name].into_iter().flatten().collect();
    let mut key = fold(&names.join(" "));
    key.truncate(key.floor_char_boundary(MAX_NAME_KEY_BYTES));
    key
}

/// What a search looks through; sorts like the e-mail address that it begins with, since nothing in one sorts before
/// [`SEPARATOR`].
pub fn search_text(email: &EmailAddress, first_name: Option<&str>, last_name: Option<&str>) -> String {
    format!("{email}{SEPARATOR}{}", name_key(first_name, last_name))
}

fn fold(text: &str) -> String {
    text.nfkc().collect::<String>().to_lowercase()
}

/// What somebody searches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    folded: String,
}

impl Search {
    /// Reads a search; `None` where nothing is searched for.
    pub fn parse(typed: &str) -> Option<Self> {
        let folded: String = fold(typed.trim()).chars().filter(|c| !c.is_control()).take(MAX_SEARCH_CHARS).collect();
        (!folded.is_empty()).then_some(Self { folded })
    }

    /// Whether an index of trigrams can find it; what is shorter matches the beginnings of e-mail and name.
    pub fn has_trigrams(&self) -> bool {
        self.folded.chars().count() >= TRIGRAM_CHARS
    }

    /// What a search text must hold anywhere, if it is not too short for that.
    pub fn text(&self) -> &str {
        &self.folded
    }

    /// The `LIKE` patterns, with `\` as their escape, of which a search text must match one where the search is short: at
    /// the beginning of e-mail and name.
    pub fn prefix_patterns(&self) -> [String; 2] {
        let literal = self.literal();
        [format!("{literal}%"), format!("%{SEPARATOR}{literal}%")]
    }

    /// The `LIKE` pattern of texts that hold it anywhere, however short it is.
    pub fn part_pattern(&self) -> String {
        format!("%{}%", self.literal())
    }

    fn literal(&self) -> String {
        self.folded.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
    }

    /// The text of a short search, and the first text behind all that begin with it, in byte order.
    pub fn prefix_range(&self) -> (String, String) {
        (self.folded.clone(), format!("{}\u{10ffff}", self.folded))
    }

    /// The trigrams by which an index is asked: those that are rare in a sample of search texts, or the rarest. Leaving
    /// out others finds more than is searched for, so each hit is compared with the pattern.
    pub fn rare_trigrams(&self, sample: &[String]) -> Vec<String> {
        let chars: Vec<char> = self.folded.chars().collect();
        let mut trigrams: Vec<(usize, String)> = chars
            .windows(TRIGRAM_CHARS)
            .map(|chars| chars.iter().collect::<String>())
            .map(|trigram| (sample.iter().filter(|text| text.contains(&trigram)).count(), trigram))
            .collect();
        trigrams.sort_unstable();
        trigrams.dedup();
        let rare = trigrams.iter().filter(|(hits, _)| hits * RARE_ONE_IN <= sample.len()).count();
        trigrams.into_iter().take(rare.max(FEWEST_TRIGRAMS)).map(|(_, trigram)| trigram).collect()
    }
}

/// The FTS5 expression of SQLite for texts that have all these trigrams.
pub fn fts5_expression(trigrams: &[String]) -> String {
    let quoted: Vec<String> = trigrams.iter().map(|t| format!("\"{}\"", t.replace('"', "\"\""))).collect();
    quoted.join(" AND ")
}

/// The array literal of PostgreSQL that holds these trigrams.
pub fn array_literal(trigrams: &[String]) -> String {
    let escaped = |t: &String| format!("\"{}\"", t.replace('\\', "\\\\").replace('"', "\\\""));
    format!("{{{}}}", trigrams.iter().map(escaped).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trigrams(typed: &str, sample: &[&str]) -> Vec<String> {
        let sample: Vec<String> = sample.iter().map(|text| (*text).to_owned()).collect();
        Search::parse(typed).unwrap().rare_trigrams(&sample)
    }

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(Search::parse("50%_\\x").unwrap().part_pattern(), "%50\\%\\_\\\\x%");
        assert_eq!(Search::parse("%_").unwrap().prefix_patterns()[0], "\\%\\_%");
    }

    #[test]
    fn a_short_search_matches_beginnings() {
        let search = Search::parse(" Ad ").unwrap();
        assert!(!search.has_trigrams());
        assert_eq!(search.prefix_patterns(), ["ad%", "%\u{1f}ad%"]);
        assert_eq!(Search::parse("\0 \n"), None);
    }

    #[test]
    fn every_trigram_is_quoted_once() {
        let trigrams = trigrams("aaaa\"\\b", &[]);
        assert_eq!(fts5_expression(&trigrams), "\"\"\"\\b\" AND \"a\"\"\\\" AND \"aa\"\"\" AND \"aaa\"");
        assert_eq!(array_literal(&trigrams), "{\"\\\"\\\\b\",\"a\\\"\\\\\",\"aa\\\"\",\"aaa\"}");
    }

    #[test]
    fn trigrams_that_many_have_are_left_out() {
        let sample = ["ada@mail.example", "bob@mail.example", "cleo@mail.example"];
        assert_eq!(trigrams("ovel@mail", &sample), ["el@", "l@m", "ove", "vel"]);
        assert_eq!(trigrams("mail", &sample), ["ail", "mai"]);
    }

    #[test]
    fn the_text_sorts_like_the_address() {
        let mut addresses =
            ["ab@x.org", "a@x.org", "a@x.organ", "a!b@x.org", "é@x.org"].map(|a| EmailAddress::parse(a).unwrap());
        addresses.sort();
        let texts = addresses.clone().map(|address| search_text(&address, Some("Zoe"), None));
        assert!(texts.is_sorted(), "{texts:?}");
    }

    #[test]
    fn a_name_that_nfkc_spells_out_is_cut() {
        let long = "\u{fdfa}".repeat(100);
        let key = name_key(Some(&long), Some(&long));
        assert!((990..=1_000).contains(&key.len()), "{}", key.len());
    }

    #[test]
    fn case_and_width_do_not_matter() {
        let email = EmailAddress::parse("Ada@Example.org").unwrap();
        let text = search_text(&email, Some("Ａda"), Some("LOVELACE"));
        assert_eq!(text, "ada@example.org\u{1f}ada lovelace");
    }
}
