//! Finds a piece of source regardless of its layout: white space, and what a formatter adds to it, is ignored.

use std::ops::Range;

use anyhow::{Result, ensure};

/// The range of the snippet in `text`, where it must occur once. The range begins and ends with a significant
/// character.
pub(super) fn find(text: &str, snippet: &str) -> Result<Range<usize>> {
    let (text, snippet) = (Condensed::of(text), Condensed::of(snippet));
    ensure!(!snippet.characters.is_empty(), "the snippet is empty");
    let length = snippet.characters.len();
    let places: Vec<usize> = text
        .characters
        .windows(length)
        .enumerate()
        .filter(|(_, window)| *window == snippet.characters)
        .map(|(at, _)| at)
        .collect();
    ensure!(places.len() == 1, "there are {} places, and must be one", places.len());
    let (first, last) = (places[0], places[0] + length - 1);
    Ok(text.places[first]..text.places[last] + text.characters[last].len_utf8())
}

/// A text without its layout.
struct Condensed {
    characters: Vec<char>,
    /// The offset of each character in the text.
    places: Vec<usize>,
}

impl Condensed {
    fn of(text: &str) -> Self {
        let mut condensed = Self { characters: Vec::new(), places: Vec::new() };
        for (place, character) in text.char_indices() {
            // A long string continues on the next line after a backslash.
            let continues = character == '\\' && text[place..].starts_with("\\\n");
            if character.is_whitespace() || continues {
                continue;
            }
            // The formatter adds a comma after the last of several lines.
            if matches!(character, ')' | ']' | '}') && condensed.characters.last() == Some(&',') {
                condensed.characters.pop();
                condensed.places.pop();
            }
            condensed.characters.push(character);
            condensed.places.push(place);
        }
        condensed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(text: &'a str, snippet: &str) -> &'a str {
        &text[find(text, snippet).unwrap()]
    }

    #[test]
    fn layout_does_not_count() {
        assert_eq!(found("a(\n    b,\n    c,\n).await;", "a(b, c).await"), "a(\n    b,\n    c,\n).await");
        assert_eq!(found("f(b, c) + 1", "f(\n b,\n c,\n) + 1"), "f(b, c) + 1");
        assert_eq!(found("\"select 1 \\\n   from t\"", "select 1 from t"), "select 1 \\\n   from t");
    }

    #[test]
    fn the_snippet_stands_there_once() {
        assert!(find("a; b; a;", "a;").unwrap_err().to_string().contains("2 places"));
        assert!(find("a; b; a;", "c;").unwrap_err().to_string().contains("0 places"));
        assert!(find("a;", " \n").is_err());
    }

    #[test]
    fn letters_of_any_length_are_counted_right() {
        assert_eq!(found("«ñ» x = «é»;", "x = «é»"), "x = «é»");
    }
}
