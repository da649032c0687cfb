//! The inputs of a session.

use caravana_protocol::rest::MessagesAnswer;
use caravana_protocol::{CloseReason, Content, Cursor, Emoji, GroupId, MessageBody, MessageId, Seq, Timestamp, UserId};

use super::output::RequestId;
use super::secret::Secret;
use crate::{HistoryPage, IntentId, SavedIntent, SessionCheck, SocketId};

/// Why a page of history did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// 404: no such group, or no longer a member.
    #[error("no such group, or not a member")]
    NotFound,
    /// 401: the user is no longer signed in.
    #[error("nobody is signed in")]
    SignedOut,
    /// No answer, or an error that may be gone next time.
    #[error("the history can't be loaded now")]
    Unavailable,
}

/// What a session is told: by the person, by the page or by the network.
#[derive(Debug, Clone)]
pub enum Input {
    /// The page wants a link, or the user has signed in again.
    Start,
    /// The page no longer wants a link. Queued messages stay.
    Stop,
    /// The device has a network again.
    NetworkUp,
    /// The device has lost its network.
    NetworkDown,
    /// The tab is in front again.
    PageVisible,
    /// The person asks to connect now.
    RetryNow,

    /// A socket that [`super::Output::Open`] asked for is open.
    Opened {
        /// The socket.
        socket: SocketId,
    },
    /// A text frame came.
    Text {
        /// The socket.
        socket: SocketId,
        /// The frame.
        text: Secret,
    },
    /// A socket is closed, or could not be opened ([`CloseReason::Abnormal`]).
    Closed {
        /// The socket.
        socket: SocketId,
        /// Why.
        reason: CloseReason,
    },
    /// The answer to [`super::Output::CheckSession`].
    SessionChecked(SessionCheck),
    /// The answer to [`super::Output::LoadHistory`].
    HistoryLoaded {
        /// The number of the request.
        request: RequestId,
        /// The page, or why there is none.
        result: Result<MessagesAnswer, HistoryError>,
    },
    /// The answer to [`super::Output::RefreshToken`], if there is a token.
    Token(Secret),
    /// The storage could not save an intent.
    NotSaved {
        /// The intent.
        id: IntentId,
    },
    /// Intents that other pages of this device saved a while ago and did not send; those pages may be closed or asleep.
    /// The session adds those of its own user that it does not know, and sends them too.
    Adopt(Vec<SavedIntent>),
    /// Another page of this device removed this intent from the storage: it was done, or the person discarded it there.
    Forgotten {
        /// The intent.
        id: IntentId,
    },

    /// A group is shown: follow it, with its newest messages.
    OpenGroup {
        /// The group.
        group: GroupId,
        /// The newest page, if the screen has loaded it. It is taken if it fits what the session has.
        page: Option<MessagesAnswer>,
        /// How far the user has read, if that is known.
        last_read: Option<Seq>,
    },
    /// A group is listed: follow it from its head, without its history.
    FollowGroup {
        /// The group.
        group: GroupId,
        /// Its epoch and head, as `GET /groups` tells them.
        cursor: Cursor,
        /// How far the user has read, if that is known.
        last_read: Option<Seq>,
    },
    /// A group is neither shown nor listed any more. Its queued messages are still sent.
    CloseGroup {
        /// The group.
        group: GroupId,
    },
    /// Load a page of history: [`crate::Timeline::older_page`], [`crate::Timeline::newer_page`], around a message, or
    /// the newest. An older page is not requested if it is requested already, or if it is no longer the one before the
    /// oldest row.
    Load {
        /// The group.
        group: GroupId,
        /// The page.
        page: HistoryPage,
    },

    /// The person sends a message.
    Send {
        /// The group.
        group: GroupId,
        /// A fresh id, UUIDv7. The session can't make one, because it has neither clock nor randomness.
        id: MessageId,
        /// The message's content.
        content: Content<MessageBody>,
        /// The time of day, for people to read while the message is pending.
        at: Timestamp,
    },
    /// The person wants to retry something that was refused.
    Retry {
        /// The group.
        group: GroupId,
        /// The intent; the one that sends a message has the message's id.
        id: IntentId,
    },
    /// The person discards something that waits. With an unsent message its changes are discarded too. An intent that
    /// is under way can't be called back and stays.
    Discard {
        /// The group.
        group: GroupId,
        /// The intent.
        id: IntentId,
    },
    /// The person changes the text of their own message, which may itself be unsent. The last text counts.
    Edit {
        /// The group.
        group: GroupId,
        /// A fresh id.
        intent: IntentId,
        /// The message.
        id: MessageId,
        /// The new text.
        body: MessageBody,
        /// The members whom the new text mentions; `None` leaves the mentions as they are.
        mentions: Option<Vec<UserId>>,
        /// The time of day.
        at: Timestamp,
    },
    /// The person deletes a message.
    Delete {
        /// The group.
        group: GroupId,
        /// A fresh id.
        intent: IntentId,
        /// The message.
        id: MessageId,
        /// The time of day.
        at: Timestamp,
    },
    /// The person reacts to a message, or takes the reaction back.
    React {
        /// The group.
        group: GroupId,
        /// A fresh id.
        intent: IntentId,
        /// The message.
        id: MessageId,
        /// With which emoji.
        emoji: Emoji,
        /// `false`: take it back.
        on: bool,
        /// The time of day.
        at: Timestamp,
    },
    /// The person pins a message, or takes its pin off.
    Pin {
        /// The group.
        group: GroupId,
        /// A fresh id.
        intent: IntentId,
        /// The message.
        id: MessageId,
        /// `false`: take it off.
        on: bool,
        /// The time of day.
        at: Timestamp,
    },
    /// The person typed something.
    Typed {
        /// The group.
        group: GroupId,
    },
    /// The person emptied the composer or left it.
    StoppedTyping {
        /// The group.
        group: GroupId,
    },
    /// The person has seen everything up to `seq`.
    MarkRead {
        /// The group.
        group: GroupId,
        /// The last seen event.
        seq: Seq,
    },

    /// The time that [`super::Session::poll_timeout`] named has passed.
    Tick,
}
