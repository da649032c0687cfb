//! Names in a row: «Ana, Leo y Mía», «Ana e Inés», "Ana, Leo and Mía".

use super::isolate::isolated;

/// Spanish. «y» becomes «e» before the sound i, but not before the diphthong of «hielo».
#[must_use]
pub fn es(names: &[String]) -> String {
    let and = if names.last().is_some_and(|last| sounds_like_i(last)) { " e " } else { " y " };
    join(names, and)
}

/// English, without the serial comma.
#[must_use]
pub fn en(names: &[String]) -> String {
    join(names, " and ")
}

fn join(names: &[String], and: &str) -> String {
    let names: Vec<_> = names.iter().map(|name| isolated(name)).collect();
    match &names[..] {
        [] => String::new(),
        [only] => only.clone().into_owned(),
        [first @ .., last] => [first.join(", ").as_str(), and, &**last].concat(),
    }
}

fn sounds_like_i(word: &str) -> bool {
    let mut letters = word.chars().flat_map(char::to_lowercase);
    let first = letters.next();
    let (vowel, next) = match first {
        Some('h') => (letters.next(), letters.next()),
        other => (other, letters.next()),
    };
    let i = matches!(vowel, Some('i' | 'í')) || (vowel == Some('y') && !next.is_some_and(is_vowel));
    let diphthong = vowel == Some('i') && matches!(next, Some('a' | 'e' | 'o' | 'á' | 'é' | 'ó'));
    i && !diphthong
}

const fn is_vowel(letter: char) -> bool {
    matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u' | 'á' | 'é' | 'í' | 'ó' | 'ú')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(last: &str) -> String {
        es(&["Ana".to_owned(), last.to_owned()])
    }

    #[test]
    fn y_becomes_e_before_the_sound_i() {
        for name in ["Inés", "Íñigo", "Hilda", "Iñaki", "Yves"] {
            assert_eq!(pair(name), format!("Ana e {name}"));
        }
        for name in ["Leo", "Yolanda", "Hielo", "Ian", "", "Óscar"] {
            assert_eq!(pair(name), format!("Ana y {name}"));
        }
    }

    #[test]
    fn one_name_stands_alone_and_none_is_nothing() {
        assert_eq!(es(&["Ana".to_owned()]), "Ana");
        assert_eq!(en(&[]), "");
        assert_eq!(en(&["A".to_owned(), "B".to_owned(), "C".to_owned()]), "A, B and C");
    }
}
