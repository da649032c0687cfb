//! The port to the groups' logs: messages, their changes, and everything that is read by seq.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use caravana_protocol::rest::Group;
use caravana_protocol::{
    Content, Epoch, Event, GroupId, Message, MessageBody, MessageChange, MessageId, Role, Seq, Timestamp, UserId,
};

use futures::future::BoxFuture;
use tokio::sync::mpsc;

use super::{Effect, Hints, StoreError};

/// The groups' event logs.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Stores a message once. The id decides: stored already with the same author, group, `reply_to` and text, the
    /// stored row is the answer; with anything else it is a [`StoreError::Conflict`]. Membership is checked in the same
    /// statement; for a stranger the group is [`StoreError::NotFound`]. A `reply_to` must be a message of the group.
    ///
    /// The call takes its place in the queue before it returns its future: of two calls the first is committed first.
    fn append(&self, draft: Draft) -> BoxFuture<'static, Result<Appended, StoreError>>;

    /// The stored message of this id, whoever wrote it. Lets a repeated send be answered without being charged.
    async fn stored(&self, id: MessageId) -> Result<Option<Message>, StoreError>;

    /// Replaces the text of the author's own message. [`StoreError::Forbidden`] for another's, [`StoreError::Gone`] for
    /// a deleted one. The same text again changes nothing.
    async fn edit(&self, actor: UserId, id: MessageId, body: MessageBody) -> Result<Changed, StoreError>;

    /// Marks a message as deleted: by its author, or by who manages the group. A message that is deleted already is
    /// left as it is.
    async fn delete(&self, actor: UserId, id: MessageId) -> Result<Changed, StoreError>;

    /// Moves the member's read mark to `seq` or leaves it where it is further, never beyond the head. Answers where it
    /// is now.
    async fn mark_read(&self, group: GroupId, user: UserId, seq: Seq) -> Result<Seq, StoreError>;

    /// What the hub keeps in memory of a group that somebody follows. `None`: no such group.
    async fn channel(&self, group: GroupId) -> Result<Option<Channel>, StoreError>;

    /// The user's role in a group; `None` when not a member, or when there is no such group. The one membership
    /// question that every path asks.
    async fn role(&self, group: GroupId, user: UserId) -> Result<Option<Role>, StoreError>;

    /// A group as this member sees it; `None` when not a member, or when there is no such group.
    async fn membership(&self, group: GroupId, user: UserId) -> Result<Option<Group>, StoreError>;

    /// Events after `after`, ascending, at most one page, whose frames have at most so many bytes in all; one event that has
    /// more is a page of its own. `None` when the viewer is not a member. One statement, so that a resume costs one query.
    async fn replay(&self, group: GroupId, viewer: UserId, after: Seq, most: usize)
    -> Result<Option<Page>, StoreError>;

    /// The same for the hub itself, which serves members only, and as much as goes into a mailbox at once.
    async fn tail(&self, group: GroupId, after: Seq) -> Result<Page, StoreError>;

    /// A page of messages in their present state, ascending, fewer than the limit where they are too long for a page; `None`
    /// when the viewer is not a member.
    async fn history(
        &self,
        group: GroupId,
        viewer: UserId,
        anchor: Anchor,
        limit: usize,
    ) -> Result<Option<History>, StoreError>;

    /// The heads of these groups, for the sweep that finds what hints have lost.
    async fn heads(&self, groups: &[GroupId]) -> Result<Vec<(GroupId, Seq)>, StoreError>;

    /// The effects of all commits of our own, in commit order. There is one such stream; the first caller gets it.
    fn take_commits(&self) -> Option<mpsc::Receiver<Vec<Effect>>>;

    /// Whether a member who is removed leaves a word of it in the log. Not so where membership lies in a table of another
    /// program; there the hub asks [`Self::strangers`] again and again.
    fn tells_removals(&self) -> bool {
        true
    }

    /// Those of these followers who are no members.
    async fn strangers(&self, _followers: &[(GroupId, UserId)]) -> Result<Vec<(GroupId, UserId)>, StoreError> {
        Ok(Vec::new())
    }

    /// What other programs and other servers have committed: which group moved, or that any may have. Hints only: the
    /// receiver reads the heads. There is one such stream; the first caller gets it.
    fn take_hints(&self) -> Option<Hints>;
}

/// A message that is to be stored.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Primary key and idempotency key.
    pub id: MessageId,
    /// The author.
    pub user_id: UserId,
    /// Where.
    pub group_id: GroupId,
    /// What it says.
    pub content: Content<MessageBody>,
    /// When it reached the server.
    pub created_at: Timestamp,
}

/// A stored message.
#[derive(Debug, Clone)]
pub struct Appended {
    /// As stored.
    pub message: Message,
    /// It was stored by an earlier send.
    pub duplicate: bool,
}

/// What became of a change of a message.
#[derive(Debug, Clone)]
pub struct Changed {
    /// The message as it is now, at its own position.
    pub message: Message,
    /// The change's position in the group's log; where nothing had to change, the group's head.
    pub seq: Seq,
    /// Whether something had to change.
    pub is_new: bool,
}

impl Changed {
    /// By this event.
    pub(super) fn by(change: MessageChange) -> Self {
        Self { seq: change.message.seq, message: change.into_message(), is_new: true }
    }
}

/// A group as the hub knows it.
#[derive(Debug, Clone)]
pub struct Channel {
    /// The history that `head` counts in.
    pub epoch: Epoch,
    /// The last committed event.
    pub head: Seq,
    /// Who is a member. Not how many: an event of one who joins is also that of another role.
    pub members: BTreeSet<UserId>,
    /// How far each member has read.
    pub reads: BTreeMap<UserId, Seq>,
}

/// A page of a log.
#[derive(Debug, Clone)]
pub struct Page {
    /// Ascending, without a hole, from the asked cursor's successor on.
    pub events: Vec<Event>,
    /// The history.
    pub epoch: Epoch,
    /// The group's head when the page was read.
    pub head: Seq,
}

/// Where a page of history lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The newest messages.
    End,
    /// Those before this seq.
    Before(Seq),
    /// Those after this seq.
    After(Seq),
    /// Those on both sides of this seq, itself included.
    Around(Seq),
}

/// A page of messages.
#[derive(Debug, Clone)]
pub struct History {
    /// Ascending.
    pub messages: Vec<Message>,
    /// What else happened in the part of the log that the page stands for, ascending.
    pub events: Vec<Event>,
    /// The history.
    pub epoch: Epoch,
    /// The group's head when the page was read.
    pub head: Seq,
    /// Whether there are older ones.
    pub has_more_before: bool,
    /// Whether there are newer ones.
    pub has_more_after: bool,
}
