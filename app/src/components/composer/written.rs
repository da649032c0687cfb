//! The text in the composer's field.
//!
//! Owns the limits on the work for each key press, and the cleaning of pasted text. Called by the composer.

use caravana_protocol::limits::MESSAGE_CHARACTERS;

/// The field takes this many UTF-16 units; a longer paste is cut. In a field with a million characters, browsers need
/// seconds for each key. The limit is four units for each character of a message: cleaning makes texts shorter (blank
/// lines are removed, letters are composed with their accents), and a text that is too long should stay, so that the
/// person can shorten it.
pub(super) const FIELD_UNITS: usize = 4 * MESSAGE_CHARACTERS;
/// The app inserts a paste of more UTF-16 units itself, because a browser handles it like typed lines, which takes
/// minutes for a million characters. The browser inserts a shorter paste, so that the person can undo it.
pub(super) const PASTE_UNITS: usize = 2_000;
/// Only this many characters determine the field's height, which stops growing at about six lines.
const MIRRORED: usize = 1_500;

/// The text of the mirror, which gets the height that the field should have.
pub(super) fn mirrored(text: &str) -> String {
    let end = text.char_indices().nth(MIRRORED).map_or(text.len(), |(end, _)| end);
    // A final line end begins a new line, which has a height only if a character follows it.
    format!("{}\n", &text[..end])
}

/// The beginning of a text, at most this many UTF-16 units long, with the line ends that a field uses.
pub(super) fn beginning(text: &str, units: usize) -> String {
    let mut left = units;
    // Twice as many characters are read, because each line end may consist of two characters.
    let read = text.char_indices().nth(units.saturating_mul(2)).map_or(text, |(end, _)| &text[..end]);
    let lines = read.replace("\r\n", "\n").replace('\r', "\n");
    let fits = |c: &char| {
        let fits = c.len_utf16() <= left;
        left = left.saturating_sub(c.len_utf16());
        fits
    };
    lines.chars().take_while(fits).collect()
}

/// Whether the beginning is shorter than the text.
pub(super) fn is_cut(text: &str, beginning: &str) -> bool {
    beginning.len() + text.matches("\r\n").count() < text.len()
}

/// Removes the control characters that no message may have; they come from a paste from a terminal or an old program.
/// Characters that end a line there become line ends. `None` if the text has none of them. `caret` is a position in
/// UTF-16 units; the result has the same position in the cleaned text.
pub(super) fn without_controls(text: &str, caret: usize) -> Option<(String, usize)> {
    if !text.chars().any(is_unsendable) {
        return None;
    }
    let mut clean = String::with_capacity(text.len());
    let (mut before, mut kept_before) = (0, 0);
    for c in text.chars() {
        let kept = match c {
            '\u{B}' | '\u{C}' | '\u{85}' => Some('\n'),
            c if is_unsendable(c) => None,
            c => Some(c),
        };
        if before < caret {
            kept_before += kept.map_or(0, char::len_utf16);
        }
        before += c.len_utf16();
        clean.extend(kept);
    }
    Some((clean, kept_before))
}

/// The protocol's [`TextError::Control`](caravana_protocol::TextError::Control).
const fn is_unsendable(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{B}'..='\u{1F}' | '\u{7F}'..='\u{9F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_gives_the_field_its_height() {
        assert_eq!(mirrored("hola\n"), "hola\n\n");
        assert_eq!(mirrored(&"ñ".repeat(FIELD_UNITS)).chars().count(), MIRRORED + 1);
    }

    #[test]
    fn of_a_long_paste_the_beginning_is_taken() {
        assert_eq!(beginning("a\r\nb\rc😀", 7), "a\nb\nc😀");
        assert_eq!(beginning("a\r\nb\rc😀", 6), "a\nb\nc");
        assert_eq!(beginning(&"\r\n".repeat(1_000_000), FIELD_UNITS).len(), FIELD_UNITS);
        assert_eq!(beginning("hola", 0), "");
        let cut = |text: &str, units| is_cut(text, &beginning(text, units));
        assert!(!cut("a\r\nb\rc😀", 7) && cut("a\r\nb\rc😀", 6) && cut("hola", 0) && !cut("", 0));
    }

    #[test]
    fn what_can_not_be_sent_goes_and_the_caret_stays_where_it_was() {
        assert_eq!(without_controls("hola\n\tBo 😀", 3), None);
        let cleaned = |text: &str, caret| without_controls(text, caret).unwrap();
        assert_eq!(cleaned("\0ho\u{1b}[1mla", 4), ("ho[1mla".to_owned(), 2));
        assert_eq!(cleaned("😀\u{7}😀\u{7}!", 6), ("😀😀!".to_owned(), 4));
        assert_eq!(cleaned("uno\u{B}dos\u{85}tres", 3), ("uno\ndos\ntres".to_owned(), 3));
        for c in (0..0x100).filter_map(char::from_u32).filter(|c| c.is_control() && *c != '\n' && *c != '\t') {
            assert!(cleaned(&format!("a{c}b"), 1).0.chars().all(|c| !c.is_control() || c == '\n'), "{c:?}");
        }
    }
}
