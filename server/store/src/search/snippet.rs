//! The part of a message that a hit shows: the text around the first match, cut into pieces.

use std::ops::Range;

use caravana_protocol::limits::SNIPPET_CHARACTERS;
use caravana_protocol::rest::HitPart;
use unicode_normalization::char::is_combining_mark;

/// Characters that are shown before the first match, at most.
const LEAD: usize = 60;
/// How far a cut moves to be between two words.
const SLACK: usize = 20;

/// The text around the first of these stretches, in pieces. The stretches are ascending and do not overlap.
pub(super) fn snippet(text: &str, stretches: &[Range<usize>]) -> Vec<HitPart> {
    let first = stretches.first().map_or(0, |stretch| stretch.start);
    let Range { start, end } = window(text, first);
    let mut parts: Vec<HitPart> = Vec::new();
    let mut add = |text: &str, hit: bool| {
        if text.is_empty() {
            return;
        }
        match parts.last_mut() {
            Some(last) if last.hit == hit => last.text.push_str(text),
            Some(_) | None => parts.push(HitPart { text: text.to_owned(), hit }),
        }
    };
    if start > 0 {
        add("…", false);
    }
    let mut at = start;
    for stretch in stretches.iter().filter(|stretch| stretch.start < end) {
        let stretch = stretch.start.max(at)..stretch.end.min(end);
        add(&text[at..stretch.start], false);
        add(&text[stretch.clone()], true);
        at = stretch.end;
    }
    add(&text[at..end], false);
    if end < text.len() {
        add("…", false);
    }
    parts
}

/// The part that is shown: all of a short text, else the match with a little before it and more behind it.
fn window(text: &str, first: usize) -> Range<usize> {
    if text.char_indices().nth(SNIPPET_CHARACTERS).is_none() {
        return 0..text.len();
    }
    let lead = text[..first].char_indices().rev().take(LEAD).last().map_or(first, |(at, _)| at);
    // Near the text's end, what is not needed behind the match is shown before it.
    let tail = text.char_indices().rev().take(SNIPPET_CHARACTERS).last().map_or(0, |(at, _)| at);
    let mut start = lead.min(tail);
    if start > 0 {
        start = after_space(&text[..first], start);
    }
    let end = text[start..].char_indices().nth(SNIPPET_CHARACTERS).map_or(text.len(), |(at, _)| start + at);
    start..if end < text.len() { before_space(text, first, end) } else { end }
}

/// Moves the beginning to the next word, if there is one soon.
fn after_space(text: &str, start: usize) -> usize {
    let mut soon = text[start..].char_indices().take(SLACK);
    match soon.find(|(_, c)| c.is_whitespace()) {
        Some((at, space)) => start + at + space.len_utf8(),
        None => whole(text, start),
    }
}

/// Moves the end to the end of a word, if there was one shortly before.
fn before_space(text: &str, first: usize, end: usize) -> usize {
    let mut before = text[first..end].char_indices().rev().take(SLACK);
    match before.find(|(_, c)| c.is_whitespace()) {
        Some((at, _)) if at > 0 => first + at,
        Some(_) | None => whole(text, end),
    }
}

/// Moves a cut back to where no visible character is cut in two: accents, the parts of an emoji, the letters of a flag.
fn whole(text: &str, at: usize) -> usize {
    let mut cut = at;
    let belongs = |cut: usize| {
        let next = text[cut..].chars().next();
        let last = text[..cut].chars().next_back();
        next.is_some_and(extends)
            || last == Some('\u{200d}')
            || (next.is_some_and(is_flag) && flags_before(text, cut) % 2 == 1)
    };
    let mut steps = 0;
    while cut > 0 && steps < SLACK && belongs(cut) {
        cut -= text[..cut].chars().next_back().map_or(0, char::len_utf8);
        steps += 1;
    }
    // A text that is one endless character is cut anyway.
    if steps == SLACK { at } else { cut }
}

fn extends(c: char) -> bool {
    matches!(c, '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
        || is_combining_mark(c)
}

fn is_flag(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

fn flags_before(text: &str, at: usize) -> usize {
    text[..at].chars().rev().take_while(|c| is_flag(*c)).count()
}

#[cfg(test)]
mod tests {
    use super::super::Query;
    use super::*;

    fn shown(query: &str, text: &str) -> Vec<HitPart> {
        Query::of(query).judge(text).unwrap()
    }

    fn together(parts: &[HitPart]) -> String {
        parts.iter().map(|part| part.text.as_str()).collect()
    }

    #[test]
    fn a_short_text_is_shown_whole_and_cut_into_pieces() {
        let parts = shown("cafe be", "Un Café y un bebé");
        let marked: Vec<_> = parts.iter().map(|part| (part.text.as_str(), part.hit)).collect();
        assert_eq!(marked, [("Un ", false), ("Café", true), (" y un ", false), ("be", true), ("bé", false)]);
    }

    #[test]
    fn of_a_long_text_the_part_around_the_first_match_is_shown() {
        let filler = "una palabra tras otra ".repeat(30);
        for text in [format!("playa {filler}"), format!("{filler} playa {filler}"), format!("{filler}playa")] {
            let parts = shown("playa", &text);
            let shown = together(&parts);
            let bare = shown.trim_matches('…');
            assert!(text.contains(bare) && bare.contains("playa"), "{shown}");
            assert!((150..=SNIPPET_CHARACTERS).contains(&bare.chars().count()), "{shown}");
            assert_eq!(parts.iter().filter(|part| part.hit).count(), 1);
            assert!(
                !bare.starts_with("labra")
                    && (shown.ends_with("playa") || shown.starts_with('…') || shown.starts_with("playa"))
            );
        }
    }

    #[test]
    fn a_cut_is_never_in_the_middle_of_what_is_seen() {
        for unit in ["👨\u{200d}👩\u{200d}👧", "🇵🇹", "e\u{301}\u{327}", "❤\u{fe0f}", "👍🏽", "שָׁ", "長"]
        {
            for before in 0..40 {
                let text = format!("{}{}hola {}", "x".repeat(before), unit.repeat(200), unit.repeat(200));
                // Letters stick to the word that is searched for.
                let text = text.replace("hola", " hola");
                let parts = shown("hola", &text);
                let shown = together(&parts);
                let bare = shown.trim_matches('…');
                assert!(text.contains(bare));
                let start = text.find(bare).unwrap();
                let before = &text[..start];
                let units = before.trim_start_matches('x').strip_suffix(' ').unwrap_or(before.trim_start_matches('x'));
                assert_eq!(units, unit.repeat(units.len() / unit.len()), "{unit}: {shown}");
                let behind = &text[start + bare.len()..];
                let behind = behind.trim_start_matches(' ');
                assert_eq!(behind, unit.repeat(behind.len() / unit.len()), "{unit}: {shown}");
            }
        }
    }

    #[test]
    fn long_words_are_cut_too() {
        let word = "a".repeat(3_000);
        let parts = shown(&"a".repeat(100), &word);
        assert_eq!((parts[0].text.len(), parts[0].hit), (100, true));
        assert_eq!(together(&parts).chars().count(), SNIPPET_CHARACTERS + 1);
        let endless = format!("e{}", "\u{301}".repeat(1_000));
        assert!(!shown("e", &endless).is_empty());
        let parts = shown("straß", &format!("{} Straße", "x".repeat(400)));
        assert_eq!(parts[1], HitPart { text: "Straß".to_owned(), hit: true });
    }
}
