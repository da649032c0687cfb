//! Requests for pages of history: one at a time, with failures and retries.
//!
//! Owns the open request and how earlier ones ended. Never touches the rows. Called by the group.

use caravana_protocol::GroupId;

use super::output::{Change, RequestId};
use super::shared::Shared;
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

/// One group's requests for pages.
#[derive(Debug, Default)]
pub(super) struct History {
    loaded: bool,
    pending: Option<Asked>,
    /// The last request for older messages failed.
    older_failed: bool,
    /// The last request for newer messages failed.
    newer_failed: bool,
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
    /// Whether the newest messages, or those around a message, were loaded.
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

    /// What is known of the messages before the loaded ones, if there are any.
    pub(super) fn older(&self) -> Older {
        if self.is_loading_older() {
            Older::Loading
        } else if self.older_failed {
            Older::Failed
        } else {
            Older::More
        }
    }

    /// Whether the last request for messages after the loaded ones failed.
    pub(super) const fn newer_failed(&self) -> bool {
        self.newer_failed
    }

    /// Requests a page, and returns whether it did. `oldest` is the page before the oldest row. While the newest page is
    /// being loaded every other page fails, because without it there is no cursor.
    pub(super) fn load(
        &mut self,
        page: HistoryPage,
        oldest: Option<HistoryPage>,
        group: GroupId,
        shared: &mut Shared,
        now: Instant,
    ) -> bool {
        let older = matches!(page, HistoryPage::Before(_));
        let jumps = self.pending.is_some_and(|asked| matches!(asked.page, HistoryPage::Around(_)));
        if older && (jumps || self.is_loading_older() || oldest != Some(page)) {
            // The reader is on the way to another part, the page is requested already, or another row is the oldest now.
            return false;
        }
        let latest = page == HistoryPage::Latest;
        if !latest && self.is_loading_latest() {
            shared.out.change(Change::HistoryFailed { group, page });
            return false;
        }
        if latest {
            self.retry_at = None;
        }
        (self.older_failed, self.newer_failed) = (false, false);
        let request = shared.load(group, page);
        self.pending = Some(Asked { request, page, deadline: now.after(PAGE_TIMEOUT_MS) });
        true
    }

    /// Closes the open request, and does not repeat it.
    pub(super) fn cancel(&mut self) {
        self.pending = None;
        self.retry_at = None;
    }

    /// Closes the open request if this is its number, and returns its page.
    pub(super) fn answers(&mut self, request: RequestId) -> Option<HistoryPage> {
        let asked = self.pending.take_if(|asked| asked.request == request)?;
        Some(asked.page)
    }

    /// A page was merged into the rows.
    pub(super) fn succeeded(&mut self, page: HistoryPage) {
        self.failures = 0;
        self.loaded |= matches!(page, HistoryPage::Latest | HistoryPage::Around(_));
    }

    /// A page did not come. The newest page is requested again after a wait; any other only when the person asks.
    pub(super) fn failed(&mut self, page: HistoryPage, group: GroupId, shared: &mut Shared, now: Instant) {
        if page == HistoryPage::Latest {
            self.retry_at = Some(now.after(backoff::window(self.failures).min(PAGE_RETRY_MS)));
            self.failures = self.failures.saturating_add(1);
        } else {
            self.older_failed = matches!(page, HistoryPage::Before(_));
            self.newer_failed = matches!(page, HistoryPage::After(_));
            shared.out.change(Change::HistoryFailed { group, page });
        }
    }

    /// The server can be reached again. Returns whether to request the newest page now, because it waits for its next
    /// attempt.
    pub(super) fn hurry(&mut self) -> bool {
        (self.older_failed, self.newer_failed) = (false, false);
        let waits = self.retry_at.is_some();
        if waits {
            self.failures = 0;
        }
        waits
    }

    /// Handles passed deadlines. Returns whether to request the newest page again.
    pub(super) fn tick(&mut self, group: GroupId, shared: &mut Shared, now: Instant) -> bool {
        if let Some(asked) = self.pending.take_if(|asked| now >= asked.deadline) {
            self.failed(asked.page, group, shared, now);
        }
        shared.trying && self.retry_at.is_some_and(|retry_at| now >= retry_at)
    }

    pub(super) fn deadline(&self, shared: &Shared) -> Option<Instant> {
        let retry_at = self.retry_at.filter(|_| shared.trying);
        self.pending.map(|asked| asked.deadline).into_iter().chain(retry_at).min()
    }
}
