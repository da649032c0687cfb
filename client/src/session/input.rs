//! What a session is told.

use caravana_protocol::rest::MessagesAnswer;
use caravana_protocol::{CloseReason, Content, Cursor, GroupId, MessageBody, MessageId, Seq, Timestamp};

use super::RequestId;
use crate::{HistoryPage, IntentId, SavedIntent, SessionCheck, SocketId};

/// A text that no log may show: a frame, a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

/// Why a page of history did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// 404: no such group, or no longer a member.
    #[error("no such group, or not a member")]
    NotFound,
    /// 401: nobody is signed in any more.
    #[error("nobody is signed in")]
    SignedOut,
    /// No answer, or one that may be better next time.
    #[error("the history can't be loaded now")]
    Unavailable,
}

/// What a session is told: by the person, by the page, by the network.
#[derive(Debug, Clone)]
pub enum Input {
    /// The page wants a link, or somebody has signed in again.
    Start,
    /// The page wants none any more. Queued messages stay.
    Stop,
    /// The device has a network again.
    NetworkUp,
    /// The device has none.
    NetworkDown,
    /// The tab is in front again.
    PageVisible,
    /// The person asks for an attempt now.
    RetryNow,

    /// A socket that [`super::Output::Open`] asked for is open.
    Opened {
        /// Which.
        socket: SocketId,
    },
    /// A text frame came.
    Text {
        /// Over which socket.
        socket: SocketId,
        /// The frame.
        text: Secret,
    },
    /// A socket is closed, or could not be opened ([`CloseReason::Abnormal`]).
    Closed {
        /// Which.
        socket: SocketId,
        /// Why.
        reason: CloseReason,
    },
    /// The answer to [`super::Output::CheckSession`].
    SessionChecked(SessionCheck),
    /// The answer to [`super::Output::LoadHistory`].
    HistoryLoaded {
        /// To which question.
        request: RequestId,
        /// The page, or why there is none.
        result: Result<MessagesAnswer, HistoryError>,
    },
    /// The answer to [`super::Output::RefreshToken`], if there is a token.
    Token(Secret),
    /// The storage could not keep something.
    NotSaved {
        /// Which.
        id: IntentId,
    },
    /// Other pages of this device keep these in the storage for a while already: they may be gone or asleep. Those of
    /// this user that are not known here are sent from here, too.
    Adopt(Vec<SavedIntent>),
    /// Another page of this device keeps this no longer: it was done, or the person gave it up there.
    Forgotten {
        /// Which.
        id: IntentId,
    },

    /// A group is shown: follow it, with its newest messages.
    OpenGroup {
        /// Which.
        group: GroupId,
        /// The newest page if the screen has it already, from the server's first paint.
        page: Option<MessagesAnswer>,
        /// How far the user has read, if that is known.
        last_read: Option<Seq>,
    },
    /// A group stands in a list: follow it from its head on, without its history.
    FollowGroup {
        /// Which.
        group: GroupId,
        /// Its epoch and head, as `GET /groups` tells them.
        cursor: Cursor,
        /// How far the user has read, if that is known.
        last_read: Option<Seq>,
    },
    /// A group is neither shown nor listed any more. Its queued messages are still sent.
    CloseGroup {
        /// Which.
        group: GroupId,
    },
    /// Load a page of history: [`crate::Timeline::older_page`], [`crate::Timeline::newer_page`], around a message, or
    /// the newest. An older page that is on its way, or is no longer the one before the oldest row, is not asked for.
    Load {
        /// Of which group.
        group: GroupId,
        /// Which.
        page: HistoryPage,
    },

    /// The person sends a message.
    Send {
        /// Where to.
        group: GroupId,
        /// A fresh id, UUIDv7: the session has neither clock nor randomness to mint one.
        id: MessageId,
        /// What it says.
        content: Content<MessageBody>,
        /// The time of day, for people to read while the message is pending.
        at: Timestamp,
    },
    /// The person wants something refused tried again.
    Retry {
        /// Of which group.
        group: GroupId,
        /// Which; a message that is to be sent has its own id.
        id: IntentId,
    },
    /// The person gives up something that waits, and with an unsent message what was wanted of it. What is under way can't
    /// be called back and stays.
    Discard {
        /// Of which group.
        group: GroupId,
        /// Which.
        id: IntentId,
    },
    /// The person changes the text of an own message, which may still wait itself. The last text counts.
    Edit {
        /// Of which group.
        group: GroupId,
        /// A fresh id.
        intent: IntentId,
        /// Which message.
        id: MessageId,
        /// The new text.
        body: MessageBody,
        /// The time of day.
        at: Timestamp,
    },
    /// The person deletes a message.
    Delete {
        /// Of which group.
        group: GroupId,
        /// A fresh id.
        intent: IntentId,
        /// Which message.
        id: MessageId,
        /// The time of day.
        at: Timestamp,
    },
    /// The person typed something.
    Typed {
        /// Where.
        group: GroupId,
    },
    /// The person emptied the composer or left it.
    StoppedTyping {
        /// Where.
        group: GroupId,
    },
    /// The person has seen everything up to `seq`.
    MarkRead {
        /// Where.
        group: GroupId,
        /// The last seen event.
        seq: Seq,
    },

    /// The time that [`super::Session::poll_timeout`] named has come.
    Tick,
}
