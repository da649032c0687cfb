//! Text that people write. It is parsed once, where it enters the program, into types that can hold only valid text.
//!
//! The rules are those of RELIABILITY §4. They are the same for the browser, which shows the error beside the composer,
//! and for the server, which checks every client. Only Unicode's normal forms may come from elsewhere, see
//! [`NormalForms`].

mod email;
mod names;

use std::fmt;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::ErrorCode;
use crate::limits::{COMBINING_MARKS, MESSAGE_CHARACTERS};

pub use email::{EmailAddress, EmailError};
pub use names::{DisplayName, GroupName, NameError};

/// Why a text can't be a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing in it is visible.
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

/// Unicode's normal forms (UAX #15), as the environment provides them.
///
/// The tables behind them would be a tenth of a browser's bundle, and every browser has its own.
pub trait NormalForms {
    /// The text in form C: composed, otherwise unchanged.
    fn nfc(&self, text: &str) -> String;
    /// The text in form KC: composed, with compatible characters replaced by one common form.
    fn nfkc(&self, text: &str) -> String;
}

/// The tables that come with this crate.
struct Tables;

impl NormalForms for Tables {
    fn nfc(&self, text: &str) -> String {
        // What people type is composed already, and to see that costs a tenth of composing it.
        if is_nfc(text) { text.to_owned() } else { text.nfc().collect() }
    }

    fn nfkc(&self, text: &str) -> String {
        text.nfkc().collect()
    }
}

/// The text of a message: NFC, `\n` for every line end, bounded, visible, without blank lines at its ends and without
/// anything that breaks the next row.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MessageBody(String);

impl MessageBody {
    /// Normalises and checks a text. Parsing a parsed body gives the same body.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        Self::parse_with(text, &Tables)
    }

    /// The same, with normal forms from elsewhere.
    pub fn parse_with(text: &str, forms: &(impl NormalForms + ?Sized)) -> Result<Self, TextError> {
        let unix = text.replace("\r\n", "\n");
        if unix.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(TextError::Control);
        }
        let written = between_blank_lines(&unix);
        let mut filter = Filter::default();
        let mut clean = if written.is_ascii() {
            // ASCII has nothing to compose, to combine or to turn around. This is the common case, and it is cheap.
            written.to_owned()
        } else {
            let mut kept = forms.nfc(written);
            let before = kept.len();
            kept.retain(|c| filter.admits(c));
            // A dropped character may have stood between a letter and its accent, so the rest is composed once more.
            if kept.len() == before { kept } else { forms.nfc(&kept) }
        };
        filter.close(&mut clean);
        // The closing controls count: a clean text is sent and parsed again, and must not exceed the limit then.
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
    /// The text of a message never reaches a log, so the debug form shows only its length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageBody({} bytes)", self.0.len())
    }
}

/// The part of a text from its first to its last visible line. White space within these two lines stays.
fn between_blank_lines(text: &str) -> &str {
    let is_blank = |line: &str| !line.chars().any(is_visible);
    let mut rest = text;
    while let Some((_, below)) = rest.split_once('\n').filter(|(line, _)| is_blank(line)) {
        rest = below;
    }
    while let Some((above, _)) = rest.rsplit_once('\n').filter(|(_, line)| is_blank(line)) {
        rest = above;
    }
    rest
}

/// Drops what exceeds a bound: combining marks past [`COMBINING_MARKS`] on one character, bidi controls nested too
/// deep, and closing bidi controls that close nothing. [`Filter::close`] closes what is open at the end, so that it
/// can't turn the next row around.
#[derive(Default)]
struct Filter {
    marks: usize,
    embeddings: usize,
    isolates: usize,
}

/// How deep bidi controls may nest. Unicode's own limit is 125; real text needs two.
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
        // A dropped character separates nothing: the marks before and after it stand on one character.
        if admitted {
            self.marks = 0;
        }
        admitted
    }

    /// Closes the controls that are open.
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

/// Whether a reader sees the character. Beside white space, the default-ignorable and blank characters that people use
/// to send "empty" messages are not visible.
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

    /// A message of one word and forty line ends took the whole screen, and had only forty-one characters.
    #[test]
    fn blank_lines_at_both_ends_go_before_anything_is_counted() {
        for (written, kept) in [
            ("\n\n  hola \n", "  hola "),
            ("hola\r\n\r\n", "hola"),
            (" \n\t\n\u{200B}\n\u{3164}\na\n\nb\n\u{2028}\n \u{202E}", "a\n\nb"),
            ("\u{202E}\na", "a"),
            ("a\u{202E}\n\u{202C}", "a\u{202E}\u{202C}"),
            ("\n\u{301}\na", "a"),
        ] {
            assert_eq!(body(written).unwrap(), kept, "{written:?}");
        }
        let long = format!("{}{}{}", "\n".repeat(500), "x".repeat(4_000), "\n ".repeat(500));
        assert_eq!(body(&long).unwrap().len(), 4_000);
        assert_eq!(body("\n\n\n"), Err(TextError::Empty));
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

    /// Found by the fuzzers: the controls that close open ones were not counted. A message at the limit passed the
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

    /// Found by the fuzzers: a dropped control started the count of the marks again, so a tower of any height passed
    /// with one of them after every eighth mark.
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
        fn parsing_twice_changes_nothing(text in "\\PC{0,80}|[\u{202A}-\u{202E}\u{2066}-\u{2069}\u{300}-\u{310}a]{0,60}|[ \n\u{202A}-\u{202E}\u{200B}\u{301}ae]{0,40}") {
            if let Ok(once) = MessageBody::parse(&text) {
                let lines = || once.as_str().split('\n').map(|line| line.chars().any(is_visible));
                prop_assert!(lines().next() == Some(true) && lines().next_back() == Some(true));
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
