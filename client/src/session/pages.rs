//! Loads a group's history: requests pages, and merges those that come into the rows.

use caravana_protocol::rest::MessagesAnswer;

use super::group::Group;
use super::input::HistoryError;
use super::output::{Change, TimelineChange};
use super::shared::Shared;
use crate::timeline::{Merged, Touched};
use crate::{HistoryPage, Instant, Timeline};

impl Group {
    /// Requests a page, if [`History::load`](super::history::History::load) allows it.
    pub(super) fn load(&mut self, page: HistoryPage, shared: &mut Shared, now: Instant) {
        self.history.load(page, self.timeline.older_page(), self.id, shared, now);
    }

    /// Takes the newest page that the screen has loaded by itself, instead of an own request. Returns whether it fits.
    pub(super) fn page_offered(&mut self, page: MessagesAnswer, shared: &mut Shared, now: Instant) -> bool {
        let fits = self.timeline.fits(&page);
        if fits {
            self.history.cancel();
            self.page_loaded(HistoryPage::Latest, page, shared, now);
        }
        fits
    }

    pub(super) fn page_loaded(&mut self, asked: HistoryPage, page: MessagesAnswer, shared: &mut Shared, now: Instant) {
        let ends_here = !page.has_more_after;
        let was_silent = self.timeline.cursor().is_none();
        match self.timeline.merge(asked, page.clone()) {
            Merged::Added(touched) => self.page_shown(asked, touched, shared),
            Merged::Replaced => {
                self.page_shown(asked, Touched::default(), shared);
                shared.out.change(Change::Timeline { group: self.id, what: TimelineChange::Reset });
            }
            // The page was requested after the cursor was set, so the page is right and the cursor is of an old
            // history.
            Merged::OtherEpoch if asked == HistoryPage::Latest => return self.rebuild(page, shared, now),
            Merged::OtherEpoch => return self.load(HistoryPage::Latest, shared, now),
            Merged::Stale => return self.history.failed(asked, self.id, shared, now),
        }
        if was_silent {
            self.follow(shared, now, 0);
        }
        if let Some(rest) = self.timeline.newer_page().filter(|_| ends_here && asked != HistoryPage::Latest) {
            self.load(rest, shared, now);
        } else if ends_here && self.timeline.has_more_after() {
            self.load(HistoryPage::Latest, shared, now);
        }
    }

    fn page_shown(&mut self, asked: HistoryPage, touched: Touched, shared: &mut Shared) {
        self.history.succeeded(asked);
        self.touched(touched, shared);
        self.find_done(shared);
    }

    /// The history was rebuilt: replaces the timeline by this page of the new history.
    fn rebuild(&mut self, page: MessagesAnswer, shared: &mut Shared, now: Instant) {
        self.timeline = Timeline::new(shared.rows);
        self.reading.restart();
        self.roster.forget_reads();
        self.timeline.merge(HistoryPage::Latest, page);
        self.page_shown(HistoryPage::Latest, Touched::default(), shared);
        shared.out.change(Change::Timeline { group: self.id, what: TimelineChange::Reset });
        self.follow(shared, now, 0);
    }

    pub(super) fn page_failed(&mut self, asked: HistoryPage, error: HistoryError, shared: &mut Shared, now: Instant) {
        match error {
            HistoryError::NotFound => self.refused(None, shared, now),
            HistoryError::SignedOut | HistoryError::Unavailable => self.history.failed(asked, self.id, shared, now),
        }
    }

    /// The server can be reached again: requests the newest page now if it waits for its next attempt.
    pub(super) fn hurry_history(&mut self, shared: &mut Shared, now: Instant) {
        if self.history.hurry() {
            self.load(HistoryPage::Latest, shared, now);
        }
    }

    pub(super) fn tick_history(&mut self, shared: &mut Shared, now: Instant) {
        if self.history.tick(self.id, shared, now) {
            self.load(HistoryPage::Latest, shared, now);
        }
    }
}
