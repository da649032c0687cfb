//! The order of the hits, and a place in it.

use std::fmt;
use std::str::FromStr;

/// The two parts of an answer, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Every word of the query is a word of the text, letter for letter except for case.
    Spelling,
    /// All others.
    Words,
}

impl Tier {
    /// The part behind this one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Spelling => Some(Self::Words),
            Self::Words => None,
        }
    }
}

/// Where a page begins. Messages have numbers in the order in which they came into the index, and keep them. So
/// messages that arrive while somebody reads on change nothing of what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The part of the answer.
    pub tier: Tier,
    /// The page begins below this number.
    pub below: i64,
}

impl Cursor {
    /// The beginning of a part.
    #[must_use]
    pub fn beginning(tier: Tier) -> Self {
        Self { tier, below: i64::MAX }
    }
}

/// The text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of a search")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tier = match self.tier {
            Tier::Spelling => 's',
            Tier::Words => 'w',
        };
        write!(f, "{tier}{}", self.below)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let tier = match text.get(..1) {
            Some("s") => Tier::Spelling,
            Some("w") => Tier::Words,
            Some(_) | None => return Err(CursorError),
        };
        let digits = text.get(1..).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let below = digits.and_then(|digits| digits.parse().ok()).ok_or(CursorError)?;
        Ok(Self { tier, below })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for cursor in [
            Cursor { tier: Tier::Spelling, below: 0 },
            Cursor { tier: Tier::Words, below: 1_099_511_627_776 },
            Cursor::beginning(Tier::Words),
        ] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in ["", "s", "x1", "s-1", "s+1", "w1 ", "w9223372036854775808", "é1", "1"] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }
}
