//! The reactive state: what is on the screen, in the shape in which it is shown.
//!
//! Rows are keyed; [`reactive_stores::Patch`] compares a new list with the old one and wakes only what differs. Written
//! by [`super::link`] and by the pages that load, read by the components.

use std::ops::Deref;

use caravana_client::Older;
use caravana_protocol::{ErrorCode, GroupId, MessageId, Role, Seq, Timestamp, UserId};
use reactive_stores::{KeyMap, Patch, PatchField, Store, StorePath};

/// A value that takes part in a patch as a whole: it is replaced, and its readers woken, only if it differs.
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

/// How far an own message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Written, not yet acknowledged.
    Pending,
    /// Stored.
    Sent,
    /// Stored, and every other member has read it.
    Read,
    /// Refused; the reason, where the server gave one that this build knows.
    Failed(Option<ErrorCode>),
}

/// A line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Store, Patch)]
pub struct Line {
    /// Names the line while it is on the screen; that of a message before and after its acknowledgement.
    pub key: String,
    /// What stands there. Its kind never changes for a key.
    pub row: Whole<Row>,
}

/// What stands on a line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// The separator above the first message of a day, with its label.
    Day(String),
    /// «Mensajes no leídos».
    Unread,
    /// Something that happened in the group, in words.
    Notice(String),
    /// Here something is missing.
    Gap {
        /// It is being fetched; otherwise there is no link to fetch it over.
        coming: bool,
    },
    /// A message.
    Message(MessageRow),
}

/// A message on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Which.
    pub id: MessageId,
    /// Who wrote it; the colour follows.
    pub author: Option<UserId>,
    /// The author's name as it is now.
    pub name: String,
    /// What it says.
    pub said: Said,
    /// When.
    pub at: Timestamp,
    /// The hour in the reader's zone.
    pub clock: String,
    /// How far the reader's own message has come; `None`: somebody else wrote it.
    pub own: Option<Delivery>,
    /// It begins a group of messages of one author: the name stands above it.
    pub first: bool,
    /// It ends such a group: the avatar stands beside it.
    pub last: bool,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// This.
    Text {
        /// The text.
        text: String,
        /// It was changed after it was sent.
        edited: bool,
    },
    /// Nothing any more: it was deleted.
    Deleted,
}

/// The messages that have come at the end since the group was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arrived {
    /// Messages of the reader, from any device.
    pub own: u64,
    /// Messages of others.
    pub others: u64,
    /// The last few of those.
    pub newest: Vec<Announced>,
}

/// Somebody else's message, as it is announced.
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
    /// Who, as text: the key.
    pub id: String,
    /// Who; the colour follows.
    pub user: Whole<UserId>,
    /// The name.
    pub name: String,
    /// What they may do.
    pub role: Whole<Role>,
    /// Whether they are here now.
    pub online: bool,
    /// The reader.
    pub you: bool,
}

/// How much of the open group's log is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Continuity {
    /// The number of the message up to which nothing is missing, which is its seq and the same for everybody; `None`
    /// before the first message.
    pub up_to: Option<Seq>,
    /// What is known of the time after it.
    pub since: Since,
}

/// What is known of the time after the last complete message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Nothing: the page was only painted yet, or the link is down or catching up.
    Unknown,
    /// Nothing has happened that is not here, and what happens arrives.
    Whole,
    /// Something has happened that is known to be missing.
    Missing,
}

/// The open group.
#[expect(clippy::struct_excessive_bools, reason = "each is shown by its own part of the page and patched on its own")]
#[derive(Debug, Clone, PartialEq, Eq, Store, Patch)]
pub struct TimelineState {
    /// Its name.
    pub name: String,
    /// The lines that are in the document, from top to bottom: those near the window ([`super::reel::Reel`]).
    #[store(key: String = |line| line.key.clone())]
    pub lines: Vec<Line>,
    /// The day of the first of them.
    pub day: String,
    /// There is nothing to read: neither a message nor a place where one is missing.
    pub is_empty: bool,
    /// Counts the changes of what is loaded, in the document or not.
    pub revision: u64,
    /// What has come since the group was opened.
    pub arrived: Whole<Arrived>,
    /// The members, those who are here first.
    #[store(key: String = |row| row.id.clone())]
    pub members: Vec<MemberRow>,
    /// The names of those who are writing.
    pub typing: Whole<Vec<String>>,
    /// How much of the log is here.
    pub continuity: Whole<Continuity>,
    /// The reader went too fast: seconds until the next message goes out by itself.
    pub wait: Whole<Option<u64>>,
    /// What is known of messages before those on the screen.
    pub older: Whole<Older>,
    /// There are newer messages than those on the screen: the reader went so far back that the newest were let go.
    pub has_newer: bool,
    /// The reader may bring in others.
    pub may_invite: bool,
    /// The group is no longer the reader's.
    pub removed: bool,
}

/// A group in the list.
#[derive(Debug, Clone, PartialEq, Eq, Store, Patch)]
pub struct GroupRow {
    /// Which, as text: the key and the address.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The last message in one line.
    pub preview: String,
    /// When that was written, if there is one.
    pub at: Whole<Option<Timestamp>>,
    /// What the list is ordered by: that, or the reader's entry.
    pub active_at: Whole<Timestamp>,
    /// Messages of others that the reader has not seen.
    pub unread: u64,
    /// The names of those who are writing; they take the place of the preview.
    pub typing: Whole<Vec<String>>,
}

impl GroupRow {
    /// The group's id.
    #[must_use]
    pub fn group(&self) -> Option<GroupId> {
        self.id.parse().ok()
    }
}

/// The link to the server in the terms of the screen (UX "Connection").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkView {
    /// Nothing to say yet: the page has not been taken over, or the first attempt is under a second old.
    #[default]
    Quiet,
    /// The first connection takes its time.
    Connecting,
    /// Connected, everything is here.
    Online,
    /// Connected, what was missed is on its way.
    CatchingUp,
    /// Connected again, for a short while.
    Restored,
    /// The device has no network.
    NoInternet,
    /// The link was lost; seconds until the next attempt, `None` while one runs.
    Reconnecting(Option<u64>),
    /// It has been lost for more than a minute; the same seconds.
    Unreachable(Option<u64>),
    /// The session has ended; only signing in helps.
    Ended,
    /// Closed for good for another reason.
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
    /// The reader's groups by last activity.
    #[store(key: String = |row| row.id.clone())]
    pub groups: Vec<GroupRow>,
    /// The link to the server.
    pub link: Whole<LinkView>,
}
