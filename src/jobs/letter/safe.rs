//! What people typed, as it may stand in a mail: one line, not too long, and nothing in it that a mail program would make
//! a link of. A space that can be seen is set where an address, a scheme or a host name would hang together; signs
//! that can't be seen are taken for part of a name by some programs. Markup is the business of the HTML.

use unicode_normalization::UnicodeNormalization;

/// The signs that part addresses, schemes and host names. What is read as one of them parts as well (UTS #46 §2.3, NFKC):
/// small, wide and half dots, and the digit with a dot.
const PARTS: [char; 6] = ['.', '。', ':', '@', '/', '\\'];

/// One line of at most so many characters, without anything that looks like a link.
pub(super) fn line(typed: &str, max_chars: usize) -> String {
    let shown = typed.chars().map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c });
    let one_line: String = shown.filter(|c| !is_unseen(*c)).collect();
    let words: Vec<&str> = one_line.split_whitespace().collect();
    let joined = words.join(" ");
    let mut cut: String = joined.chars().take(max_chars).collect();
    if cut.len() < joined.len() {
        cut.push('…');
    }
    without_links(&cut)
}

/// Signs that change how others are read and are not seen themselves: of direction, of no width, of no language.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn without_links(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let hangs_on = chars.peek().is_some_and(|next| !next.is_whitespace());
        let is_read_as = |signs: &[char]| c.nfkc().any(|read| signs.contains(&read));
        if is_read_as(&['@']) && !safe.is_empty() && !safe.ends_with(' ') {
            safe.push(' ');
        }
        safe.push(c);
        if is_read_as(&PARTS) && hangs_on {
            safe.push(' ');
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_typed_hangs_together_as_a_link() {
        for (typed, shown) in [
            ("Ada Lovelace", "Ada Lovelace"),
            ("Dr. Ada", "Dr. Ada"),
            ("evil.example", "evil. example"),
            ("https://evil.example/x", "https: / / evil. example/ x"),
            ("www.evil.example", "www. evil. example"),
            ("eve@evil.example", "eve @ evil. example"),
            ("evil。example", "evil。 example"),
            ("evil․example", "evil․ example"),
            ("evil﹒example", "evil﹒ example"),
            ("evil⒈example", "evil⒈ example"),
            ("eve﹫evil︓8", "eve ﹫ evil︓ 8"),
            ("mailto:eve", "mailto: eve"),
            ("evil.\u{200b}example", "evil. example"),
            ("a\r\nBcc: b\u{202e}", "a Bcc: b"),
        ] {
            assert_eq!(line(typed, 100), shown, "{typed:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut() {
        assert_eq!(line("äöüß", 3), "äöü…");
        assert_eq!(line("äöü", 3), "äöü");
    }
}
