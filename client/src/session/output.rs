//! What a session wants to be done, and what it says has changed.

use std::collections::VecDeque;

use caravana_protocol::{ClientFrame, ErrorCode, GroupId, LeftReason, MessageId, codec};

use super::Secret;
use crate::{HistoryPage, IntentId, RowKey, SavedIntent, SocketId};

/// The number of one question for history. Answers to others than the last are stale and mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// What a session wants to be done. [`crate::Driver`] does all of it but [`Output::Changed`], which it hands on.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Open a socket to `GET /ws`. Answer with [`super::Input::Opened`] or [`super::Input::Closed`].
    Open {
        /// Its number in all that is said about it.
        socket: SocketId,
    },
    /// Close a socket, and say nothing about it any more.
    Close {
        /// Which.
        socket: SocketId,
    },
    /// Say a text frame.
    Transmit {
        /// Over which socket.
        socket: SocketId,
        /// The frame.
        text: Secret,
    },
    /// Ask `GET /api/v1/session`. Answer with [`super::Input::SessionChecked`].
    CheckSession,
    /// The token ends soon: get a fresh one, and answer with [`super::Input::Token`]. Where a cookie says who the user
    /// is, there is none and no answer is needed.
    RefreshToken,
    /// Ask `GET /api/v1/groups/{id}/messages`. Answer with [`super::Input::HistoryLoaded`].
    LoadHistory {
        /// The number of the question.
        request: RequestId,
        /// Of which group.
        group: GroupId,
        /// Which page.
        page: HistoryPage,
        /// How many messages.
        limit: usize,
    },
    /// Keep this over reloads, in place of what is kept under its id.
    Save(SavedIntent),
    /// Keep it no longer.
    Forget(IntentId),
    /// Something on the screen is different now.
    Changed(Change),
}

/// What is different now. Each names the smallest part that has to be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// [`super::Session::link`].
    Link,
    /// The server runs another build than before, or this is the first.
    Build(String),
    /// Rows of [`super::Group::timeline`].
    Timeline {
        /// Of which group.
        group: GroupId,
        /// Which rows.
        what: TimelineChange,
    },
    /// [`super::Group::is_filling`], [`super::Group::is_missing_some`], [`super::Group::is_whole`],
    /// [`super::Group::older`] or [`crate::Timeline::has_more_after`].
    Progress {
        /// Of which group.
        group: GroupId,
    },
    /// A page of history that the person asked for did not come.
    HistoryFailed {
        /// Of which group.
        group: GroupId,
        /// Which page.
        page: HistoryPage,
    },
    /// Who is online, in [`super::Group::roster`].
    Roster {
        /// Of which group.
        group: GroupId,
    },
    /// Who is typing, in [`super::Group::roster`].
    Typing {
        /// Of which group.
        group: GroupId,
    },
    /// How far members have read, in [`super::Group::roster`], or the user itself.
    Reads {
        /// Of which group.
        group: GroupId,
    },
    /// The members of the group or its properties changed, beyond the row that says so: read them afresh by REST.
    Members {
        /// Of which group.
        group: GroupId,
    },
    /// [`super::Group::outbox`].
    Outbox {
        /// Of which group.
        group: GroupId,
    },
    /// A message was stored: the row with its key is now one of the timeline.
    Sent {
        /// In which group.
        group: GroupId,
        /// Which.
        id: MessageId,
    },
    /// A message, or a change of one, was refused; it stays in the outbox until the person decides.
    SendFailed {
        /// In which group.
        group: GroupId,
        /// Which.
        id: MessageId,
        /// Why, if the server gave a known reason.
        code: Option<ErrorCode>,
    },
    /// A message, or a change of one, was not even taken. The screen keeps the text.
    Refused {
        /// In which group.
        group: GroupId,
        /// Which message.
        id: MessageId,
        /// Why.
        reason: RefusedReason,
    },
    /// The storage could not keep a message, or a change of one: it will be said, but not after a reload.
    NotSaved {
        /// In which group.
        group: GroupId,
        /// Which.
        id: MessageId,
    },
    /// The group is followed no longer and nothing more of it will come.
    GroupLeft {
        /// Which.
        group: GroupId,
        /// Why; `None` when the server said that there is no such group (any more) for this user.
        reason: Option<LeftReason>,
    },
    /// The user is in this group, on whatever device they entered it, or has another role there. Follow it, or go on
    /// following it.
    GroupAdded(Box<caravana_protocol::rest::Group>),
    /// The user has another name.
    Account(caravana_protocol::rest::User),
    /// The server complained about something that belongs to no message and no group.
    Notice {
        /// About what, if it is known here.
        code: Option<ErrorCode>,
    },
}

/// Why something was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedReason {
    /// As many messages wait as may ([`crate::OUTBOX_MESSAGES`]).
    #[error("the outbox is full")]
    OutboxFull,
    /// The group was not opened, or was left.
    #[error("the group is not open")]
    NoGroup,
    /// A message of this id is there already.
    #[error("a message of this id is there already")]
    IdTaken,
    /// The message is to be deleted; nothing more can be wanted of it.
    #[error("the message is to be deleted")]
    Deleted,
}

/// Which rows of a timeline are different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimelineChange {
    /// These are new, each at its own place: read the order afresh.
    Inserted(Vec<RowKey>),
    /// These show something else, in their old place.
    Updated(Vec<RowKey>),
    /// These are no longer loaded.
    Removed(Vec<RowKey>),
    /// All of them.
    Reset,
}

/// The outputs that nobody has taken yet. A handled input adds as many as it has consequences; the driver takes them all
/// before the next one.
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
