//! Isolates text that people wrote inside of the app's own sentences.
//!
//! A name that is read from right to left also changes the order of the text around it, unless it is isolated. In the
//! content of an element, `<bdi>` does that. The characters of this module do it everywhere else: in a title, a label,
//! a text that is read aloud, or a name in the middle of a sentence.

use std::borrow::Cow;

/// The characters "first strong isolate" and "pop directional isolate".
const ISOLATE: char = '\u{2068}';
const POP_ISOLATE: char = '\u{2069}';

/// The text, isolated if anything in it could change the order of the text beside it.
#[must_use]
pub fn isolated(text: &str) -> Cow<'_, str> {
    if text.chars().any(turns) { Cow::Owned(format!("{ISOLATE}{text}{POP_ISOLATE}")) } else { Cow::Borrowed(text) }
}

/// Letters that are read from right to left, and controls of direction.
const fn turns(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{08FF}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
        | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_text_that_could_change_the_order_is_isolated() {
        assert_eq!(isolated("Ana 🚀 (2)"), "Ana 🚀 (2)");
        assert_eq!(isolated("דנה (2)"), "\u{2068}דנה (2)\u{2069}");
    }
}
