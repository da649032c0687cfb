//! What is searched for.

use caravana_protocol::{GroupId, Timestamp, UserId};

/// Where one searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// In one group.
    Group(GroupId),
    /// In all groups of the person.
    All,
}

/// A search in messages. Its text has as many characters as the server allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// The words, or beginnings of them.
    pub text: String,
    /// Where.
    pub scope: Scope,
    /// Only what this person has written.
    pub from: Option<UserId>,
    /// Only what was written then or later.
    pub since: Option<Timestamp>,
    /// Only what was written then or earlier.
    pub until: Option<Timestamp>,
}
