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
    use crate::i18n::Lang;

    /// Once, «דנה (2)» beside the app's own text was shown in the wrong order. This test tries every sentence with a
    /// name.
    #[test]
    fn a_name_turns_nothing_around_it() {
        let name = "דנה (2)";
        let apart = "\u{2068}דנה (2)\u{2069}";
        for lang in Lang::ALL {
            let words = lang.words();
            let names = |others: &[&str]| -> Vec<String> {
                std::iter::once(name).chain(others.iter().copied()).map(str::to_owned).collect()
            };
            for sentence in [
                (words.joined)(name),
                (words.left)(name),
                (words.group_updated)(name),
                (words.preview_mine)(name),
                (words.typing)(&names(&[])),
                (words.typing)(&names(&["Ana"])),
                (words.typing)(&names(&["Ana", "Leo"])),
                (words.title)(3, name),
                (words.title)(0, name),
                (words.announced)(name, "hola"),
                (words.announced)("Ana", name),
            ] {
                assert!(sentence.contains(apart), "{sentence}");
                assert_eq!(sentence.matches([ISOLATE, POP_ISOLATE]).count(), 2, "{sentence}");
            }
        }
        assert_eq!(isolated("Ana 🚀 (2)"), "Ana 🚀 (2)");
    }
}
