//! The port to the groups' logs: messages, changes of messages, and everything that is read by seq.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use caravana_protocol::rest::Group;
use caravana_protocol::{
    Content, Emoji, Epoch, Event, GroupId, Message, MessageBody, MessageChange, MessageId, Role, Seq, Timestamp, UserId,
};

use futures::future::BoxFuture;
use tokio::sync::mpsc;

use super::{Effect, Hints, StoreError};

/// The groups' event logs.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Stores a message once. The id decides: if the id is stored with the same author, group, `reply_to` and text, the
    /// stored row is the answer; if anything differs, the answer is [`StoreError::Conflict`]. The same statement checks
    /// membership; for a non-member the group is [`StoreError::NotFound`]. A `reply_to` must be a message of the group.
    ///
    /// The call enters the queue before it returns its future: of two calls, the first is committed first.
    fn append(&self, message: NewMessage) -> BoxFuture<'static, Result<Appended, StoreError>>;

    /// The stored message with this id, from any author. The server can answer a repeated send with it without charging
    /// the rate limit.
    async fn stored(&self, id: MessageId) -> Result<Option<Message>, StoreError>;

    /// Replaces the text of the author's own message, and the members that it mentions if `mentions` are given.
    /// [`StoreError::Forbidden`] for another author's message, [`StoreError::Gone`] for a deleted one. The same again
    /// changes nothing.
    async fn edit(
        &self,
        actor: UserId,
        id: MessageId,
        body: MessageBody,
        mentions: Option<Vec<UserId>>,
    ) -> Result<Changed, StoreError>;

    /// Marks a message as deleted. Its author and those who manage the group may do so. A message that is already
    /// deleted does not change.
    async fn delete(&self, actor: UserId, id: MessageId) -> Result<Changed, StoreError>;

    /// Adds a member's reaction to a message, or takes it back. [`StoreError::Gone`] for a deleted message,
    /// [`StoreError::TooManyReactions`] beyond the limits. What is so already changes nothing.
    async fn react(&self, actor: UserId, id: MessageId, emoji: Emoji, on: bool) -> Result<Changed, StoreError>;

    /// Pins a message in its group, or takes its pin off. [`StoreError::Gone`] for a deleted message,
    /// [`crate::Limit::Pins`] beyond the limit. What is so already changes nothing.
    async fn pin(&self, actor: UserId, id: MessageId, on: bool) -> Result<Changed, StoreError>;

    /// The pinned messages of a group, the newest pin first. `None` when the viewer is not a member.
    async fn pins(&self, group: GroupId, viewer: UserId) -> Result<Option<Vec<Message>>, StoreError>;

    /// The members who have read a message, for its author: of those who share it, if the author does too. Nobody in a closed
    /// conversation of two. [`StoreError::Forbidden`] for everybody but the author.
    async fn readers(&self, actor: UserId, id: MessageId) -> Result<Vec<UserId>, StoreError>;

    /// Moves the member's read mark forward to `seq`, never backward and never beyond the head. Answers the resulting
    /// read mark.
    async fn mark_read(&self, group: GroupId, user: UserId, seq: Seq) -> Result<Marked, StoreError>;

    /// What the hub keeps in memory about a group with followers. `None`: no such group.
    async fn group_state(&self, group: GroupId) -> Result<Option<GroupState>, StoreError>;

    /// The user's role in a group; `None` when the user is not a member, or when there is no such group. Every path
    /// checks membership by this question.
    async fn role(&self, group: GroupId, user: UserId) -> Result<Option<Role>, StoreError>;

    /// A group as this member sees it; `None` when the user is not a member, or when there is no such group.
    async fn membership(&self, group: GroupId, user: UserId) -> Result<Option<Group>, StoreError>;

    /// Events after `after`, ascending, at most one page, whose frames have at most `most` bytes in all. A single event
    /// with more bytes is a page of its own. `None` when the viewer is not a member. It is one statement, so that a
    /// resume costs one query.
    async fn replay(&self, group: GroupId, viewer: UserId, after: Seq, most: usize)
    -> Result<Option<Page>, StoreError>;

    /// Like [`Self::replay`] but without a membership check: the hub serves members only. It returns as much as goes
    /// into a mailbox at once.
    async fn tail(&self, group: GroupId, after: Seq) -> Result<Page, StoreError>;

    /// A page of messages in their present state, ascending. It has fewer than `limit` messages when these are too long
    /// for a page. `None` when the viewer is not a member.
    async fn history(
        &self,
        group: GroupId,
        viewer: UserId,
        anchor: Anchor,
        limit: usize,
    ) -> Result<Option<History>, StoreError>;

    /// The heads of these groups. The hub's sweep uses them to find events whose hints were lost.
    async fn heads(&self, groups: &[GroupId]) -> Result<Vec<(GroupId, Seq)>, StoreError>;

    /// The effects of all commits of this server from now on, in commit order. Each caller gets a stream of its own. It
    /// is bounded: a caller that falls behind slows the writers down.
    fn commits(&self) -> mpsc::Receiver<Vec<Effect>>;

    /// Whether the removal of a member writes an event to the log. It does not where another program owns the
    /// membership table; there the hub calls [`Self::strangers`] periodically.
    fn tells_removals(&self) -> bool {
        true
    }

    /// The given followers that are not members.
    async fn strangers(&self, _followers: &[(GroupId, UserId)]) -> Result<Vec<(GroupId, UserId)>, StoreError> {
        Ok(Vec::new())
    }

    /// Hints about commits of other programs and other servers: which groups have new events, or that any group may
    /// have some. They are hints only: the receiver reads the heads. Each caller hears all hints from now on;
    /// the first one also hears what was said before.
    fn hints(&self) -> Hints;
}

/// A message to store.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Primary key and idempotency key.
    pub id: MessageId,
    /// The author.
    pub user_id: UserId,
    /// The group.
    pub group_id: GroupId,
    /// The text, the message that it answers, and whom it mentions.
    pub content: Content<MessageBody>,
    /// When it arrived at the server.
    pub created_at: Timestamp,
}

impl NewMessage {
    /// The message as it was committed at this place of its group's log, even if it has changed since.
    #[must_use]
    pub fn committed(&self, seq: Seq) -> Message {
        Message {
            id: self.id,
            user_id: Some(self.user_id),
            group_id: self.group_id,
            content: self.content.clone().into_plain(),
            created_at: self.created_at,
            status: true,
            seq,
            edited_at: None,
            reply: None,
            reactions: Vec::new(),
            pinned: false,
        }
    }
}

/// A stored message.
#[derive(Debug, Clone)]
pub struct Appended {
    /// As stored.
    pub message: Message,
    /// Whether an earlier send stored it.
    pub duplicate: bool,
}

/// The outcome of a change of a message.
#[derive(Debug, Clone)]
pub struct Changed {
    /// The message as it is now, at its own position.
    pub message: Message,
    /// The change's position in the group's log; if nothing had to change, the group's head.
    pub seq: Seq,
    /// Whether something had to change.
    pub is_new: bool,
}

impl Changed {
    /// The outcome of a change that wrote this event.
    #[must_use]
    pub fn by(change: MessageChange) -> Self {
        Self { seq: change.message.seq, message: change.into_message(), is_new: true }
    }
}

/// A member's read mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    /// Up to where the member has read.
    pub seq: Seq,
    /// Whether the other members may know.
    pub is_shared: bool,
}

/// A group as the hub knows it.
#[derive(Debug, Clone)]
pub struct GroupState {
    /// The epoch that `head` belongs to.
    pub epoch: Epoch,
    /// The seq of the last committed event.
    pub head: Seq,
    /// The members. A set and not a number, because a `member_joined` event may also mean a changed role.
    pub members: BTreeSet<UserId>,
    /// The read mark of each member.
    pub reads: BTreeMap<UserId, Seq>,
    /// The members who do not share their read mark.
    pub hidden: BTreeSet<UserId>,
    /// Whether it is a conversation of two that is closed.
    pub is_closed: bool,
}

/// A page of a log.
#[derive(Debug, Clone)]
pub struct Page {
    /// Ascending and without a hole, beginning right after the cursor that was asked for.
    pub events: Vec<Event>,
    /// The group's epoch.
    pub epoch: Epoch,
    /// The group's head when the page was read.
    pub head: Seq,
}

/// The position of a page of history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The newest messages.
    End,
    /// The messages before this seq.
    Before(Seq),
    /// The messages after this seq.
    After(Seq),
    /// The messages on both sides of this seq, and the message at it.
    Around(Seq),
}

/// A page of messages.
#[derive(Debug, Clone)]
pub struct History {
    /// Ascending.
    pub messages: Vec<Message>,
    /// The other events in the part of the log that the page covers, ascending.
    pub events: Vec<Event>,
    /// The group's epoch.
    pub epoch: Epoch,
    /// The group's head when the page was read.
    pub head: Seq,
    /// Whether there are older messages.
    pub has_more_before: bool,
    /// Whether there are newer messages.
    pub has_more_after: bool,
}
