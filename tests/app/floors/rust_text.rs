//! Rust source as the gates need it: without comments and literals, with brackets matched.
//! It is a scanner, not a parser: it knows just enough never to take a brace in a string for one in the code.

use std::ops::Range;

/// Source text in which every comment and what stands in literals is overwritten, so that offsets and lines still
/// fit the original: comments with spaces, the insides of literals with `_`.
pub struct Code(String);

impl Code {
    /// Overwrites the comments and literals of `source`.
    pub fn of(source: &str) -> Self {
        let mut scanner = Scanner { source, out: source.as_bytes().to_vec(), at: 0 };
        while scanner.at < source.len() {
            scanner.step();
        }
        Self(String::from_utf8(scanner.out).expect("whole tokens are overwritten with ASCII"))
    }

    /// The text that is left.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The offsets at which `word` stands as a word of its own.
    pub fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        let text = self.0.as_str();
        text.match_indices(word)
            .map(|(at, _)| at)
            .filter(move |&at| !text[..at].ends_with(is_word) && !text[at + word.len()..].starts_with(is_word))
    }

    /// The bracket at `open` and all up to the one that closes it, both included; to the end where none does.
    pub fn bracket(&self, open: usize) -> Range<usize> {
        let mut depth = 0_usize;
        for (offset, c) in self.0[open..].char_indices() {
            match c {
                '{' | '(' | '[' => depth += 1,
                '}' | ')' | ']' if depth == 1 => return open..open + offset + 1,
                '}' | ')' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        open..self.0.len()
    }

    /// Where the body of the item at `start` opens; `None` for one that ends with a semicolon.
    pub fn body_of(&self, start: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (offset, c) in self.0[start..].char_indices() {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth = depth.saturating_sub(1),
                '{' if depth == 0 => return Some(start + offset),
                ';' if depth == 0 => return None,
                _ => {}
            }
        }
        None
    }

    /// The lines of `range` that hold code, as clippy counts them: neither empty nor comment.
    pub fn code_lines(&self, range: Range<usize>) -> usize {
        self.0[range].lines().filter(|line| !line.trim().is_empty()).count()
    }

    /// The bodies of inline modules, each with its name.
    pub fn inline_modules(&self) -> Vec<(&str, Range<usize>)> {
        self.words("mod")
            .filter_map(|at| {
                let name = ident(self.0[at + 3..].trim_start())?;
                let open = self.body_of(at)?;
                (self.0[at..open].trim_end().ends_with(name)).then(|| (name, self.bracket(open)))
            })
            .collect()
    }
}

/// The identifier at the start of `text`.
pub fn ident(text: &str) -> Option<&str> {
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    (end > 0).then(|| &text[..end])
}

/// The number of the line, from 1, in which `at` stands.
pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

struct Scanner<'a> {
    source: &'a str,
    out: Vec<u8>,
    at: usize,
}

impl Scanner<'_> {
    fn step(&mut self) {
        let rest = &self.source[self.at..];
        if rest.starts_with("//") {
            self.blank(rest.find('\n').unwrap_or(rest.len()), b' ');
        } else if rest.starts_with("/*") {
            self.blank(block_comment_len(rest), b' ');
        } else if let Some(hashes) = raw_string_hashes(rest).filter(|_| !self.follows_word()) {
            self.raw_string(rest, hashes);
        } else if rest.starts_with('"') {
            self.blank(quoted_len(rest, '"'), b'_');
        } else if let Some(len) = char_literal_len(rest) {
            self.blank(len, b'_');
        } else {
            self.at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }

    /// `r` and `b` begin a literal only where no identifier ends.
    fn follows_word(&self) -> bool {
        self.source[..self.at].ends_with(is_word)
    }

    fn raw_string(&mut self, rest: &str, hashes: usize) {
        let open = rest.find('"').map_or(rest.len(), |quote| quote + 1);
        let close = format!("\"{}", "#".repeat(hashes));
        let len = rest[open..].find(&close).map_or(rest.len(), |end| open + end + close.len());
        self.blank(len, b'_');
    }

    /// Overwrites `len` bytes with `filler`, line breaks excepted.
    fn blank(&mut self, len: usize, filler: u8) {
        let end = (self.at + len).min(self.out.len());
        for byte in &mut self.out[self.at..end] {
            if *byte != b'\n' {
                *byte = filler;
            }
        }
        self.at = end;
    }
}

/// Block comments nest in Rust.
fn block_comment_len(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The number of `#` of the raw string that begins here, if one does.
fn raw_string_hashes(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    rest[hashes..].starts_with('"').then_some(hashes)
}

fn quoted_len(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the character literal that begins here; a lifetime is none.
fn char_literal_len(text: &str) -> Option<usize> {
    let mut inside = text.strip_prefix('\'')?.chars();
    let first = inside.next()?;
    (first == '\\' || inside.next() == Some('\'')).then(|| quoted_len(text, '\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_overwritten_in_place() {
        let cases = [
            ("a // {\nb", "a     \nb"),
            ("a /* { /* } */ */ b", "a                 b"),
            (r#"f("{\"}")"#, "f(______)"),
            (r##"r#"{"#;"##, "______;"),
            ("'{' 'a '\\'' <'b>", "___ 'a ____ <'b>"),
            ("\"two\nlines\"", "____\n______"),
            ("bear\"{\"", "bear___"),
        ];
        for (source, code) in cases {
            assert_eq!(Code::of(source).as_str(), code, "{source}");
        }
    }

    #[test]
    fn words_brackets_and_bodies_are_found() {
        let code = Code::of("fn a(x: [u8; 4]) -> B { c({}) } fn_b; mod m { mod n; }");
        assert_eq!(code.words("fn").collect::<Vec<_>>(), [0]);
        let open = code.body_of(0).unwrap();
        assert_eq!(&code.as_str()[code.bracket(open)], "{ c({}) }");
        assert_eq!(code.inline_modules().len(), 1);
        assert_eq!(code.inline_modules()[0].0, "m");
    }

    #[test]
    fn lines_of_code_leave_out_comments_and_empty_lines() {
        let code = Code::of("{\n\n // why\n let a = \"x\n y\";\n}");
        assert_eq!(code.code_lines(0..code.as_str().len()), 4);
    }
}
