//! The words of a text, and what of them the indexes of SQLite get.

use std::ops::Range;

use super::SEARCHED_CHARACTERS;
use super::fold::{fold, is_accent, is_letter, is_mark, lower};

/// What the two indexes get of a text: words with a space between them. Every message is cut so, so it is one pass over
/// the text, without a string for each word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedWords {
    /// Without accents, in small letters: what [`Query::beginnings`](super::Query::beginnings) are looked for in.
    pub folded: String,
    /// In small letters: what [`Query::spellings`](super::Query::spellings) are looked for in.
    pub spelled: String,
}

impl IndexedWords {
    /// The words of the part of a text that is searched.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = searched(text);
        let (mut folded, mut spelled) = (Words::with_capacity(text.len()), Words::with_capacity(text.len()));
        for c in text.chars() {
            if is_letter(c) {
                fold(c).into_iter().flatten().for_each(|letter| folded.letter(letter));
                spelled.letter(lower(c));
            } else if is_accent(c) {
                spelled.accent(c);
            } else {
                // A mark splits a word for an index, like everything that is between words.
                let goes_on = is_mark(c);
                folded.end(goes_on);
                spelled.end(goes_on);
            }
        }
        folded.end(false);
        spelled.end(false);
        Self { folded: folded.all, spelled: spelled.all }
    }
}

/// Words that are written one after the other.
struct Words {
    all: String,
    /// Where the present piece of a word begins, with its space.
    start: usize,
    /// The present piece has a letter. One of accents alone is nothing to search for.
    has_letter: bool,
    /// A letter came before, so that an accent belongs to a word.
    is_word: bool,
}

impl Words {
    fn with_capacity(bytes: usize) -> Self {
        Self { all: String::with_capacity(bytes), start: 0, has_letter: false, is_word: false }
    }

    fn letter(&mut self, letter: char) {
        self.push(letter);
        (self.has_letter, self.is_word) = (true, true);
    }

    fn accent(&mut self, accent: char) {
        if self.is_word {
            self.push(accent);
        }
    }

    fn push(&mut self, c: char) {
        if self.all.len() == self.start && self.start > 0 {
            self.all.push(' ');
        }
        self.all.push(c);
    }

    /// Ends a piece; with `goes_on` the word goes on behind it.
    fn end(&mut self, goes_on: bool) {
        if !self.has_letter {
            self.all.truncate(self.start);
        }
        self.start = self.all.len();
        self.has_letter = false;
        self.is_word &= goes_on;
    }
}

/// The part of a text that is searched.
pub(super) fn searched(text: &str) -> &str {
    match text.char_indices().nth(SEARCHED_CHARACTERS) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// The words of a text. A word begins with a letter and takes the accents and marks behind its letters.
pub(super) fn word_ranges(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, first) = rest.by_ref().find(|(_, c)| is_letter(*c))?;
        let mut end = start + first.len_utf8();
        while let Some((at, c)) = rest.next_if(|(_, c)| is_letter(*c) || is_accent(*c) || is_mark(*c)) {
            end = at + c.len_utf8();
        }
        Some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::super::query::pieces;
    use super::*;

    #[test]
    fn an_index_gets_words_and_nothing_else() {
        let words = IndexedWords::of("Un Café (\"bueno\")* की हिन्दी ¿? \u{301}x");
        assert_eq!(words.folded, "un cafe bueno क ह न द x");
        assert_eq!(words.spelled, "un café bueno क ह न द x");
        assert_eq!(IndexedWords::of("¿? 🎉"), IndexedWords { folded: String::new(), spelled: String::new() });
    }

    /// The words of a text one by one, as a query cuts its own.
    fn one_by_one(text: &str, letters: impl Fn(char) -> String) -> String {
        let words: Vec<String> = word_ranges(text).map(|range| text[range].chars().map(&letters).collect()).collect();
        let pieces: Vec<&str> = words.iter().flat_map(|word| pieces(word)).collect();
        pieces.join(" ")
    }

    #[test]
    fn an_index_gets_what_a_query_looks_for_whatever_the_text() {
        let letters: Vec<char> = "aÉñßİ東हि्\u{301}\u{308}\u{5b0}ש 0-.\n🎉ⓐ".chars().collect();
        let mut random = 1_u64;
        for _ in 0..20_000 {
            let text: String = (0..12)
                .map(|_| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    letters[(random >> 33) as usize % letters.len()]
                })
                .collect();
            let words = IndexedWords::of(&text);
            assert_eq!(words.folded, one_by_one(&text, |c| fold(c).into_iter().flatten().collect()), "{text:?}");
            assert_eq!(words.spelled, one_by_one(&text, |c| lower(c).to_string()), "{text:?}");
        }
    }

    #[test]
    fn no_more_is_indexed_than_is_searched() {
        let text = format!("{} fin", "a ".repeat(SEARCHED_CHARACTERS / 2));
        assert!(!IndexedWords::of(&text).folded.contains("fin"));
    }
}
