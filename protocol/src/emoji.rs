//! Which characters are drawn as emoji.
//!
//! Owns [`Emoji`], what a member reacts with. Decides whether a text consists only of emoji, and finds the first
//! character of a name as a reader sees it. Guarantees that a symbol which is text by default (✓ ☐ ♪) stays text, and
//! becomes an emoji only by its variation selector or its keycap, as Unicode says (UTS #51). It uses ranges instead of
//! the full tables, so that future emoji are already included.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::EMOJI_BYTES;

/// A message of only emoji, at most this many, is shown large.
const LARGE_EMOJI: usize = 6;

const EMOJI_STYLE: char = '\u{FE0F}';
const TEXT_STYLE: char = '\u{FE0E}';
const KEYCAP: char = '\u{20E3}';
const JOINER: char = '\u{200D}';
/// The flag of a region is this one with the region's letters as tags, and an end.
const BLACK_FLAG: char = '\u{1F3F4}';
const END_OF_TAGS: char = '\u{E007F}';

/// One emoji: a single character as a reader sees it, which is drawn as a picture.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Emoji(String);

/// Why a text is not an emoji.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a reaction is one emoji of at most {EMOJI_BYTES} bytes")]
pub struct NoEmoji;

impl Emoji {
    /// Checks that the text is exactly one emoji of at most [`EMOJI_BYTES`].
    pub fn parse(text: &str) -> Result<Self, NoEmoji> {
        let is_one = !text.is_empty() && text.len() <= EMOJI_BYTES && first_seen(text) == text.len();
        // A flag without its second letter, and a joiner that joins nothing, are parts of an emoji.
        let is_part = text.ends_with(JOINER) || (text.starts_with(is_flag_letter) && text.chars().count() == 1);
        // What is not drawn would make look-alikes of one emoji, which count as several.
        let is_drawn = text.split(JOINER).all(is_element);
        if is_one && !is_part && is_drawn && is_emoji(text) { Ok(Self(text.to_owned())) } else { Err(NoEmoji) }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Emoji {
    type Error = NoEmoji;

    fn try_from(text: String) -> Result<Self, NoEmoji> {
        Self::parse(&text)
    }
}

impl From<Emoji> for String {
    fn from(emoji: Emoji) -> Self {
        emoji.0
    }
}

impl fmt::Display for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text is a few emoji and nothing else.
#[must_use]
pub fn is_emoji_only(text: &str) -> bool {
    let mut rest = text.trim_start();
    let mut count = 0;
    while !rest.is_empty() {
        let (seen, behind) = rest.split_at(first_seen(rest));
        if !is_emoji(seen) {
            return false;
        }
        count += 1;
        rest = behind.trim_start();
    }
    (1..=LARGE_EMOJI).contains(&count)
}

/// The first character of a text as a reader sees it: a letter, an emoji with all its modifiers, a flag.
#[must_use]
pub fn first(text: &str) -> &str {
    let text = text.trim_start();
    &text[..first_seen(text)]
}

/// The length of the first character with what belongs to it: skin tone, variation selector, keycap, tags, joined
/// symbols, the second letter of a flag.
fn first_seen(text: &str) -> usize {
    let mut letters = text.char_indices();
    let Some((_, mut before)) = letters.next() else { return 0 };
    let mut may_be_flag = is_flag_letter(before);
    for (at, c) in letters {
        let second_letter = std::mem::take(&mut may_be_flag) && is_flag_letter(c);
        // A joiner joins symbols; between letters it belongs to their script.
        let joined = before == JOINER && (drawn_as_emoji(c) || styled_as_emoji(c));
        if !(second_letter || joined || shapes(c)) {
            return at;
        }
        before = c;
    }
    text.len()
}

const fn shapes(c: char) -> bool {
    matches!(c, EMOJI_STYLE | TEXT_STYLE | KEYCAP | JOINER | '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0020}'..='\u{E007F}')
}

/// Whether what stands between two joiners is one symbol with what changes how it is drawn, and nothing more.
fn is_element(text: &str) -> bool {
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return false };
    let rest = letters.as_str();
    match first {
        BLACK_FLAG if rest.ends_with(END_OF_TAGS) => {
            rest.chars().rev().skip(1).all(|c| matches!(c, '\u{E0030}'..='\u{E0039}' | '\u{E0061}'..='\u{E007A}'))
        }
        '0'..='9' | '#' | '*' => rest.strip_prefix(EMOJI_STYLE).unwrap_or(rest) == KEYCAP.encode_utf8(&mut [0; 4]),
        _ if is_flag_letter(first) => rest.chars().count() == 1,
        _ => {
            let mut rest = rest.chars();
            rest.next().is_none_or(|c| matches!(c, EMOJI_STYLE | '\u{1F3FB}'..='\u{1F3FF}')) && rest.next().is_none()
        }
    }
}

const fn is_flag_letter(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}')
}

/// Whether a character, as a reader sees it, is drawn as an emoji.
fn is_emoji(seen: &str) -> bool {
    let mut letters = seen.chars();
    let Some(first) = letters.next() else { return false };
    match letters.clone().next() {
        Some(TEXT_STYLE) => false,
        // A skin tone takes the selector's place: `✌🏽`.
        Some(EMOJI_STYLE | '\u{1F3FB}'..='\u{1F3FF}') if styled_as_emoji(first) => true,
        Some(EMOJI_STYLE | KEYCAP) if matches!(first, '0'..='9' | '#' | '*') => seen.ends_with(KEYCAP),
        _ => drawn_as_emoji(first),
    }
}

/// An emoji by default: `Emoji_Presentation`.
const fn drawn_as_emoji(c: char) -> bool {
    matches!(c, '\u{231A}' | '\u{231B}' | '\u{23E9}'..='\u{23EC}' | '\u{23F0}' | '\u{23F3}' | '\u{25FD}' | '\u{25FE}'
        | '\u{2614}' | '\u{2615}' | '\u{2648}'..='\u{2653}' | '\u{267F}' | '\u{2693}' | '\u{26A1}' | '\u{26AA}'
        | '\u{26AB}' | '\u{26BD}' | '\u{26BE}' | '\u{26C4}' | '\u{26C5}' | '\u{26CE}' | '\u{26D4}' | '\u{26EA}'
        | '\u{26F2}' | '\u{26F3}' | '\u{26F5}' | '\u{26FA}' | '\u{26FD}' | '\u{2705}' | '\u{270A}' | '\u{270B}'
        | '\u{2728}' | '\u{274C}' | '\u{274E}' | '\u{2753}'..='\u{2755}' | '\u{2757}' | '\u{2795}'..='\u{2797}'
        | '\u{27B0}' | '\u{27BF}' | '\u{2B1B}' | '\u{2B1C}' | '\u{2B50}' | '\u{2B55}'
        | '\u{1F004}' | '\u{1F0CF}' | '\u{1F18E}' | '\u{1F191}'..='\u{1F19A}' | '\u{1F1E6}'..='\u{1F1FF}'
        | '\u{1F201}' | '\u{1F21A}' | '\u{1F22F}' | '\u{1F232}'..='\u{1F23A}' | '\u{1F250}' | '\u{1F251}'
        // Pictographs. Some of them are text by default, but platforms draw them as emoji where people write them.
        | '\u{1F300}'..='\u{1F64F}' | '\u{1F680}'..='\u{1F6FF}' | '\u{1F7E0}'..='\u{1F7F0}'
        | '\u{1F90C}'..='\u{1F9FF}' | '\u{1FA70}'..='\u{1FAFF}')
}

/// A symbol that becomes an emoji by its variation selector.
const fn styled_as_emoji(c: char) -> bool {
    matches!(c, '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2194}'..='\u{21AA}'
        | '\u{231A}'..='\u{23FA}' | '\u{24C2}' | '\u{25AA}'..='\u{27BF}' | '\u{2934}' | '\u{2935}'
        | '\u{2B05}'..='\u{2B55}' | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}' | '\u{1F004}'..='\u{1FAFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_emoji_alone_are_large() {
        for text in [
            "😀",
            "👩‍🚀 🚀",
            "🇨🇴",
            "❤️",
            "👍🏽",
            "🇨🇴🇪🇸🇲🇽",
            "🎉🎉🎉🎉🎉🎉",
            "❤️‍🔥",
            "🏳️‍🌈",
            "🏴\u{E0067}\u{E0062}\u{E007F}",
            "🌡️",
            "\n😀\n\n😀 ",
        ] {
            assert!(is_emoji_only(text), "{text}");
        }
        for text in ["", " ", "hola 😀", "1", "12", "🎉🎉🎉🎉🎉🎉🎉", "a", "\u{FE0F}", "\u{200D}", "🇨🇴🇪🇸🇲🇽🇨🇴🇪🇸🇲🇽🇨🇴"]
        {
            assert!(!is_emoji_only(text), "{text}");
        }
    }

    /// Once, «1️⃣» was shown small, and a line of ticks was shown large.
    #[test]
    fn keycaps_are_emoji_and_plain_symbols_are_text() {
        for text in ["1️⃣", "#️⃣ *️⃣", "1\u{20E3}", "✔️", "☑️", "☎️", "⬅️", "™️", "▶️", "㊗️", "✅", "⭐"]
        {
            assert!(is_emoji_only(text), "{text}");
        }
        for text in [
            "✓",
            "☐",
            "♪",
            "✔",
            "☑",
            "☎",
            "→",
            "⬅",
            "™",
            "▶",
            "❤",
            "❤\u{FE0E}",
            "😀\u{FE0E}",
            "✓ ✓",
            "1\u{FE0F}",
            "🀀",
            "🂡",
            "🄰",
        ] {
            assert!(!is_emoji_only(text), "{text}");
        }
    }

    #[test]
    fn a_reaction_is_exactly_one_emoji() {
        for text in ["✌🏽", "⛹🏿‍♀️", "❤️", "👍🏽", "🇨🇴", "👩‍👧‍👦", "1️⃣", "🏳️‍🌈", "🏴\u{E0067}\u{E0062}\u{E007F}", "⭐"]
        {
            assert_eq!(Emoji::parse(text).map(|emoji| emoji.to_string()).as_deref(), Ok(text));
        }
        let joined = format!("👩{}", "\u{200D}👧".repeat(5));
        assert!(joined.len() > EMOJI_BYTES);
        for text in [
            "",
            " ",
            "a",
            "1",
            "👍👍",
            " 👍",
            "👍 ",
            "👍a",
            "✓",
            "❤",
            "\u{200D}",
            "\u{FE0F}",
            "👍\n",
            "🇨",
            "👍\u{200D}",
            "👍\u{E0021}",
            "👍\u{E007F}",
            "😀\u{20E3}",
            "👍\u{FE0F}\u{FE0F}",
            "😀\u{200D}\u{200D}😀",
            "1\u{FE0F}\u{FE0F}\u{20E3}",
            "🏴\u{E0067}",
            "🇪🇸\u{E0067}\u{E007F}",
            &joined,
        ] {
            assert_eq!(Emoji::parse(text), Err(NoEmoji), "{text:?}");
        }
    }

    #[test]
    fn the_first_of_a_text_is_what_is_seen_as_one() {
        for (text, seen) in [("  👩‍👧‍👦🚀", "👩‍👧‍👦"), ("🇨🇴🇪🇸", "🇨🇴"), ("👍🏽👍", "👍🏽"), ("❤️‍🔥", "❤️‍🔥"), ("…!", "…"), ("", "")]
        {
            assert_eq!(first(text), seen);
        }
    }
}
