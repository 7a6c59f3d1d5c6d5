//! What an admin pastes to invite many: one address a line, as it is or as `Ada <ada@example.org>`, or a table with an
//! address in each line. What holds none, or more than one, is told by its line.

use std::collections::BTreeSet;

use crate::shared::EmailAddress;

/// The most that is repeated of a wrong line, in characters.
const MAX_SHOWN_CHARS: usize = 80;

/// A line that is left out, with its number from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The number.
    pub number: usize,
    /// How it begins.
    pub text: String,
}

/// What was pasted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pasted {
    /// The addresses, each once, in their order, with the number of their line.
    pub addresses: Vec<(usize, EmailAddress)>,
    /// Lines without an address, or with more than one.
    pub wrong: Vec<Line>,
    /// Lines whose address stands further above already.
    pub twice: Vec<Line>,
}

impl Pasted {
    /// Reads what was pasted; empty lines are none.
    pub fn read(text: &str) -> Self {
        let mut pasted = Self::default();
        let mut seen = BTreeSet::new();
        for (index, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            let line = || Line { number: index + 1, text: beginning_of(text.trim()) };
            match address_in(text) {
                None => pasted.wrong.push(line()),
                Some(email) if seen.contains(&email) => pasted.twice.push(line()),
                Some(email) => {
                    seen.insert(email.clone());
                    pasted.addresses.push((index + 1, email));
                }
            }
        }
        pasted
    }
}

/// As much of a line as is repeated.
fn beginning_of(line: &str) -> String {
    match line.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// The address of a line: what stands in angle brackets, or the one cell that is an address.
fn address_in(line: &str) -> Option<EmailAddress> {
    if let Some((_, rest)) = line.rsplit_once('<') {
        return rest.split_once('>').and_then(|(inner, _)| EmailAddress::parse(inner).ok());
    }
    let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '|');
    let mut found = line.split(is_between).filter(|cell| cell.contains('@')).map(EmailAddress::parse);
    match (found.next(), found.next()) {
        (Some(Ok(email)), None) => Some(email),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Vec<usize>, Vec<usize>) {
        let pasted = Pasted::read(text);
        let numbers = |lines: &[Line]| lines.iter().map(|line| line.number).collect();
        (
            pasted.addresses.iter().map(|(_, email)| email.to_string()).collect(),
            numbers(&pasted.wrong),
            numbers(&pasted.twice),
        )
    }

    #[test]
    fn the_address_is_taken_out_of_each_line() {
        let text = "ada@example.org\r\n  Bob@Example.org \n\"Noyce, Bob\" <c@x.org>\nd@x.org,Dora,Doe\nDora;\"e@x.org\"\n\
                    Eve\tf@x.org\tAdmin\n";
        let addresses = ["ada@example.org", "bob@example.org", "c@x.org", "d@x.org", "e@x.org", "f@x.org"];
        assert_eq!(read(text), (addresses.map(str::to_owned).to_vec(), vec![], vec![]));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line() {
        let text = "email,first name\n\na@x.org\nfoo@\na@x.org, b@x.org\nA@X.org\nBob <b@x>, <nonsense>\n<>";
        assert_eq!(read(text), (vec!["a@x.org".to_owned()], vec![1, 4, 5, 7, 8], vec![6]));
        assert_eq!(Pasted::read(" \n\r\n"), Pasted::default());
        let numbers: Vec<usize> =
            Pasted::read("a@x.org\n\nb@x.org").addresses.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 3]);
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let [fits, cut] = [80, 81].map(|length| Pasted::read(&"ä".repeat(length)).wrong.remove(0).text);
        assert_eq!((fits, cut), ("ä".repeat(80), format!("{}…", "ä".repeat(80))));
    }
}
