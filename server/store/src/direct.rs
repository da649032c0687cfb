//! The port to conversations of two people, and to whom a user has blocked.
//!
//! A direct conversation is a group with a log like any other. What makes it one is a row beside it, which also keeps a
//! pair of users from having two. Both are plain members of it and it has no links, so that the rules of groups refuse
//! whatever needs a role.

use async_trait::async_trait;
use caravana_protocol::rest::{Group, User};
use caravana_protocol::{GroupId, UserId};

use super::StoreError;

/// Direct conversations and blocks.
#[async_trait]
pub trait Directs: Send + Sync + 'static {
    /// The conversation of two users, and whether this call made it, with the id `fresh`.
    ///
    /// The user must share a group with the other one, or have the conversation already; otherwise the other one does
    /// not exist ([`StoreError::NotFound`]). [`StoreError::Blocked`]: one has blocked the other and there is no
    /// conversation yet. [`StoreError::LimitReached`] when the user has begun as many lately as allowed, or as many of others wait
    /// for the other one.
    async fn open_direct(&self, user: UserId, other: UserId, fresh: GroupId) -> Result<(Group, bool), StoreError>;

    /// Blocks a user: nothing can be written in the conversation of the two. What was sent before is stored before this
    /// answers, or not at all. Whom the user neither shares a group or conversation with, nor can read, does not exist. What
    /// is so already changes nothing.
    async fn block(&self, user: UserId, other: UserId) -> Result<(), StoreError>;

    /// Takes a block back. What is so already changes nothing.
    async fn unblock(&self, user: UserId, other: UserId) -> Result<(), StoreError>;

    /// Whom the user has blocked, the last one first, without e-mails.
    async fn blocked(&self, user: UserId) -> Result<Vec<User>, StoreError>;
}

/// A pair of users in the order in which it is stored, which is the same for both databases.
#[must_use]
pub fn pair(one: UserId, other: UserId) -> (UserId, UserId) {
    if one.uuid() < other.uuid() { (one, other) } else { (other, one) }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_pair_has_one_order() {
        let user = |number| UserId::new(Uuid::from_u128(number));
        assert_eq!(pair(user(1), user(2)), (user(1), user(2)));
        assert_eq!(pair(user(2), user(1)), (user(1), user(2)));
    }
}
