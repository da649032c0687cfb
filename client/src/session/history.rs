//! Pages of history: requests, failures and retries.

use caravana_protocol::rest::MessagesAnswer;

use super::group::Group;
use super::output::{Change, TimelineChange};
use super::shared::Shared;
use super::{HistoryError, RequestId};
use crate::timeline::{Merged, Touched};
use crate::{HistoryPage, Instant, backoff};

/// How long a page may take before its request counts as failed.
const PAGE_TIMEOUT_MS: u64 = 15_000;
/// The longest wait before the newest page is requested again. Shorter than the longest wait of a link, because a
/// person looks at an empty page meanwhile, and the link's own waits protect the server already.
const PAGE_RETRY_MS: u64 = 8_000;

/// What is known of the messages before the loaded ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Older {
    /// There are none: the first loaded row is the first of all.
    Start,
    /// There are some, and they are not requested.
    #[default]
    More,
    /// They are requested and have not arrived.
    Loading,
    /// The last request failed. Request them again when the person asks for it. A reconnect sets this back to
    /// [`Older::More`].
    Failed,
}

/// The open request, and how earlier ones ended. One page at a time.
#[derive(Debug, Default)]
pub(super) struct History {
    loaded: bool,
    pending: Option<Asked>,
    /// The last request for older messages failed.
    older_failed: bool,
    /// When to request the newest page again. Without it nothing can be shown.
    retry_at: Option<Instant>,
    failures: u32,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    request: RequestId,
    page: HistoryPage,
    deadline: Instant,
}

impl History {
    pub(super) const fn is_loaded(&self) -> bool {
        self.loaded
    }

    pub(super) fn is_loading_latest(&self) -> bool {
        self.retry_at.is_some() || self.pending.is_some_and(|asked| asked.page == HistoryPage::Latest)
    }

    fn is_loading_older(&self) -> bool {
        self.pending.is_some_and(|asked| matches!(asked.page, HistoryPage::Before(_)))
    }

    /// Whether a request is open.
    pub(super) const fn is_asking(&self) -> bool {
        self.pending.is_some()
    }

    pub(super) fn cancel(&mut self) {
        self.pending = None;
        self.retry_at = None;
    }

    /// Closes the open request if this is its number, and returns its page.
    pub(super) fn answers(&mut self, request: RequestId) -> Option<HistoryPage> {
        let asked = self.pending.take_if(|asked| asked.request == request)?;
        Some(asked.page)
    }
}

impl Group {
    /// What is known of the messages before the loaded ones. [`Older::Loading`] ends when the request is closed, for
    /// any reason.
    #[must_use]
    pub fn older(&self) -> Older {
        if !self.timeline.has_more_before() {
            Older::Start
        } else if self.history.is_loading_older() {
            Older::Loading
        } else if self.history.older_failed {
            Older::Failed
        } else {
            Older::More
        }
    }

    /// Requests a page. While the newest page is being loaded every other page fails, because without it there is no
    /// cursor.
    pub(super) fn load(&mut self, page: HistoryPage, shared: &mut Shared, now: Instant) {
        let older = matches!(page, HistoryPage::Before(_));
        if older && (self.history.is_loading_older() || self.timeline.older_page() != Some(page)) {
            // The page is requested already, or another row is the oldest by now.
            return;
        }
        let latest = page == HistoryPage::Latest;
        if !latest && self.history.is_loading_latest() {
            shared.out.change(Change::HistoryFailed { group: self.id, page });
            return;
        }
        if latest {
            self.history.retry_at = None;
        }
        self.history.older_failed = false;
        let request = shared.load(self.id, page);
        self.timeline.expect_page();
        self.history.pending = Some(Asked { request, page, deadline: now.after(PAGE_TIMEOUT_MS) });
    }

    /// The server can be reached again: requests the newest page now if it waits for its next attempt.
    pub(super) fn hurry_history(&mut self, shared: &mut Shared, now: Instant) {
        self.history.older_failed = false;
        if self.history.retry_at.is_some() {
            self.history.failures = 0;
            self.load(HistoryPage::Latest, shared, now);
        }
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
            Merged::OtherEpoch if asked == HistoryPage::Latest => return self.adopt(page, shared, now),
            Merged::OtherEpoch => return self.load(HistoryPage::Latest, shared, now),
            Merged::Stale => return self.page_failed(asked, HistoryError::Unavailable, shared, now),
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
        self.history.failures = 0;
        self.history.loaded |= matches!(asked, HistoryPage::Latest | HistoryPage::Around(_));
        self.touched(touched, shared);
        self.find_done(shared);
    }

    /// The history was rebuilt: replaces the timeline by this page of the new history.
    fn adopt(&mut self, page: MessagesAnswer, shared: &mut Shared, now: Instant) {
        self.timeline = crate::Timeline::new(shared.rows);
        self.reading.restart();
        self.roster.forget_reads();
        self.timeline.merge(HistoryPage::Latest, page);
        self.page_shown(HistoryPage::Latest, Touched::default(), shared);
        shared.out.change(Change::Timeline { group: self.id, what: TimelineChange::Reset });
        self.follow(shared, now, 0);
    }

    pub(super) fn page_failed(&mut self, asked: HistoryPage, error: HistoryError, shared: &mut Shared, now: Instant) {
        if error == HistoryError::NotFound {
            return self.refused(None, shared, now);
        }
        if asked == HistoryPage::Latest {
            self.history.retry_at = Some(now.after(backoff::window(self.history.failures).min(PAGE_RETRY_MS)));
            self.history.failures = self.history.failures.saturating_add(1);
        } else {
            self.history.older_failed = matches!(asked, HistoryPage::Before(_));
            shared.out.change(Change::HistoryFailed { group: self.id, page: asked });
        }
    }

    pub(super) fn tick_history(&mut self, shared: &mut Shared, now: Instant) {
        if let Some(asked) = self.history.pending.take_if(|asked| now >= asked.deadline) {
            self.page_failed(asked.page, HistoryError::Unavailable, shared, now);
        }
        if shared.trying && self.history.retry_at.is_some_and(|retry_at| now >= retry_at) {
            self.load(HistoryPage::Latest, shared, now);
        }
    }

    pub(super) fn history_deadline(&self, shared: &Shared) -> Option<Instant> {
        let retry_at = self.history.retry_at.filter(|_| shared.trying);
        self.history.pending.map(|asked| asked.deadline).into_iter().chain(retry_at).min()
    }
}
