//! What a session has to know before it starts.

use caravana_protocol::{UserId, limits};

/// What a session has to know before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// The signed-in user. The session ends if the server's `hello` names another user.
    pub user: UserId,
    /// Messages on a page of history.
    pub page_size: usize,
    /// The most rows of one group that are kept in memory. More rows are forgotten at the end that is farther from the
    /// reader; they can be loaded again.
    pub rows: usize,
}

/// Rows of one group that are kept in memory: ten thousand messages, and the events between them. A few megabytes.
const ROWS: usize = 12_000;

impl Config {
    /// The usual figures, for this user.
    #[must_use]
    pub const fn new(user: UserId) -> Self {
        Self { user, page_size: limits::HISTORY_PAGE_DEFAULT, rows: ROWS }
    }
}
