//! The reader's place in the scroller.
//!
//! Owns the reader's place; no other code scrolls. The place is either the end of the conversation, or a row with its
//! position in the window. Guarantees that a visible row moves only when the reader scrolls, whatever grows, is added
//! or is removed, and whenever the browser reports it: [`Place::settle`] takes the known place, adds what the reader
//! has scrolled since, and puts the row there with one assignment. Extra calls do no harm. Called by the timeline for
//! every [`PaneEvent`](crate::ports::PaneEvent).

use crate::ports::{Hidden, Pane, RowEdge};

/// Within this distance of the end, in pixels, the reader follows the conversation.
const NEAR_END: f64 = 150.0;
/// Within this distance of the start, in pixels, older messages are asked for.
const NEAR_START: f64 = 600.0;
/// Smaller differences cannot be scrolled.
const HALF_PIXEL: f64 = 0.5;
/// If a row is this far from its place after scrolling, it could not be brought there. Its actual position becomes its
/// place.
const PIXEL: f64 = 1.0;

/// The reader's place.
#[derive(Default)]
pub(super) struct Place {
    hold: Hold,
    /// The hidden pixels at the last call.
    hidden: Option<Hidden>,
    /// The loaded rows end before the newest message, so the last of them is not the end of the conversation.
    is_cut: bool,
}

#[derive(Default)]
enum Hold {
    /// Nothing was shown yet: the first call goes to the unread messages.
    #[default]
    Unopened,
    /// At the end or near it; the scroller keeps this place by itself.
    End,
    /// At the start; reached when the first rows are in the document.
    Start,
    /// The row of this key, which may not be in the document yet; at so many pixels below the upper edge of the visible
    /// part, or where a reader should find it.
    Target(String, Option<f64>),
    /// In a space without rows. When the rows are there, the visible row becomes the place.
    Nowhere,
    /// This row, at this position in the window.
    Row { row: RowEdge, at: f64 },
}

impl Place {
    /// Puts the visible rows back in their place after any change.
    pub(super) fn settle(&mut self, pane: &dyn Pane) {
        let Some(now) = pane.hidden() else {
            // A scroller that is not laid out has no position; the place is restored when it is laid out again.
            self.hidden = None;
            return;
        };
        let scrolled = self.hidden.map_or(0.0, |before| now.below - unmoved(before, now));
        match &mut self.hold {
            Hold::Unopened => {
                // A reader who scrolled before hydration has already chosen a place.
                if let Some((row, at)) = pane.divider().filter(|_| now.below < PIXEL) {
                    put(pane, now, &row, at);
                }
                self.choose(pane);
            }
            Hold::End if scrolled.abs() > HALF_PIXEL => self.choose(pane),
            Hold::End => {}
            Hold::Start => {
                pane.hide_below(now.above + now.below);
                if pane.is_filled() {
                    self.choose(pane);
                }
            }
            Hold::Target(key, wanted) => match pane.row(key) {
                Some((row, at)) => {
                    put(pane, now, &row, wanted.map_or(at, |wanted| pane.top() + wanted));
                    self.choose(pane);
                }
                // The reader does not wait for it.
                None if scrolled.abs() > HALF_PIXEL => self.choose(pane),
                None => {}
            },
            Hold::Nowhere => self.choose(pane),
            Hold::Row { row, at } => {
                *at += scrolled;
                let kept = put(pane, now, row, *at);
                if scrolled.abs() > HALF_PIXEL || kept.is_none() {
                    self.choose(pane);
                } else if let Some(kept) = kept.filter(|kept| (kept - *at).abs() >= PIXEL) {
                    *at = kept;
                }
            }
        }
        self.hidden = pane.hidden();
    }

    /// Goes to the end.
    pub(super) fn go_to_end(&mut self, pane: &dyn Pane) {
        pane.hide_below(0.0);
        self.hold = Hold::End;
        self.hidden = pane.hidden();
    }

    /// Goes to the start of what is loaded.
    pub(super) fn go_to_start(&mut self, pane: &dyn Pane) {
        self.hold = Hold::Start;
        self.settle(pane);
    }

    /// Goes to a row. If it is not in the document, `below` says about how many pixels of rows are below it: the rows
    /// that are there are asked for next, and the row is brought into view when it comes.
    pub(super) fn go_to_row(&mut self, pane: &dyn Pane, key: &str, below: f64, at: Option<f64>) {
        if pane.row(key).is_none()
            && let Some(now) = pane.hidden()
        {
            pane.hide_below(within(below - pane.height() / 2.0, now));
            self.hidden = pane.hidden();
        }
        self.hold = Hold::Target(key.to_owned(), at);
        self.settle(pane);
    }

    /// Whether the reader is being taken to a row.
    pub(super) fn has_target(&self) -> bool {
        matches!(self.hold, Hold::Target(..))
    }

    /// The reader clicked a row. If the click makes the row grow, the clicked edge stays in its place, also at the end.
    pub(super) fn touch(&mut self, pane: &dyn Pane) {
        self.settle(pane);
        if let Some((row, at)) = pane.touched_row().and_then(|row| row().map(|at| (row, at))) {
            self.hold = Hold::Row { row, at };
        }
    }

    /// The click's action has run: the visible row becomes the place again.
    pub(super) fn release(&mut self, pane: &dyn Pane) {
        self.settle(pane);
        self.choose(pane);
    }

    /// Whether the reader follows the conversation; `None` while nothing is laid out.
    pub(super) fn near_end(&self) -> Option<bool> {
        self.hidden.map(|hidden| hidden.below <= NEAR_END && !self.is_cut)
    }

    /// Whether the loaded rows end before the newest message.
    pub(super) fn cut(&mut self, is_cut: bool) {
        self.is_cut = is_cut;
    }

    /// Whether newer messages than the loaded ones will soon be wanted by a reader who scrolls there.
    pub(super) fn near_cut(&self) -> bool {
        let reads = matches!(self.hold, Hold::Row { .. });
        self.is_cut && reads && self.hidden.is_some_and(|hidden| hidden.below <= NEAR_START)
    }

    /// Whether older messages will soon be wanted.
    pub(super) fn near_start(&self) -> bool {
        self.hidden.is_some_and(|hidden| hidden.above <= NEAR_START)
    }

    /// Makes the first visible row the place. A remaining difference of less than a pixel is kept, so that rounding
    /// errors do not add up.
    fn choose(&mut self, pane: &dyn Pane) {
        let Some(hidden) = pane.hidden() else { return };
        let lacking = match &self.hold {
            Hold::Row { row, at } => row().map(|now| at - now).filter(|lacking| lacking.abs() < PIXEL),
            Hold::Unopened | Hold::End | Hold::Start | Hold::Target(..) | Hold::Nowhere => None,
        };
        self.hidden = Some(hidden);
        if !pane.is_filled() {
            self.hold = Hold::Nowhere;
            return;
        }
        let row = pane.first_row().filter(|_| hidden.below > NEAR_END || self.is_cut);
        self.hold = match row.and_then(|row| row().map(|now| (row, now))) {
            Some((row, now)) => Hold::Row { row, at: now + lacking.unwrap_or(0.0) },
            None => Hold::End,
        };
    }
}

/// Scrolls the row to `at`, and returns where it is then.
fn put(pane: &dyn Pane, now: Hidden, row: &RowEdge, at: f64) -> Option<f64> {
    let below = within(now.below - (row()? - at), now);
    if (below - now.below).abs() > HALF_PIXEL {
        pane.hide_below(below);
    }
    row()
}

/// Limits the pixels to hide below to what the scroller allows.
fn within(below: f64, now: Hidden) -> f64 {
    below.clamp(0.0, (now.above + now.below).max(0.0))
}

/// The pixels that would be hidden below if the reader had not scrolled. If the document has become too short for the
/// old value, the browser has moved the scroller, not the reader.
fn unmoved(before: Hidden, now: Hidden) -> f64 {
    let most = now.above + now.below;
    if before.below > most + PIXEL { most } else { before.below }
}

#[cfg(test)]
mod tests;
