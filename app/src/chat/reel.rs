//! Which of the loaded items are in the document.
//!
//! Owns the order of all loaded items of the open group, how high each of them is, and the part of them that has rows.
//! A conversation of up to [`WHOLE`] items has all of its rows; of a longer one only those near the window have theirs, and
//! what is above and below is an empty space of the same height ([`Pads`]). Heights are those that were measured last, or
//! a guess for what was never shown. Promises that replacing a guess moves nothing: what the space below turns out to lack
//! is taken from the rest of it, until its end is in the document. Pure: what is measured is an argument. Written by
//! [`super::link`], which knows the items, and by the timeline, which sees them.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::ports::{Laid, Pads};

mod key;
mod order;

pub use key::{ItemKey, Place};

/// Up to so many items all of them have rows.
pub const WHOLE: usize = 240;
/// So many items have rows otherwise, at most. Each may have a day's separator above it: fewer than 300 lines.
pub const NEAR: usize = 140;
/// More lines than this are never in the document for long: a conversation that has them is no longer shown as a whole.
pub const LINES: usize = 290;
/// What is so far out of sight has rows, as a part of the height of what is in sight, and at least in pixels.
const MARGIN: f64 = 1.25;
const LEAST_MARGIN: f64 = 800.0;
/// With less space than this below the rows, in pixels, what is still to come is guessed anew.
const RESERVE: f64 = 1_000.0;
/// The height of a message before one was measured.
const GUESS: f64 = 64.0;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Item {
    key: ItemKey,
    place: Place,
    height: f64,
    /// The height was measured, and not guessed.
    seen: bool,
}

/// What of a reel is in sight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// Pixels of it below what is in sight.
    pub below: f64,
    /// Pixels in sight.
    pub height: f64,
}

/// The items of the open group.
#[derive(Debug)]
pub struct Reel {
    items: Vec<Item>,
    /// The first of them stay hidden ([`super::rows::Cut::hidden`]).
    hidden: usize,
    /// These have rows.
    range: Range<usize>,
    /// By so much the space below is higher than the items that it stands for.
    slack: f64,
    /// The upper edge of what was last looked at, counted from the end.
    sight: f64,
    guess: f64,
    /// A conversation of up to so many items has all of its rows.
    whole: usize,
}

impl Default for Reel {
    fn default() -> Self {
        Self { items: Vec::new(), hidden: 0, range: 0..0, slack: 0.0, sight: 0.0, guess: GUESS, whole: WHOLE }
    }
}

impl Reel {
    /// The items that have rows, by their numbers.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// How many items there are, the hidden ones with them.
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
        // Rows depend on the items beside them.
        let beside = self.range.start.saturating_sub(1)..(self.range.end + 1).min(self.items.len());
        !keys.is_empty() && self.items.get(beside).unwrap_or_default().iter().any(|item| keys.contains(&item.key))
    }

    /// Whether any item without a place in the log has rows: the gap, or a message that is not acknowledged.
    #[must_use]
    pub fn shows_loose(&self) -> bool {
        let shown = self.items.get(self.range()).unwrap_or_default();
        shown.iter().rev().any(|item| !matches!(item.place, Place::At(_)))
    }

    /// The first and the last item that have rows.
    #[must_use]
    pub fn ends(&self) -> Option<(ItemKey, ItemKey)> {
        let last = self.range.end.checked_sub(1)?;
        self.key(self.range.start).zip(self.key(last))
    }

    /// The rows of all items are too many lines: from now on those near the window have theirs.
    pub fn is_too_long(&mut self) {
        self.whole = 0;
    }

    /// Takes the heights of the lines that are in the document, and says how high the spaces around them must be.
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

    /// How high the spaces around these lines must be, as far as heights are known.
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
            // What has no line, as a change of role, has no height.
            let height = found.get(&number).copied().unwrap_or(0.0);
            let known = std::mem::replace(&mut item.height, height);
            item.seen = true;
            edge += known;
            // Of what begins in sight or below it. What is above may be as high as it likes.
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
            // The rows were so much higher than was guessed that the space below is used up.
            self.slack = 0.0;
            self.guess_anew();
            lacks = self.height(shown.end..self.items.len());
        }
        // Where the end is in the document, there is no space that could be too high, or too low.
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

    /// The number of an item that is looked for from a number on.
    fn find(&self, from: usize, key: ItemKey) -> Option<usize> {
        let later = self.items.get(from..)?.iter().position(|item| item.key == key);
        later.map(|at| from + at)
    }

    /// Gives rows to the items in sight and near it. Returns whether others have rows now.
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
        // What is in sight before what is near it, if there is too much.
        let (seen, wanted) = (self.within(sight, 0.0), self.within(sight, margin));
        let spare = NEAR.saturating_sub(seen.len());
        let (above, below) = (seen.start - wanted.start, wanted.end - seen.end);
        let above = above.min((spare / 2).max(spare.saturating_sub(below)));
        let below = below.min(spare - above);
        seen.start - above..seen.end + below
    }

    /// The items that reach into a part of the reel.
    fn within(&self, sight: Sight, margin: f64) -> Range<usize> {
        let (lower, upper) = (sight.below - margin, sight.below + sight.height + margin);
        let (mut from, mut to) = (self.items.len(), self.items.len());
        let mut edge = self.slack;
        for (number, item) in self.items.iter().enumerate().skip(self.hidden).rev() {
            // At least one, where everything is above.
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
