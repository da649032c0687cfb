//! Which characters make words, and which of their differences a search ignores.
//!
//! The functions `caravana.search_…` of PostgreSQL ignore the same differences or more. The indexes of SQLite get the
//! words that are made here: whoever changes a rule has to have them made anew.

use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// Whether a character is part of a word by itself: letters, digits and private characters.
pub(super) fn is_letter(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    // Circled letters are alphabetic for Unicode, but symbols by their category.
    let is_circled = matches!(c, '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f189}');
    (c.is_alphanumeric() && !is_circled && !is_combining_mark(c)) || matches!(c, '\u{e000}'..='\u{f8ff}')
}

/// Whether a character belongs to the letter before it and is ignored: the block of combining diacritical marks.
pub(super) fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Whether a character belongs to the letter before it and counts, like the vowel signs of Indic scripts. The indexes
/// split words there.
pub(super) fn is_mark(c: char) -> bool {
    !c.is_ascii() && is_combining_mark(c) && !is_accent(c)
}

/// Capital letters as `(first, last, step, distance to the small letter)`. This is not all of Unicode, but the same
/// list that `migrations/postgres` has, where `lower` depends on the database's locale.
const CAPITALS: [(u32, u32, u32, i32); 31] = [
    (0xc0, 0xd6, 1, 32),
    (0xd8, 0xde, 1, 32),
    (0x100, 0x12e, 2, 1),
    (0x132, 0x136, 2, 1),
    (0x139, 0x147, 2, 1),
    (0x14a, 0x176, 2, 1),
    (0x178, 0x178, 1, -121),
    (0x179, 0x17d, 2, 1),
    (0x1a0, 0x1a4, 2, 1),
    (0x1af, 0x1af, 1, 1),
    (0x1cd, 0x1db, 2, 1),
    (0x1de, 0x1ee, 2, 1),
    (0x1f8, 0x21e, 2, 1),
    (0x222, 0x232, 2, 1),
    (0x386, 0x386, 1, 38),
    (0x388, 0x38a, 1, 37),
    (0x38c, 0x38c, 1, 64),
    (0x38e, 0x38f, 1, 63),
    (0x391, 0x3a1, 1, 32),
    (0x3a3, 0x3ab, 1, 32),
    // The sigma at the end of a word.
    (0x3c2, 0x3c2, 1, 1),
    (0x400, 0x40f, 1, 80),
    (0x410, 0x42f, 1, 32),
    (0x460, 0x480, 2, 1),
    (0x48a, 0x4be, 2, 1),
    (0x4d0, 0x526, 2, 1),
    (0x531, 0x556, 1, 48),
    (0x1e00, 0x1e94, 2, 1),
    (0x1e9e, 0x1e9e, 1, -7615),
    (0x1ea0, 0x1efe, 2, 1),
    (0xff21, 0xff3a, 1, 32),
];

/// The small letter.
pub(super) fn lower(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let code = u32::from(c);
    let found = CAPITALS
        .iter()
        .find(|(first, last, step, _)| (*first..=*last).contains(&code) && (code - first).is_multiple_of(*step));
    found.and_then(|(_, _, _, distance)| code.checked_add_signed(*distance)).and_then(char::from_u32).unwrap_or(c)
}

/// The letters that a letter counts as when accents and case are ignored: none, one or two.
pub(super) fn fold(c: char) -> [Option<char>; 2] {
    if c.is_ascii() {
        return [Some(c.to_ascii_lowercase()), None];
    }
    if is_accent(c) {
        return [None, None];
    }
    let c = lower(c);
    match c {
        'ß' => [Some('s'), Some('s')],
        'æ' => [Some('a'), Some('e')],
        'œ' => [Some('o'), Some('e')],
        'þ' => [Some('t'), Some('h')],
        _ => [Some(one(c)), None],
    }
}

/// Letters without their accents, and letters that many people write as others.
fn one(c: char) -> char {
    match c {
        'ø' => 'o',
        'ł' => 'l',
        'đ' | 'ð' => 'd',
        'ı' => 'i',
        'ё' => 'е',
        _ => {
            let mut first = None;
            decompose_canonical(c, |part| {
                first.get_or_insert(part);
            });
            // In other scripts a letter with its mark is another letter: й is not и, and が is not か.
            let is_plain = |letter: &char| letter.is_ascii_alphabetic() || matches!(letter, '\u{370}'..='\u{3ff}');
            first.filter(is_plain).map_or(c, lower)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_capitals_agrees_with_unicode() {
        for c in '\u{80}'..=char::MAX {
            let small = lower(c);
            if small != c && c != 'ς' {
                assert_eq!(c.to_lowercase().collect::<Vec<_>>(), [small], "{c:?}");
            }
        }
        let counted = ('\u{80}'..='\u{17f}').filter(|c| c.is_uppercase() && lower(*c) == *c).collect::<String>();
        assert_eq!(counted, "İ", "its small letter has a dot of its own");
    }

    #[test]
    fn a_folded_letter_stays_as_it_is() {
        for c in ('\0'..=char::MAX).filter(|c| is_letter(*c)) {
            for part in fold(c).into_iter().flatten() {
                assert_eq!(fold(part), [Some(part), None], "{c:?}");
                assert!(is_letter(part), "{c:?}");
            }
        }
    }

    #[test]
    fn accents_and_case_are_ignored() {
        let folded = |text: &str| text.chars().flat_map(|c| fold(c).into_iter().flatten()).collect::<String>();
        for (text, expected) in [
            ("Café", "cafe"),
            ("cafe\u{301}", "cafe"),
            ("MAÑANA", "manana"),
            ("Straße STRASSE", "strasse strasse"),
            ("ẞ", "ss"),
            ("İstanbul ısı", "istanbul isi"),
            ("Łódź København", "lodz kobenhavn"),
            ("Αθήνα ΆΓΙΟΣ ἄνθρωπος Ἀθῆναι ᾳ", "αθηνα αγιοσ ανθρωποσ αθηναι α"),
            ("ǡ ḁ K", "a a k"),
            ("Ёлка йод", "елка йод"),
            ("Việt Nam ế", "viet nam e"),
            ("が東京", "が東京"),
        ] {
            assert_eq!(folded(text), expected);
        }
    }
}
