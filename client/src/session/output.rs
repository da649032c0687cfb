//! What a session wants to be done, and what it reports as changed.

use std::collections::VecDeque;

use caravana_protocol::{ClientFrame, ErrorCode, GroupId, LeftReason, MessageId, codec};

use super::secret::Secret;
use crate::{HistoryPage, IntentId, RowKey, SavedIntent, SocketId};

/// The number of one history request. The session ignores an answer to any request but the group's last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// What a session wants to be done. [`crate::Driver`] does all of it except [`Output::Changed`], which it passes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Open a socket to `GET /ws`. Answer with [`super::Input::Opened`] or [`super::Input::Closed`].
    Open {
        /// Its number in all later inputs and outputs.
        socket: SocketId,
    },
    /// Close a socket, and send no more inputs about it.
    Close {
        /// The socket.
        socket: SocketId,
    },
    /// Send a text frame.
    Transmit {
        /// The socket.
        socket: SocketId,
        /// The frame.
        text: Secret,
    },
    /// Ask `GET /api/v1/session`. Answer with [`super::Input::SessionChecked`].
    CheckSession,
    /// The token ends soon: get a fresh one, and answer with [`super::Input::Token`]. Where a cookie says who the user
    /// is, there is no token, and no answer is needed.
    RefreshToken,
    /// Ask `GET /api/v1/groups/{id}/messages`. Answer with [`super::Input::HistoryLoaded`].
    LoadHistory {
        /// The number of the request.
        request: RequestId,
        /// The group.
        group: GroupId,
        /// The page.
        page: HistoryPage,
        /// How many messages at most.
        limit: usize,
    },
    /// Save this intent over reloads. It replaces the one that is saved under its id.
    Save(SavedIntent),
    /// Remove this intent from the storage.
    Forget(IntentId),
    /// Something on the screen is different now.
    Changed(Change),
}

/// What has changed. Each variant names the smallest part that the screen has to read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// [`super::Session::link`].
    Link,
    /// The server's build, when it is first known and when it has changed.
    Build(String),
    /// Rows of [`super::Group::timeline`].
    Timeline {
        /// The group.
        group: GroupId,
        /// Which rows.
        what: TimelineChange,
    },
    /// [`super::Group::is_filling`], [`super::Group::is_missing_some`], [`super::Group::is_whole`],
    /// [`super::Group::older`] or [`crate::Timeline::has_more_after`].
    Progress {
        /// The group.
        group: GroupId,
    },
    /// A page of history that the person asked for did not come.
    HistoryFailed {
        /// The group.
        group: GroupId,
        /// The page.
        page: HistoryPage,
    },
    /// Who is online, in [`super::Group::roster`].
    Roster {
        /// The group.
        group: GroupId,
    },
    /// Who is typing, in [`super::Group::roster`].
    Typing {
        /// The group.
        group: GroupId,
    },
    /// How far members have read, in [`super::Group::roster`], or the user, in [`super::Group::last_read`].
    Reads {
        /// The group.
        group: GroupId,
    },
    /// The group's members or properties changed. A row shows that; load the new state by REST.
    Members {
        /// The group.
        group: GroupId,
    },
    /// A message was pinned, or has no pin any more. Load the pinned messages by REST.
    Pins {
        /// The group.
        group: GroupId,
    },
    /// [`super::Group::outbox`].
    Outbox {
        /// The group.
        group: GroupId,
    },
    /// A message was stored: its line, with the same key, is now a row of the timeline.
    Sent {
        /// The group.
        group: GroupId,
        /// The message.
        id: MessageId,
    },
    /// A message, or a change of one, was refused; it stays in the outbox until the person decides.
    SendFailed {
        /// The group.
        group: GroupId,
        /// The message.
        id: MessageId,
        /// Why, if the server gave a known reason.
        code: Option<ErrorCode>,
    },
    /// The session did not take a message, or a change of one. The screen keeps the text.
    Refused {
        /// The group.
        group: GroupId,
        /// The message.
        id: MessageId,
        /// Why.
        reason: RefusedReason,
    },
    /// The storage could not save a message, or a change of one. It is sent all the same, but a reload loses it.
    NotSaved {
        /// The group.
        group: GroupId,
        /// The message.
        id: MessageId,
    },
    /// The group is no longer followed, and no more of its events will come.
    GroupLeft {
        /// The group.
        group: GroupId,
        /// Why; `None` when the server said that there is no such group (any more) for this user.
        reason: Option<LeftReason>,
    },
    /// The user entered this group, on any device, or got another role in it. Follow it, or go on following it.
    GroupAdded(Box<caravana_protocol::rest::Group>),
    /// The user's name changed.
    Account(caravana_protocol::rest::User),
    /// An error that concerns no message: the server's, or that too many groups are followed.
    Notice {
        /// The error, if this build knows its code.
        code: Option<ErrorCode>,
    },
}

/// Why an intent was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedReason {
    /// The outbox is full: [`crate::OUTBOX_MESSAGES`].
    #[error("the outbox is full")]
    OutboxFull,
    /// The group was not opened, or was left.
    #[error("the group is not open")]
    NoGroup,
    /// The id is in use.
    #[error("a message of this id is there already")]
    IdTaken,
    /// The message is to be deleted, so that no other change is possible.
    #[error("the message is to be deleted")]
    Deleted,
}

/// Which rows of a timeline are different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimelineChange {
    /// These rows are new, each at its own place: read the order again.
    Inserted(Vec<RowKey>),
    /// These rows have a new content at their old place.
    Updated(Vec<RowKey>),
    /// These rows are no longer loaded.
    Removed(Vec<RowKey>),
    /// All rows may be different.
    Reset,
}

/// The outputs that the driver has not taken yet. Each input adds all of its consequences, and the driver takes them
/// all before the next input.
#[derive(Debug, Default)]
pub(super) struct Outputs(VecDeque<Output>);

impl Outputs {
    pub(super) fn push(&mut self, output: Output) {
        self.0.push_back(output);
    }

    pub(super) fn pop(&mut self) -> Option<Output> {
        self.0.pop_front()
    }

    pub(super) fn change(&mut self, change: Change) {
        self.push(Output::Changed(change));
    }

    pub(super) fn transmit(&mut self, socket: SocketId, frame: &ClientFrame, reference: Option<&str>) {
        self.push(Output::Transmit { socket, text: Secret(codec::encode_client(frame, reference)) });
    }
}
