//! Text that people write: parsed once, at the border, into types that can't hold anything else.
//!
//! The rules are RELIABILITY §4's. They are the same for the browser, which shows the error beside the composer, and
//! for the server, which trusts nobody. Only Unicode's normal forms may come from elsewhere, see [`NormalForms`].

mod email;
mod names;

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::ErrorCode;
use crate::limits::{COMBINING_MARKS, MESSAGE_CHARACTERS};

pub use email::{EmailAddress, EmailError};
pub use names::{DisplayName, GroupName, NameError};

/// Why a text can't be a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing that could be seen.
    #[error("the message is empty")]
    Empty,
    /// NUL or a control character other than line feed and tab.
    #[error("the message has control characters")]
    Control,
    /// More characters than a message may have.
    #[error("the message has {characters} characters, {MESSAGE_CHARACTERS} are allowed")]
    TooLong {
        /// How many it has.
        characters: usize,
    },
}

impl TextError {
    /// The code that a peer sees.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Empty => ErrorCode::EmptyMessage,
            Self::Control => ErrorCode::InvalidMessage,
            Self::TooLong { .. } => ErrorCode::MessageTooLong,
        }
    }
}

/// Unicode's normal forms (UAX #15), as the place that runs this has them.
///
/// The tables behind them would be a tenth of a browser's bundle, and every browser brings its own.
pub trait NormalForms {
    /// The text in form C: composed, otherwise as it was written.
    fn nfc(&self, text: &str) -> String;
    /// The text in form KC: composed, and what only looks different made the same.
    fn nfkc(&self, text: &str) -> String;
}

/// The tables that come with this crate.
struct Tables;

impl NormalForms for Tables {
    fn nfc(&self, text: &str) -> String {
        text.nfc().collect()
    }

    fn nfkc(&self, text: &str) -> String {
        text.nfkc().collect()
    }
}

/// The text of a message: NFC, `\n` for every line end, bounded, visible, without anything that breaks the next row.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MessageBody(String);

impl MessageBody {
    /// Normalises and checks a text. Parsing a parsed body gives the same body.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        Self::parse_with(text, &Tables)
    }

    /// The same with normal forms from elsewhere.
    pub fn parse_with(text: &str, forms: &(impl NormalForms + ?Sized)) -> Result<Self, TextError> {
        let unix = text.replace("\r\n", "\n");
        if unix.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(TextError::Control);
        }
        let mut filter = Filter::default();
        let mut clean = if unix.is_ascii() {
            // Nothing in it can be composed, combined or turned around: the common case costs one look.
            unix
        } else {
            let kept: String = forms.nfc(&unix).chars().filter(|c| filter.admits(*c)).collect();
            // What was dropped may have stood between a letter and its accent, so the rest is composed once more.
            forms.nfc(&kept)
        };
        filter.close(&mut clean);
        // The closing controls count: a clean text is sent and parsed again, and must not have grown over the limit.
        let characters = clean.chars().count();
        if !clean.chars().any(is_visible) {
            return Err(TextError::Empty);
        }
        if characters > MESSAGE_CHARACTERS {
            return Err(TextError::TooLong { characters });
        }
        Ok(Self(clean))
    }

    /// The clean text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes the clean text out.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for MessageBody {
    /// Bodies never reach a log, so the debug form shows only how long it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageBody({} bytes)", self.0.len())
    }
}

/// Drops what is over the bound: combining marks past [`COMBINING_MARKS`] on one character, and closing bidi controls
/// that close nothing. What is still open at the end is closed, so that it can't turn the next row around.
#[derive(Default)]
struct Filter {
    marks: usize,
    embeddings: usize,
    isolates: usize,
}

/// Bidi controls may nest to this depth; Unicode's own limit is 125, real text needs two.
const BIDI_DEPTH: usize = 8;
const POP_EMBEDDING: char = '\u{202C}';
const POP_ISOLATE: char = '\u{2069}';

impl Filter {
    fn admits(&mut self, c: char) -> bool {
        if is_combining_mark(c) {
            self.marks += 1;
            return self.marks <= COMBINING_MARKS;
        }
        let admitted = match c {
            '\u{202A}' | '\u{202B}' | '\u{202D}' | '\u{202E}' => open(&mut self.embeddings),
            '\u{2066}'..='\u{2068}' => open(&mut self.isolates),
            POP_EMBEDDING => close(&mut self.embeddings),
            POP_ISOLATE => close(&mut self.isolates),
            _ => true,
        };
        // What is dropped separates nothing: the marks on either side of it stand on one character.
        if admitted {
            self.marks = 0;
        }
        admitted
    }

    /// Closes what is open.
    fn close(self, text: &mut String) {
        text.extend(std::iter::repeat_n(POP_EMBEDDING, self.embeddings));
        text.extend(std::iter::repeat_n(POP_ISOLATE, self.isolates));
    }
}

fn open(depth: &mut usize) -> bool {
    let admitted = *depth < BIDI_DEPTH;
    *depth += usize::from(admitted);
    admitted
}

fn close(depth: &mut usize) -> bool {
    let admitted = *depth > 0;
    *depth -= usize::from(admitted);
    admitted
}

/// Whether a reader would see anything of it. Beside white space these are the default-ignorable and blank characters
/// that are used to send "empty" messages.
fn is_visible(c: char) -> bool {
    !(c.is_whitespace() || is_combining_mark(c) || is_ignorable(c))
}

fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(text: &str) -> Result<String, TextError> {
        MessageBody::parse(text).map(MessageBody::into_string)
    }

    #[test]
    fn line_ends_and_accents_are_normalised() {
        assert_eq!(body("a\r\nb\tc").unwrap(), "a\nb\tc");
        assert_eq!(body("cafe\u{301}").unwrap(), "café");
    }

    #[test]
    fn invisible_messages_are_empty() {
        for text in ["", " ", "\n\t ", "\u{200B}\u{FEFF}", "\u{3164}", "\u{2800}", "\u{202E}", "\u{301}\u{301}"] {
            assert_eq!(body(text), Err(TextError::Empty), "{text:?}");
        }
    }

    #[test]
    fn control_characters_are_invalid() {
        for text in ["a\0", "a\u{1b}[31m", "a\u{7f}", "a\u{85}", "a\rb"] {
            assert_eq!(body(text), Err(TextError::Control), "{text:?}");
        }
    }

    #[test]
    fn the_limit_counts_characters_after_normalisation() {
        assert!(body(&"é".repeat(4_000)).is_ok());
        assert!(body(&"e\u{301}".repeat(4_000)).is_ok());
        assert_eq!(body(&"😀".repeat(4_001)), Err(TextError::TooLong { characters: 4_001 }));
    }

    /// The fuzzers' first find: what closes an open control was not counted, so that a message at the limit passed the
    /// composer, and the server then refused it as too long.
    #[test]
    fn what_is_closed_for_the_writer_counts_too() {
        assert!(body(&format!("{}\u{202E}", "x".repeat(3_998))).is_ok());
        let open = format!("{}\u{202E}", "x".repeat(3_999));
        assert_eq!(body(&open), Err(TextError::TooLong { characters: 4_001 }));
    }

    #[test]
    fn a_tower_of_marks_is_cut_to_a_bound() {
        let tall = format!("Z{}", "\u{335}".repeat(5_000));
        assert_eq!(body(&tall).unwrap().chars().count(), 1 + COMBINING_MARKS);
    }

    /// A find of the fuzzers: a control that was dropped ended the count of the marks, so that a tower of any height
    /// passed with one of them after every eighth mark.
    #[test]
    fn what_is_dropped_separates_no_marks() {
        let tall = format!("Z{}", format!("{}\u{202C}", "\u{335}".repeat(8)).repeat(100));
        assert_eq!(body(&tall).unwrap().chars().count(), 1 + COMBINING_MARKS);
    }

    #[test]
    fn unpaired_bidi_controls_can_not_leave_the_message() {
        assert_eq!(body("a\u{202C}\u{2069}").unwrap(), "a");
        assert_eq!(body("a\u{202E}b").unwrap(), "a\u{202E}b\u{202C}");
        assert_eq!(body("\u{2067}אב\u{2069}!").unwrap(), "\u{2067}אב\u{2069}!");
    }

    proptest! {
        #[test]
        fn parsing_twice_changes_nothing(text in "\\PC{0,80}|[\u{202A}-\u{202E}\u{2066}-\u{2069}\u{300}-\u{310}a]{0,60}") {
            if let Ok(once) = MessageBody::parse(&text) {
                prop_assert_eq!(MessageBody::parse(once.as_str()).unwrap(), once);
            }
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = MessageBody::parse(&text);
            let _ = DisplayName::parse(&text);
        }
    }
}
