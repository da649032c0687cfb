//! A long message: only its beginning is shown until the reader opens it.
//!
//! Guarantees that the whole text is in the page, folded or not: it can be found, read aloud, selected and copied. If a
//! search or the focus of a link scrolls to a hidden part, the message unfolds. The length is estimated from the
//! characters, not measured, so that the server's page and the browser's are the same and nothing moves at hydration;
//! the style sheet decides whether a bubble is narrow. Called by the bubble.

use leptos::html::Div;
use leptos::prelude::*;

use crate::erase::Erase as _;
use crate::i18n::Words;
use crate::says::says;

/// A folded bubble shows this many lines. The style sheet has the same number.
const LINES: usize = 20;
/// Characters on a line of the narrowest and of the widest bubble.
const NARROW: usize = 36;
const WIDE: usize = 68;

/// In which bubbles a text is too long to be shown whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// In no bubble.
    Short,
    /// Only in a narrow bubble.
    LongIfNarrow,
    /// In every bubble.
    Long,
}

impl Length {
    pub(super) fn of(text: &str) -> Self {
        if is_longer(text, WIDE) {
            Self::Long
        } else if is_longer(text, NARROW) {
            Self::LongIfNarrow
        } else {
            Self::Short
        }
    }
}

fn is_longer(text: &str, columns: usize) -> bool {
    // Hiding one or two lines would save nothing.
    text.split('\n').map(|line| width(line).div_ceil(columns).max(1)).sum::<usize>() > LINES + 2
}

fn width(line: &str) -> usize {
    // East Asian characters are twice as wide.
    line.chars().map(|c| if c < '\u{1100}' { 1 } else { 2 }).sum()
}

/// A text, as its pieces, with the button below it.
pub(super) fn folded(pieces: Vec<AnyView>, length: Length, words: &'static Words) -> AnyView {
    let open = RwSignal::new(false);
    let shown = NodeRef::<Div>::new();
    let reached = move |_| {
        // This text has no scroll bar, so it scrolls only when the browser brings a hidden part into view.
        if let Some(shown) = shown.get_untracked().filter(|shown| shown.scroll_top() != 0) {
            shown.set_scroll_top(0);
            open.set(true);
        }
    };
    let narrow = length == Length::LongIfNarrow;
    view! {
        <div class="fold" class:fold-narrow=narrow class:fold-open=open>
            <div class="text" dir="auto" node_ref=shown on:scroll=reached>{pieces}</div>
            <button
                class="fold-more"
                type="button"
                data-testid="fold"
                aria-expanded=move || open.get().to_string()
                on:click=move |_| open.update(|open| *open = !*open)
                {..says(move || if open.get() { words.show_less } else { words.show_more })}
            ></button>
        </div>
    }
    .erase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_twenty_lines_are_shown_whole() {
        assert_eq!(Length::of("hola"), Length::Short);
        assert_eq!(Length::of(&"\n".repeat(21)), Length::Short);
        assert_eq!(Length::of(&"\n".repeat(22)), Length::Long);
        assert_eq!(Length::of(&"x".repeat(22 * NARROW)), Length::Short);
        assert_eq!(Length::of(&"x".repeat(22 * NARROW + 1)), Length::LongIfNarrow);
        assert_eq!(Length::of(&"x".repeat(22 * WIDE + 1)), Length::Long);
        assert_eq!(Length::of(&"語".repeat(12 * NARROW)), Length::LongIfNarrow);
    }
}
