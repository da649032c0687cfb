//! The reader's place in the scroller.
//!
//! Owns it: nobody else scrolls. It is either the end of the conversation or a row and where in the window that row is.
//! Promises that a row in sight moves when the reader moves it and never otherwise, whatever grows, comes or goes, and
//! whenever the browser says so: [`Place::settle`] takes the place that was known, adds what the reader has scrolled
//! since, and puts the row there with one assignment. It makes no difference who calls it, or how often. Called by the
//! timeline for every [`PaneEvent`](crate::ports::PaneEvent).

use crate::ports::{Hidden, Pane, RowEdge};

/// Within this distance of the end, in pixels, the reader follows the conversation.
const NEAR_END: f64 = 150.0;
/// Within this distance of the start, in pixels, older messages are asked for.
const NEAR_START: f64 = 600.0;
/// Smaller differences can't be scrolled.
const HALF_PIXEL: f64 = 0.5;
/// A row that is so far from where it should be could not be brought there, and its place is where it is.
const PIXEL: f64 = 1.0;

/// Where the reader is.
#[derive(Default)]
pub(super) struct Place {
    hold: Hold,
    /// What was hidden when it was last looked at.
    hidden: Option<Hidden>,
}

#[derive(Default)]
enum Hold {
    /// Nothing was shown yet: the first look goes to the unread messages.
    #[default]
    Unopened,
    /// At the end or near it; the scroller keeps that by itself.
    End,
    /// At the start, as soon as its rows are there.
    Start,
    /// Where no rows are yet: the place is what is in sight when they are.
    Nowhere,
    /// This row is here in the window.
    Row { row: RowEdge, at: f64 },
}

impl Place {
    /// Puts what is in sight back to its place after whatever has happened.
    pub(super) fn settle(&mut self, pane: &dyn Pane) {
        let Some(now) = pane.hidden() else {
            // What is not laid out has no place; it gets it back when it is.
            self.hidden = None;
            return;
        };
        let scrolled = self.hidden.map_or(0.0, |before| now.below - unmoved(before, now));
        match &mut self.hold {
            Hold::Unopened => {
                // Who has scrolled before the page was taken over has chosen a place already.
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

    /// The reader touched a row: if that makes it grow, it grows away from where it was touched, also at the end.
    pub(super) fn touch(&mut self, pane: &dyn Pane) {
        self.settle(pane);
        if let Some((row, at)) = pane.touched_row().and_then(|row| row().map(|at| (row, at))) {
            self.hold = Hold::Row { row, at };
        }
    }

    /// The touch has had its consequences: the place is again what is in sight.
    pub(super) fn release(&mut self, pane: &dyn Pane) {
        self.settle(pane);
        self.choose(pane);
    }

    /// Whether the reader follows the conversation; `None` while nothing is laid out.
    pub(super) fn near_end(&self) -> Option<bool> {
        self.hidden.map(|hidden| hidden.below <= NEAR_END)
    }

    /// Whether older messages will soon be wanted.
    pub(super) fn near_start(&self) -> bool {
        self.hidden.is_some_and(|hidden| hidden.above <= NEAR_START)
    }

    /// Takes the place from what is in sight. What the last place lacked to the whole pixel is not forgotten, so that
    /// nothing creeps.
    fn choose(&mut self, pane: &dyn Pane) {
        let Some(hidden) = pane.hidden() else { return };
        let lacking = match &self.hold {
            Hold::Row { row, at } => row().map(|now| at - now).filter(|lacking| lacking.abs() < PIXEL),
            Hold::Unopened | Hold::End | Hold::Start | Hold::Nowhere => None,
        };
        self.hidden = Some(hidden);
        if !pane.is_filled() {
            self.hold = Hold::Nowhere;
            return;
        }
        let row = pane.first_row().filter(|_| hidden.below > NEAR_END);
        self.hold = match row.and_then(|row| row().map(|now| (row, now))) {
            Some((row, now)) => Hold::Row { row, at: now + lacking.unwrap_or(0.0) },
            None => Hold::End,
        };
    }
}

/// Scrolls until the row is there, and says where it is then.
fn put(pane: &dyn Pane, now: Hidden, row: &RowEdge, at: f64) -> Option<f64> {
    let below = within(now.below - (row()? - at), now);
    if (below - now.below).abs() > HALF_PIXEL {
        pane.hide_below(below);
    }
    row()
}

/// As much as can be hidden below, of what should be.
fn within(below: f64, now: Hidden) -> f64 {
    below.clamp(0.0, (now.above + now.below).max(0.0))
}

/// What would be hidden below now if the reader had not scrolled. When there is less to hide than there was, it was the
/// browser that moved.
fn unmoved(before: Hidden, now: Hidden) -> f64 {
    let most = now.above + now.below;
    if before.below > most + PIXEL { most } else { before.below }
}

#[cfg(test)]
mod tests;
