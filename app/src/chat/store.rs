//! The reactive state of the screen, in the form in which it is shown.
//!
//! Rows are keyed. [`reactive_stores::Patch`] compares a new list with the old one and notifies only the readers of
//! rows that differ. Written by [`super::bridge`] and by the pages that load data; read by the components.

use std::ops::Deref;

use caravana_client::Older;
use caravana_protocol::rest::Group;
use caravana_protocol::{ErrorCode, MessageId, Role, Seq, Timestamp, UserId};
use reactive_stores::{KeyMap, Patch, PatchField, Store, StorePath};

mod group_row;
mod lines;

use super::tints::Tints;
use super::trip::Trip;
use crate::rich_text::Mark;

pub use group_row::{GroupRow, GroupRowStoreFields};
pub use lines::{Lines, LiveLine};

/// A value that is patched as a whole: it is replaced, and its readers are notified, only if it differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Whole<T>(pub T);

impl<T> Deref for Whole<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: PartialEq> PatchField for Whole<T> {
    fn patch_field(&mut self, new: Self, path: &StorePath, notify: &mut dyn FnMut(&StorePath), _keys: Option<&KeyMap>) {
        if *self != new {
            *self = new;
            notify(path);
        }
    }
}

/// The delivery state of the reader's own message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Written, not yet acknowledged.
    Pending,
    /// Stored.
    Sent,
    /// Stored, and every other member has read it.
    Read,
    /// Refused; with the server's reason, if it gave one that this build knows.
    Failed(Option<ErrorCode>),
}

/// A line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The key of the line. A message keeps its key when it is acknowledged.
    pub key: String,
    /// The content of the line. The kind of content never changes for a key.
    pub row: RowView,
}

/// The content of a line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowView {
    /// The separator above the first message of a day, with its label.
    Day(String),
    /// «Mensajes no leídos».
    Unread,
    /// A sentence about something that happened in the group.
    Notice(String),
    /// A place where part of the log is missing.
    Gap {
        /// The missing part is being fetched; otherwise there is no connection to fetch it.
        coming: bool,
    },
    /// A message.
    Message(Box<MessageRow>),
}

/// A message on the screen.
#[expect(clippy::struct_excessive_bools, reason = "each is a class or a part of the row of its own")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Which.
    pub id: MessageId,
    /// The author; the author's colour is derived from this id.
    pub author: Option<UserId>,
    /// The author's name as it is now.
    pub name: String,
    /// What it says.
    pub said: Said,
    /// The places in its text that mention somebody, in order.
    pub marks: Vec<Mark>,
    /// Somebody else mentions the reader in it.
    pub for_you: bool,
    /// The reader has blocked its author: its text is shown only on demand.
    pub blocked: bool,
    /// When.
    pub at: Timestamp,
    /// The hour in the reader's zone.
    pub clock: String,
    /// The delivery state of the reader's own message; `None` if somebody else wrote it.
    pub own: Option<Delivery>,
    /// The message that it answers.
    pub quote: Option<QuoteRow>,
    /// The reactions to it.
    pub reactions: Vec<ReactionRow>,
    /// It is pinned.
    pub pinned: bool,
    /// The reader's last change of it that the server has not answered: waiting, or refused.
    pub change: Option<Delivery>,
    /// It is the first of consecutive messages of one author: the name is shown above it.
    pub first: bool,
    /// It is the last of such messages: the avatar is shown beside it.
    pub last: bool,
}

/// A message, as a reply to it shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteRow {
    /// Which.
    pub id: MessageId,
    /// Its author; the author's colour is derived from this id.
    pub author: Option<UserId>,
    /// The author's name.
    pub name: String,
    /// The beginning of its text; empty if it was deleted.
    pub text: String,
}

/// All reactions to a message with one emoji.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionRow {
    /// The emoji.
    pub emoji: String,
    /// How many members reacted with it.
    pub count: u64,
    /// The reader is one of them.
    pub own: bool,
    /// The reader's change of it is not answered yet.
    pub waits: bool,
    /// The names of the first of them.
    pub who: Vec<String>,
    /// So many more are not named.
    pub others: u64,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A text.
    Text {
        /// The text.
        text: String,
        /// It was changed after it was sent.
        edited: bool,
    },
    /// The message was deleted.
    Deleted,
}

/// The messages that have come at the end since the group was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arrived {
    /// The number of the reader's own messages, from any device.
    pub own: u64,
    /// The number of messages of others.
    pub others: u64,
    /// Those of them that mention the reader.
    pub for_you: Vec<MessageId>,
    /// The last few messages of others.
    pub newest: Vec<Announced>,
}

/// Somebody else's message, as it is read aloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Who wrote it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A member in the panel.
#[derive(Debug, Clone, PartialEq, Eq, Store, Patch)]
pub struct MemberRow {
    /// The person's id as text: the key.
    pub id: String,
    /// The person; the colour is derived from this id.
    pub user: Whole<UserId>,
    /// The name.
    pub name: String,
    /// The person's role.
    pub role: Whole<Role>,
    /// Whether the person is online.
    pub online: bool,
    /// Whether this is the reader.
    pub you: bool,
}

/// How complete the open group's log is on this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Continuity {
    /// The seq of the message up to which nothing is missing, the same number for all members; `None` before the first
    /// message.
    pub up_to: Option<Seq>,
    /// What is known about the time after it.
    pub since: Since,
}

/// What is known about the time after the last complete message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Nothing: the session has not started yet, or the link is down or catching up.
    Unknown,
    /// Nothing is missing, and new events arrive.
    Whole,
    /// Some events are known to be missing.
    Missing,
}

/// The other person of a direct conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Who.
    pub user: UserId,
    /// Nothing can be written here.
    pub closed: bool,
    /// Their account is gone.
    pub gone: bool,
}

impl Peer {
    /// The other person of this group, if it is a direct conversation.
    #[must_use]
    pub fn of(group: &Group) -> Option<Self> {
        let user = group.peer_id.filter(|_| !group.kind.is_group())?;
        Some(Self { user, closed: group.closed, gone: group.name.is_empty() })
    }
}

/// The open group.
#[expect(clippy::struct_excessive_bools, reason = "each is shown by its own part of the page and patched on its own")]
#[derive(Debug, Clone, PartialEq, Eq, Store, Patch)]
pub struct TimelineState {
    /// Its name.
    pub name: String,
    /// The other person, if it is a direct conversation.
    pub peer: Whole<Option<Peer>>,
    /// Its trip, and its emoji.
    pub trip: Whole<Trip>,
    /// The lines that are in the document, from top to bottom: those near the window ([`super::virtual_list::VirtualList`]).
    pub lines: Whole<Lines>,
    /// The day of the first line.
    pub day: String,
    /// There is neither a message nor a gap.
    pub is_empty: bool,
    /// Counts the changes of the loaded items, in the document or not.
    pub revision: u64,
    /// The messages that arrived since the group was opened.
    pub arrived: Whole<Arrived>,
    /// The colours of the members.
    pub tints: Whole<Tints>,
    /// The members, online members first.
    #[store(key: String = |row| row.id.clone())]
    pub members: Vec<MemberRow>,
    /// The number of members, which may be more than are loaded yet.
    pub member_count: u64,
    /// The names of those who are typing.
    pub typing: Whole<Vec<String>>,
    /// How complete the log is.
    pub continuity: Whole<Continuity>,
    /// The reader sent messages too fast: seconds until the next message is sent automatically.
    pub wait: Whole<Option<u64>>,
    /// What is known about messages before those on the screen.
    pub older: Whole<Older>,
    /// There are newer messages than those on the screen: the reader scrolled so far back that the newest were dropped
    /// from memory.
    pub has_newer: bool,
    /// They were requested and did not come.
    pub newer_failed: bool,
    /// The reader may invite others.
    pub may_invite: bool,
    /// The reader's role.
    pub role: Whole<Role>,
    /// Plain members may invite.
    pub members_can_invite: bool,
    /// The reader may mention all members at once.
    pub may_mention_all: bool,
    /// The reader is no longer a member of the group.
    pub removed: bool,
    /// The pinned messages, the newest pin first.
    pub pins: Whole<Vec<QuoteRow>>,
    /// The message to bring into view, and the number of the request, so that the same message can be asked for again.
    pub target: Whole<Option<(MessageId, u64)>>,
}

#[cfg(test)]
impl TimelineState {
    /// A group without a message and without members.
    pub(crate) fn empty() -> Self {
        Self {
            name: "Oaxaca en abril".to_owned(),
            peer: Whole(None),
            trip: Whole(Trip::default()),
            lines: Whole(Lines::default()),
            day: String::new(),
            is_empty: true,
            revision: 0,
            arrived: Whole(Arrived::default()),
            tints: Whole(Tints::default()),
            members: Vec::new(),
            member_count: 0,
            typing: Whole(Vec::new()),
            continuity: Whole(Continuity { up_to: None, since: Since::Unknown }),
            wait: Whole(None),
            older: Whole(Older::Start),
            has_newer: false,
            newer_failed: false,
            may_invite: true,
            role: Whole(Role::Member),
            members_can_invite: true,
            may_mention_all: true,
            removed: false,
            pins: Whole(Vec::new()),
            target: Whole(None),
        }
    }
}

/// The link to the server in the terms of the screen (UX "Connection").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkView {
    /// Nothing is shown yet: the page is not hydrated, or the first attempt is less than one second old.
    #[default]
    Quiet,
    /// The first connection takes longer than one second.
    Connecting,
    /// Connected, nothing is missing.
    Online,
    /// Connected, missed events are being fetched.
    CatchingUp,
    /// Connected again, for a short while.
    Restored,
    /// The device has no network.
    NoInternet,
    /// The link was lost; seconds until the next attempt, `None` while one runs.
    Reconnecting(Option<u64>),
    /// The link has been lost for more than a minute; with the same seconds.
    Unreachable(Option<u64>),
    /// The session has ended; the reader has to sign in again.
    Ended,
    /// Closed permanently for another reason.
    Stopped,
}

impl LinkView {
    /// The word in `data-state`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Quiet => "idle",
            Self::Connecting => "connecting",
            Self::Online => "online",
            Self::CatchingUp => "catching-up",
            Self::Restored => "restored",
            Self::NoInternet => "offline",
            Self::Reconnecting(_) => "reconnecting",
            Self::Unreachable(_) => "unreachable",
            Self::Ended => "ended",
            Self::Stopped => "stopped",
        }
    }
}

/// The chat outside of the open group.
#[derive(Debug, Clone, PartialEq, Eq, Store, Patch)]
pub struct ChatState {
    /// The reader's groups: favourites, the others, those that are put aside; each of these by last activity.
    #[store(key: String = |row| row.id.clone())]
    pub groups: Vec<GroupRow>,
    /// Whom the reader has blocked.
    pub blocked: Whole<Vec<UserId>>,
    /// The link to the server.
    pub link: Whole<LinkView>,
}
