//! The words of a query, and what of a text they match.

use std::ops::Range;

use caravana_protocol::limits::SEARCH_WORDS;
use caravana_protocol::rest::HitPart;
use unicode_normalization::UnicodeNormalization as _;

use super::Tier;
use super::fold::{fold, is_accent, is_letter, is_mark, lower};
use super::snippet::snippet;
use super::words::{searched, word_ranges};

/// The words that are searched for: each is the beginning of a word of the text. Accents and case are ignored. It is
/// made of letters and digits only, so that nothing in it means something to a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    words: Vec<Word>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    /// As it was written, in small letters.
    spelled: String,
    folded: String,
}

impl Query {
    /// Takes the words out of a text. Words behind the first [`SEARCH_WORDS`] do not count.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text: String = text.nfc().collect();
        let mut words: Vec<Word> = Vec::new();
        for range in word_ranges(&text) {
            let word = Word { spelled: text[range.clone()].chars().map(lower).collect(), folded: folded(&text[range]) };
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words.truncate(SEARCH_WORDS);
        Self { words }
    }

    /// Whether there is nothing to search for: such a query finds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// What an index has to contain for the exact spelling: whole words, accents counted, in small letters.
    #[must_use]
    pub fn spellings(&self) -> Vec<String> {
        self.words.iter().flat_map(|word| pieces(&word.spelled)).map(str::to_owned).collect()
    }

    /// What an index has to contain, without accents, and whether each is only the beginning of a word.
    #[must_use]
    pub fn beginnings(&self) -> Vec<(String, bool)> {
        let mut terms = Vec::new();
        for word in &self.words {
            let mut pieces = pieces(&word.folded).peekable();
            while let Some(piece) = pieces.next() {
                terms.push((piece.to_owned(), pieces.peek().is_none()));
            }
        }
        terms
    }

    /// The part of a text that is shown when it matches.
    #[must_use]
    pub fn judge(&self, text: &str) -> Option<Vec<HitPart>> {
        Some(snippet(text, &self.matches(searched(text))?))
    }

    /// The part of the answer that a text belongs to, if it matches.
    #[must_use]
    pub fn tier(&self, text: &str) -> Option<Tier> {
        let text = searched(text);
        self.matches(text)?;
        let spelled =
            |word: &Word| word_ranges(text).any(|range| text[range].chars().map(lower).eq(word.spelled.chars()));
        Some(if self.words.iter().all(spelled) { Tier::Spelling } else { Tier::Words })
    }

    /// The stretches that match, ascending, if every word is found.
    fn matches(&self, text: &str) -> Option<Vec<Range<usize>>> {
        let mut found = vec![false; self.words.len()];
        let mut stretches = Vec::new();
        for range in word_ranges(text) {
            let mut longest = None;
            for (word, found) in self.words.iter().zip(&mut found) {
                if let Some(length) = beginning(&text[range.clone()], &word.folded) {
                    *found = true;
                    longest = longest.max(Some(length));
                }
            }
            stretches.extend(longest.map(|length| range.start..range.start + length));
        }
        (!found.is_empty() && found.into_iter().all(|found| found)).then_some(stretches)
    }
}

fn folded(word: &str) -> String {
    word.chars().flat_map(|c| fold(c).into_iter().flatten()).collect()
}

/// The parts of a word between its marks: the words of an index.
pub(super) fn pieces(word: &str) -> impl Iterator<Item = &str> {
    word.split(is_mark).filter(|piece| piece.chars().any(is_letter))
}

/// How many bytes of a word match, if it begins with this folded text. The last letter is taken whole, with its
/// accents.
fn beginning(word: &str, folded: &str) -> Option<usize> {
    let mut wanted = folded.chars();
    let mut next = wanted.next();
    let mut end = 0;
    for (at, c) in word.char_indices() {
        if next.is_none() && !is_accent(c) && !is_mark(c) {
            break;
        }
        for part in fold(c).into_iter().flatten() {
            match next {
                Some(letter) if letter == part => next = wanted.next(),
                // The query may end in the middle of a letter that counts as two, or before a mark.
                None => {}
                Some(_) => return None,
            }
        }
        end = at + c.len_utf8();
    }
    next.is_none().then_some(end)
}

#[cfg(test)]
mod tests {
    use super::super::SEARCHED_CHARACTERS;
    use super::*;

    fn found(query: &str, text: &str) -> Option<Vec<String>> {
        let matches = Query::of(query).matches(text)?;
        Some(matches.into_iter().map(|range| text[range].to_owned()).collect())
    }

    #[test]
    fn words_are_prefixes_and_accents_and_case_are_ignored() {
        for (query, text, expected) in [
            ("cafe", "Un Café, dos CAFETERÍAS; descafeinado", &["Café", "CAFE"][..]),
            ("CAFÉ", "cafe", &["cafe"]),
            ("caf", "cafe\u{301}", &["caf"]),
            ("cafe", "cafe\u{301}s", &["cafe\u{301}"]),
            ("cafe\u{301}", "café", &["café"]),
            ("stras", "Straße", &["Straß"]),
            ("strass", "STRASSE Straße", &["STRASS", "Straß"]),
            ("straße", "Strasse", &["Strasse"]),
            ("istanbul", "İstanbul", &["İstanbul"]),
            ("İSTANBUL", "istanbul", &["istanbul"]),
            ("ma be", "Mañana, bebé", &["Ma", "be"]),
            ("bebe be", "bebé", &["bebé"]),
            ("😀hola", "hola🎉mundo", &["hola"]),
            ("mundo", "hola🎉mundo", &["mundo"]),
            ("cafe", "❤\u{fe0f}café", &["café"]),
            ("שלום", "אמר שלום לכולם", &["שלום"]),
            ("हिन", "हिन्दी", &["हिन्"]),
            ("東京", "東京タワー", &["東京"]),
            ("10", "a las 10:30", &["10"]),
            ("l'a", "L'Alhambra", &["L", "A"]),
        ] {
            assert_eq!(found(query, text).unwrap_or_default(), expected, "{query} in {text}");
        }
        for (query, text) in [
            ("cafe", "descafeinado"),
            ("hola mundo", "hola"),
            ("हिनद", "हिन्दी"),
            ("!!", "!!"),
            ("🎉🎉", "🎉🎉"),
            ("йо", "ион"),
        ] {
            assert_eq!(found(query, text), None, "{query} in {text}");
        }
    }

    #[test]
    fn a_query_is_words_whatever_it_looks_like() {
        let query = Query::of("\"Café\"* NEAR(a b) -x:y 'or' & | ! <-> \\ \0 café");
        let spellings = query.spellings();
        assert_eq!(spellings, ["café", "near", "a", "b", "x", "y", "or"]);
        assert_eq!(query.beginnings()[0], ("cafe".to_owned(), true));
        assert!(Query::of("¿? … 🎉 \u{301}").is_empty());
        let many: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        assert_eq!(Query::of(&many.join(" ")).words.len(), SEARCH_WORDS);
    }

    #[test]
    fn an_index_is_asked_for_the_parts_of_a_word_between_its_marks() {
        let terms = Query::of("हिन्दी").beginnings();
        let expected = [("ह", false), ("न", false), ("द", true)];
        assert_eq!(terms, expected.map(|(piece, is_open)| (piece.to_owned(), is_open)));
    }

    #[test]
    fn a_text_belongs_to_one_part_of_the_answer() {
        for (query, text, tier) in [
            ("cafe", "un Cafe", Some(Tier::Spelling)),
            ("cafe", "un café", Some(Tier::Words)),
            ("caf", "cafe", Some(Tier::Words)),
            ("CAFÉ un", "un café", Some(Tier::Spelling)),
            ("cafe un", "cafe una", Some(Tier::Words)),
            ("straße", "Strasse", Some(Tier::Words)),
            ("cafe x", "cafe", None),
        ] {
            assert_eq!(Query::of(query).tier(text), tier, "{query} in {text}");
        }
    }

    #[test]
    fn only_as_much_is_searched_as_a_message_may_have() {
        let text = format!("{} fin", "a ".repeat(SEARCHED_CHARACTERS / 2));
        assert_eq!(Query::of("fin").judge(&text), None);
        assert!(Query::of("aa").judge(&text).is_none());
        assert!(Query::of("a a").judge(&text).is_some());
    }
}
