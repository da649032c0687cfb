//! What stands in the field.
//!
//! Owns the bounds on the work that a key costs, and the cleaning of what is pasted. Called by the composer.

use caravana_protocol::limits::MESSAGE_CHARACTERS;

/// UTF-16 units that the field takes; of a longer paste it takes the beginning. Browsers alone need seconds for each key
/// in a field of a million characters. Cleaning makes texts shorter (blank lines go, letters are composed with their
/// accents), and what is too long is kept to be shortened: four units for each character of a message leave room for both.
pub(super) const FIELD_UNITS: usize = 4 * MESSAGE_CHARACTERS;
/// A paste of more UTF-16 units is put into the field by us: a browser takes it apart as if each line were typed, which is
/// minutes for a million characters. A shorter one is the browser's, which can undo it.
pub(super) const PASTE_UNITS: usize = 2_000;
/// Characters that give the field its height, which ends to grow at about six lines.
const MIRRORED: usize = 1_500;

/// What the mirror holds, which is as high as the field should be.
pub(super) fn mirrored(text: &str) -> String {
    let end = text.char_indices().nth(MIRRORED).map_or(text.len(), |(end, _)| end);
    // A line end at the end begins a line, and only something behind it makes that visible.
    format!("{}\n", &text[..end])
}

/// The beginning of a text that is at most so many UTF-16 units long, with line ends as a field has them.
pub(super) fn beginning(text: &str, units: usize) -> String {
    let mut left = units;
    // Twice as much is read as could be kept, if all lines ended in two characters.
    let read = text.char_indices().nth(units.saturating_mul(2)).map_or(text, |(end, _)| &text[..end]);
    let lines = read.replace("\r\n", "\n").replace('\r', "\n");
    let fits = |c: &char| {
        let fits = c.len_utf16() <= left;
        left = left.saturating_sub(c.len_utf16());
        fits
    };
    lines.chars().take_while(fits).collect()
}

/// Whether that beginning is not the whole text.
pub(super) fn is_cut(text: &str, beginning: &str) -> bool {
    beginning.len() + text.matches("\r\n").count() < text.len()
}

/// A text without the control characters that no message may have, which come with a paste from a terminal or an old
/// program; those that end a line there end it here. `None`: it has none. `caret` is a place in UTF-16 units, and comes
/// back as the same place in what is left.
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
