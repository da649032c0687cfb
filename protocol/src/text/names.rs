//! Names of people and groups: one visible line that invisible characters can't make look like another name.

use super::{Filter, NormalForms, Tables, is_ignorable, is_visible};
use crate::limits::{DISPLAY_NAME_CHARACTERS, GROUP_NAME_CHARACTERS};

/// Why a text can't be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing that could be seen.
    #[error("the name is empty")]
    Empty,
    /// More characters than a name may have.
    #[error("the name is too long")]
    TooLong,
}

/// Cleans a name: NFKC, one line, no invisible characters. So two names in a list can't differ only in what is
/// invisible.
fn name(text: &str, limit: usize, forms: &(impl NormalForms + ?Sized)) -> Result<String, NameError> {
    // The limit holds before and after normalisation, so that a client can count the characters that it sends.
    if text.chars().count() > limit {
        return Err(NameError::TooLong);
    }
    let mut clean = String::new();
    let mut filter = Filter::default();
    let mut characters = 0;
    let normal = forms.nfkc(text);
    let mut rest = normal.chars().peekable();
    while let Some(c) = rest.next() {
        let c = if c.is_whitespace() || c.is_control() { ' ' } else { c };
        let mut shapes = || clean.chars().next_back().is_some_and(|before| shapes(before, c, rest.peek().copied()));
        if is_ignorable(c) && !shapes() || c == ' ' && clean.ends_with(' ') || !filter.admits(c) {
            continue;
        }
        clean.push(c);
        characters += 1;
        if characters > limit * 2 {
            return Err(NameError::TooLong);
        }
    }
    // A dropped character may have stood between a letter and its accent, so the rest is composed once more.
    let clean = forms.nfkc(&clean);
    let trimmed = clean.trim_matches(|c: char| c == ' ' || is_ignorable(c));
    if !trimmed.chars().any(is_visible) {
        return Err(NameError::Empty);
    }
    if trimmed.chars().count() > limit {
        return Err(NameError::TooLong);
    }
    Ok(trimmed.to_owned())
}

/// Whether the invisible character `c` changes how its neighbours look. Emoji families and several scripts need
/// joiners. Between other letters a joiner would only make two names different that look the same.
fn shapes(before: char, c: char, after: Option<char>) -> bool {
    match c {
        '\u{FE0E}' | '\u{FE0F}' => is_symbol(before),
        '\u{200D}' if is_symbol(before) => after.is_some_and(is_symbol),
        '\u{200C}' | '\u{200D}' => joins(before) && after.is_some_and(joins),
        _ => false,
    }
}

/// Emoji and what shapes them.
fn is_symbol(c: char) -> bool {
    matches!(c, '\u{203C}'..='\u{2BFF}' | '\u{3030}'..='\u{303D}' | '\u{3297}'..='\u{3299}' | '\u{FE0F}'
        | '\u{1F000}'..='\u{1FAFF}')
}

/// Arabic and its neighbours, and the scripts of India and around it, in which joiners choose between shapes.
fn joins(c: char) -> bool {
    matches!(c, '\u{0620}'..='\u{08FF}' | '\u{0900}'..='\u{0DFF}' | '\u{0F00}'..='\u{109F}' | '\u{1780}'..='\u{18AF}')
}

/// A person's name as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Normalises and checks a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Self::parse_with(text, &Tables)
    }

    /// The same, with normal forms from elsewhere.
    pub fn parse_with(text: &str, forms: &(impl NormalForms + ?Sized)) -> Result<Self, NameError> {
        name(text, DISPLAY_NAME_CHARACTERS, forms).map(Self)
    }

    /// The clean text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A group's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupName(String);

impl GroupName {
    /// Normalises and checks a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Self::parse_with(text, &Tables)
    }

    /// The same, with normal forms from elsewhere.
    pub fn parse_with(text: &str, forms: &(impl NormalForms + ?Sized)) -> Result<Self, NameError> {
        name(text, GROUP_NAME_CHARACTERS, forms).map(Self)
    }

    /// The clean text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_bounded_as_it_is_sent_and_as_it_is_kept() {
        let fits = |text: &str| DisplayName::parse(text).is_ok();
        assert!(fits(&"ñ".repeat(DISPLAY_NAME_CHARACTERS)));
        assert!(!fits(&"ñ".repeat(DISPLAY_NAME_CHARACTERS + 1)));
        assert!(!fits(&format!("Ana{}", " ".repeat(DISPLAY_NAME_CHARACTERS))), "sent");
        assert!(!fits(&"\u{FDFA}".repeat(10)), "kept: one of these is eighteen");
    }

    #[test]
    fn names_are_one_visible_line() {
        let name = |text| DisplayName::parse(text).map(|name| name.0);
        assert_eq!(name("  Ana \n María\u{202E} ").unwrap(), "Ana María");
        assert_eq!(name("ﬁn").unwrap(), "fin");
        assert_eq!(name("👩\u{200D}🚀").unwrap(), "👩\u{200D}🚀");
        assert_eq!(name("\u{200B}\u{200D}"), Err(NameError::Empty));
        assert_eq!(name(&"x".repeat(61)), Err(NameError::TooLong));
    }

    /// Joiners and variation selectors once stayed wherever they were written, so there could be a second «Ana».
    #[test]
    fn what_changes_nothing_that_can_be_seen_makes_no_other_name() {
        let name = |text: &str| DisplayName::parse(text).unwrap().0;
        let invisible = ["\u{200B}", "\u{200C}", "\u{200D}", "\u{2060}", "\u{FEFF}", "\u{AD}", "\u{61C}", "\u{202E}"];
        for c in invisible.into_iter().chain(["\u{2066}", "\u{FE0F}", "\u{FE00}", "\u{E0041}", "\u{180E}"]) {
            assert_eq!(name(&format!("{c}An{c}{c}a{c}")), "Ana", "{c:?}");
        }
        for kept in ["👩\u{200D}👧\u{200D}👦", "❤\u{FE0F}\u{200D}🔥", "علی\u{200C}رضا", "क्\u{200D}ष"]
        {
            assert_eq!(name(kept), kept);
        }
        assert_eq!(name("e\u{200B}\u{301}"), "é", "composed once more");
        assert_eq!(name("علی\u{200C}\u{200C}رضا\u{200D}"), "علی\u{200C}رضا");
    }
}
