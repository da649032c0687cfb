//! Decides which of the loaded items have rows in the document.
//!
//! Owns the order of all loaded items of the open group, their heights, and the range of items that have rows. In a
//! conversation of up to [`WHOLE`] items, all items have rows. In a longer one, only the items near the window have
//! rows; two empty spaces ([`Pads`]) have the height of the items above and below. A height is the last measured one,
//! or a guess for an item that was never shown. Guarantees that nothing moves on the screen when a measured height
//! replaces a guess: the difference is taken from the space below, until the last item is in the document. Pure:
//! measurements are arguments. Called by [`super::bridge`], which provides the items, and by the timeline, which provides
//! the measurements.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::ports::{Laid, Pads};

mod key;
mod order;

pub use key::{ItemKey, Position};

/// If there are at most this many items, all of them have rows.
pub const WHOLE: usize = 240;
/// In a longer conversation, at most this many items have rows. Each may have a day's separator above it, so there are
/// fewer than 300 lines.
pub const NEAR: usize = 140;
/// If a conversation's rows are more lines than this, not all of its items have rows any more.
pub const LINES: usize = 290;
/// Items within this distance of the visible part have rows: a multiple of the visible height, but at least this many
/// pixels.
const MARGIN: f64 = 1.25;
const LEAST_MARGIN: f64 = 800.0;
/// If less space than this is left below the rows, in pixels, the heights of unseen items are guessed again.
const RESERVE: f64 = 1_000.0;
/// The assumed height of a message, in pixels, before any was measured.
const GUESS: f64 = 64.0;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Item {
    key: ItemKey,
    place: Position,
    height: f64,
    /// The height was measured, not guessed.
    seen: bool,
}

/// The visible part of a virtual_list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// Pixels of the virtual_list below the visible part.
    pub below: f64,
    /// The visible pixels.
    pub height: f64,
}

/// The items of the open group.
#[derive(Debug)]
pub struct VirtualList {
    items: Vec<Item>,
    /// This many of the first items stay hidden ([`super::rows::Cut::hidden`]).
    hidden: usize,
    /// The items that have rows.
    range: Range<usize>,
    /// The height of the space below minus the sum of the heights of the items that it represents.
    slack: f64,
    /// The upper edge of the visible part at the last [`VirtualList::look`], counted from the end.
    sight: f64,
    guess: f64,
    /// If there are at most this many items, all of them have rows.
    whole: usize,
}

impl Default for VirtualList {
    fn default() -> Self {
        Self { items: Vec::new(), hidden: 0, range: 0..0, slack: 0.0, sight: 0.0, guess: GUESS, whole: WHOLE }
    }
}

impl VirtualList {
    /// The index range of the items that have rows.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// The number of items, including the hidden ones.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many of the first items stay hidden.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// An item by its number.
    #[must_use]
    pub fn key(&self, number: usize) -> Option<ItemKey> {
        self.items.get(number).map(|item| item.key)
    }

    /// Whether all items have rows.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.items.len() <= self.whole
    }

    /// Whether any of these items has rows.
    #[must_use]
    pub fn shows_any(&self, keys: &HashSet<ItemKey>) -> bool {
        // A row also depends on its neighbours.
        let beside = self.range.start.saturating_sub(1)..(self.range.end + 1).min(self.items.len());
        !keys.is_empty() && self.items.get(beside).unwrap_or_default().iter().any(|item| keys.contains(&item.key))
    }

    /// Whether an item without a position in the log has a row: the gap, or a message that is not acknowledged.
    #[must_use]
    pub fn shows_loose(&self) -> bool {
        let shown = self.items.get(self.range()).unwrap_or_default();
        shown.iter().rev().any(|item| !matches!(item.place, Position::At(_)))
    }

    /// The first and the last item that have rows.
    #[must_use]
    pub fn ends(&self) -> Option<(ItemKey, ItemKey)> {
        let last = self.range.end.checked_sub(1)?;
        self.key(self.range.start).zip(self.key(last))
    }

    /// All rows together are too many lines: from now on only items near the window have rows.
    pub fn is_too_long(&mut self) {
        self.whole = 0;
    }

    /// Takes the measured heights of the lines in the document. Returns the heights that the spaces above and below
    /// must have.
    pub fn measure(&mut self, laid: &Laid) -> Pads {
        let mut upper = laid.top;
        let mut shown: Option<Range<usize>> = None;
        let mut found: HashMap<usize, f64> = HashMap::with_capacity(laid.lines.len());
        for line in &laid.lines {
            let height = line.bottom - std::mem::replace(&mut upper, line.bottom);
            let from = shown.as_ref().map_or(0, |shown| shown.end - 1);
            let Some(number) = ItemKey::of_line(&line.key).and_then(|key| self.find(from, key)) else { continue };
            *found.entry(number).or_default() += height;
            shown = Some(shown.map_or(number, |shown| shown.start)..number + 1);
        }
        let Some(shown) = shown else { return Pads::default() };
        self.take_heights(&shown, &found);
        self.pads(&shown)
    }

    /// About how many pixels are below the middle of an item; `None` if it is not among the items.
    #[must_use]
    pub fn below(&self, key: ItemKey) -> Option<f64> {
        let number = self.find(0, key)?;
        let half = self.items.get(number).map_or(0.0, |item| item.height / 2.0);
        Some((self.slack + self.height(number + 1..self.items.len())).max(0.0) + half)
    }

    /// The heights that the spaces around these lines must have, as far as item heights are known.
    pub fn pads_around(&mut self, first: &str, last: &str) -> Option<Pads> {
        let from = self.find(0, ItemKey::of_line(first)?)?;
        let to = self.find(from, ItemKey::of_line(last)?)?;
        Some(self.pads(&(from..to + 1)))
    }

    fn take_heights(&mut self, shown: &Range<usize>, found: &HashMap<usize, f64>) {
        let (mut messages, mut heights) = (0.0, 0.0);
        let mut edge = self.slack + self.height(shown.end..self.items.len());
        for number in shown.clone().rev() {
            let Some(item) = self.items.get_mut(number) else { continue };
            // An item without a line, such as a change of role, has no height.
            let height = found.get(&number).copied().unwrap_or(0.0);
            let known = std::mem::replace(&mut item.height, height);
            item.seen = true;
            edge += known;
            // Only items that begin in the visible part or below it change the space below. Items above it may have any
            // height.
            if edge <= self.sight {
                self.slack -= height - known;
            }
            if matches!(item.key, ItemKey::Message(_)) {
                (messages, heights) = (messages + 1.0, heights + height);
            }
        }
        if messages > 0.0 {
            self.guess = heights / messages;
        }
    }

    fn height(&self, range: Range<usize>) -> f64 {
        self.items.get(range).unwrap_or_default().iter().map(|item| item.height).sum()
    }

    fn pads(&mut self, shown: &Range<usize>) -> Pads {
        let above = self.height(self.hidden.min(shown.start)..shown.start);
        let mut lacks = self.height(shown.end..self.items.len());
        if shown.end < self.items.len() && lacks + self.slack < RESERVE && self.slack < 0.0 {
            // The rows were so much higher than guessed that the space below is used up.
            self.slack = 0.0;
            self.guess_anew();
            lacks = self.height(shown.end..self.items.len());
        }
        // If the last item is in the document, there is no space below.
        let below = if shown.end >= self.items.len() { 0.0 } else { (lacks + self.slack).max(0.0) };
        self.slack = below - lacks;
        Pads { above, below }
    }

    fn guess_anew(&mut self) {
        let guess = self.guess;
        for item in self.items.iter_mut().filter(|item| !item.seen && matches!(item.key, ItemKey::Message(_))) {
            item.height = guess;
        }
    }

    /// The index of an item, searched from an index on.
    fn find(&self, from: usize, key: ItemKey) -> Option<usize> {
        let later = self.items.get(from..)?.iter().position(|item| item.key == key);
        later.map(|at| from + at)
    }

    /// Gives rows to the items in the visible part and near it. Returns whether the range of items with rows has
    /// changed.
    pub fn look(&mut self, sight: Sight) -> bool {
        self.sight = sight.below + sight.height;
        let all = self.hidden.min(self.items.len())..self.items.len();
        let wanted = if self.is_whole() { all } else { self.near(sight) };
        std::mem::replace(&mut self.range, wanted.clone()) != wanted
    }

    fn near(&self, sight: Sight) -> Range<usize> {
        let margin = (sight.height * MARGIN).max(LEAST_MARGIN);
        let enough = self.within(sight, margin / 2.0);
        let (from, to) = (self.range.start, self.range.end);
        if from <= enough.start && enough.end <= to && self.range.len() <= NEAR {
            return self.range.clone();
        }
        // If there are too many items, the visible ones take precedence over those near them.
        let (seen, wanted) = (self.within(sight, 0.0), self.within(sight, margin));
        let spare = NEAR.saturating_sub(seen.len());
        let (above, below) = (seen.start - wanted.start, wanted.end - seen.end);
        let above = above.min((spare / 2).max(spare.saturating_sub(below)));
        let below = below.min(spare - above);
        seen.start - above..seen.end + below
    }

    /// The items that overlap the visible part, extended by a margin on both sides.
    fn within(&self, sight: Sight, margin: f64) -> Range<usize> {
        let (lower, upper) = (sight.below - margin, sight.below + sight.height + margin);
        let (mut from, mut to) = (self.items.len(), self.items.len());
        let mut edge = self.slack;
        for (number, item) in self.items.iter().enumerate().skip(self.hidden).rev() {
            // At least one item, also if all items are above this part.
            if edge >= upper && from < to {
                break;
            }
            from = number;
            edge += item.height;
            if edge <= lower && number > self.hidden {
                to = number;
            }
        }
        from..to
    }
}

#[cfg(test)]
mod tests;
