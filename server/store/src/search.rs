//! The port to the search in messages, and what both adapters share of it.
//!
//! An adapter's index gives candidates in order; [`page()`] judges each by [`Query`], so that both databases answer alike.
//! An index may give too much, and must never give too little: it ignores at least the differences that
//! [`fold`] ignores.

mod fold;
mod order;
mod page;
mod query;
mod snippet;
mod words;

use async_trait::async_trait;
use caravana_protocol::rest::SearchAnswer;
use caravana_protocol::{GroupId, Timestamp, UserId};

use super::StoreError;

pub use order::{Cursor, Tier};
pub use page::{Batch, Candidate, Candidates, page};
pub use query::Query;
pub use words::IndexedWords;

/// Only the beginning of a text is searched: as long as a message may be. Rows of other programs may be longer.
pub const SEARCHED_CHARACTERS: usize = caravana_protocol::limits::MESSAGE_CHARACTERS;

/// Searches in messages.
#[async_trait]
pub trait Searches: Send + Sync + 'static {
    /// A page of the messages that match, of groups of which the viewer is a member now. `None` when the search is for
    /// one group and the viewer is not a member of it.
    async fn search(&self, viewer: UserId, search: &Search) -> Result<Option<SearchAnswer>, StoreError>;
}

/// What is searched for.
#[derive(Debug, Clone)]
pub struct Search {
    /// The words.
    pub query: Query,
    /// Only in this group.
    pub group: Option<GroupId>,
    /// Only what this user has written.
    pub from: Option<UserId>,
    /// Only what was written then or later.
    pub since: Option<Timestamp>,
    /// Only what was written then or earlier.
    pub until: Option<Timestamp>,
    /// Where the page begins.
    pub before: Option<Cursor>,
    /// How many hits there are on the page, at most.
    pub limit: usize,
}

impl Search {
    /// Whether hits are restricted to an author or a time.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        self.from.is_some() || self.since.is_some() || self.until.is_some()
    }
}
