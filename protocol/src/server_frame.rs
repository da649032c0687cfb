//! The frames that a server sends.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::message::Carried;
use crate::rest::{Group, User};
use crate::{ConnectionId, Epoch, Event, FrameRef, GroupId, Message, Seq, Timestamp, UserId, WireError, limits};

/// A frame that a server sends. Clients ignore types that they do not know.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerFrame {
    /// The first frame of every socket.
    Hello(Hello),
    /// The socket now follows a group.
    Joined(Joined),
    /// The socket no longer follows a group.
    Left(Left),
    /// A durable change.
    Event(Event),
    /// The message of this sender is stored.
    MessageSent(MessageSent),
    /// A change that carried a `ref` is committed.
    Done(Done),
    /// A member is typing.
    UserTyping(Typing),
    /// A member stopped typing.
    UserStopTyping(Typing),
    /// A member came online or went offline.
    Presence(Presence),
    /// A member has read.
    Read(Read),
    /// A replay is complete.
    CaughtUp(CaughtUp),
    /// A replay is not possible.
    Resync(Resync),
    /// The server is alive, with the head of each followed group.
    Heartbeat(Heartbeat),
    /// The token expires soon.
    AuthExpiring(AuthExpiring),
    /// The server will close this socket in order to restart.
    GoingAway(GoingAway),
    /// The user entered a group, on any device, or got another role in it.
    GroupAdded(GroupAdded),
    /// The user is no longer in a group.
    GroupRemoved(GroupRemoved),
    /// The user's name changed, or what the user shares.
    AccountChanged(AccountChanged),
    /// A client frame could not be carried out.
    Error(WireError),
}

impl ServerFrame {
    /// The values of `type` of all frames that are no events.
    pub const KINDS: [&str; 18] = [
        "hello",
        "joined",
        "left",
        "message_sent",
        "done",
        "user_typing",
        "user_stop_typing",
        "presence",
        "read",
        "caught_up",
        "resync",
        "heartbeat",
        "auth_expiring",
        "going_away",
        "group_added",
        "group_removed",
        "account_changed",
        "error",
    ];

    /// The value of `type`.
    #[must_use]
    pub fn kind(&self) -> &str {
        if let Self::Event(event) = self { event.kind() } else { self.family() }
    }

    /// The value of `type`, with one value for all events together.
    #[must_use]
    pub const fn family(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Joined(_) => "joined",
            Self::Left(_) => "left",
            Self::Event(_) => "event",
            Self::MessageSent(_) => "message_sent",
            Self::Done(_) => "done",
            Self::UserTyping(_) => "user_typing",
            Self::UserStopTyping(_) => "user_stop_typing",
            Self::Presence(_) => "presence",
            Self::Read(_) => "read",
            Self::CaughtUp(_) => "caught_up",
            Self::Resync(_) => "resync",
            Self::Heartbeat(_) => "heartbeat",
            Self::AuthExpiring(_) => "auth_expiring",
            Self::GoingAway(_) => "going_away",
            Self::GroupAdded(_) => "group_added",
            Self::GroupRemoved(_) => "group_removed",
            Self::AccountChanged(_) => "account_changed",
            Self::Error(_) => "error",
        }
    }
}

/// Server → client, the first frame of every socket. The client takes its limits and periods from this frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol spoken, [`limits::SUBPROTOCOL`].
    pub protocol: String,
    /// This socket's id, for support and for logs.
    pub connection_id: ConnectionId,
    /// The user that the server has authenticated.
    pub user_id: UserId,
    /// The server's clock, for people to read only.
    pub server_time: Timestamp,
    /// Period of `heartbeat` in milliseconds. A client that hears nothing for [`Limits::silence_ms`] reconnects.
    pub heartbeat_ms: u64,
    /// What the server enforces.
    pub limits: Limits,
    /// The server's build. A client of another build may offer to reload itself.
    pub build: String,
}

/// The limits that a client needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Characters of a message after normalisation.
    pub message_characters: usize,
    /// Bytes of one client frame.
    pub frame_bytes: usize,
    /// How often `typing` is repeated, in milliseconds.
    pub typing_repeat_ms: u64,
    /// When a typing state ends without a repetition, in milliseconds.
    pub typing_expiry_ms: u64,
    /// The silence after which either side counts the other as gone, in milliseconds.
    pub silence_ms: u64,
    /// Events that a resume replays. If more were missed, the server sends `resync`.
    pub resume_depth: u64,
    /// Groups that one socket may follow.
    pub subscriptions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_characters: limits::MESSAGE_CHARACTERS,
            frame_bytes: limits::FRAME_BYTES,
            typing_repeat_ms: limits::TYPING_REPEAT_MS,
            typing_expiry_ms: limits::TYPING_EXPIRY_MS,
            silence_ms: limits::SILENCE_MS,
            resume_depth: limits::RESUME_DEPTH,
            subscriptions: limits::SUBSCRIPTIONS,
        }
    }
}

/// Server → client, the answer to `subscribe` and `sync`. From this frame on the group's events arrive in seq order,
/// without a gap and without repetition. The receiver drops the events that it held back in an earlier stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The group.
    pub group_id: GroupId,
    /// The history in which `head` counts.
    pub epoch: Epoch,
    /// The last event when the frame was made.
    pub head: Seq,
    /// The users who are online in the group.
    pub roster: Vec<UserId>,
    /// How far each member has read, of those who share it.
    pub reads: BTreeMap<UserId, Seq>,
    /// The members who do not share how far they have read; left out where there are none. The receiver counts them neither
    /// as having read a message nor as not having read it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub hidden_reads: BTreeSet<UserId>,
}

/// Server → client: no more frames about that group come on this socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The group.
    pub group_id: GroupId,
    /// Why.
    pub reason: LeftReason,
}

/// Why a socket no longer follows a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftReason {
    /// The client asked for it.
    Asked,
    /// The user is no longer a member.
    Removed,
    /// The group was deleted.
    GroupDeleted,
}

/// Server → the connection that sent the message, after the commit. The receiver marks its pending message as sent; the
/// message itself also arrives as an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Carried")]
pub struct MessageSent {
    /// The message as stored.
    #[serde(flatten)]
    pub message: Message,
    /// The id was stored before; this is the stored row.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
}

impl From<Carried> for MessageSent {
    fn from(carried: Carried) -> Self {
        Self { duplicate: carried.duplicate, message: carried.into() }
    }
}

/// Server → the connection that asked for a change with a `ref`, after the commit. The server also sends it if nothing
/// had to change, so that a client may repeat a change until it has an answer. The event itself may come before it or
/// after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The `ref` of the frame that asked.
    #[serde(rename = "ref")]
    pub reference: FrameRef,
    /// The group.
    pub group_id: GroupId,
    /// The position of the change in the group's log; if nothing had to change, the group's head.
    pub seq: Seq,
}

/// Server → the other members. Ephemeral: no seq, and it ends by itself after [`Limits::typing_expiry_ms`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typing {
    /// The user.
    pub user_id: UserId,
    /// The group.
    pub group_id: GroupId,
}

/// Server → the group. Ephemeral; `joined` has the complete state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The group.
    pub group_id: GroupId,
    /// The user.
    pub user_id: UserId,
    /// Whether they have an open socket in the group.
    pub online: bool,
}

/// Server → the group. Ephemeral; `joined` has the complete state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// The group.
    pub group_id: GroupId,
    /// The user.
    pub user_id: UserId,
    /// How far the user has read. The receiver keeps the larger seq.
    pub seq: Seq,
    /// The user no longer shares it; `seq` is 0. The next `read` of this user without it says that the user does again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// Server → client: every event up to here was sent; the next ones are live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaughtUp {
    /// The group.
    pub group_id: GroupId,
    /// The history.
    pub epoch: Epoch,
    /// The last event that was sent.
    pub seq: Seq,
}

/// Server → client: the server can't continue from the cursor. The receiver drops its part of the group's log, loads
/// the last page again and continues from `head`; from there this socket is live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resync {
    /// The group.
    pub group_id: GroupId,
    /// The current history.
    pub epoch: Epoch,
    /// Its last event.
    pub head: Seq,
    /// Why.
    pub reason: ResyncReason,
}

/// Why the server can't continue from a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResyncReason {
    /// The cursor is from another history.
    UnknownEpoch,
    /// The cursor is above the head: the history was cut.
    AboveHead,
    /// More events were missed than the server replays.
    TooDeep,
}

/// Server → client, every `heartbeat_ms`. Needs no answer. A head above the client's cursor means that events were
/// lost, and the client sends `sync`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The server's clock.
    pub t: Timestamp,
    /// The head of each followed group.
    pub heads: BTreeMap<GroupId, Seq>,
}

/// Server → client, 60 s before the token ends. The client sends `auth` with a fresh token, or the server closes the
/// socket with 4001.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthExpiring {
    /// When the token ends.
    pub expires_at: Timestamp,
}

/// Server → client, before a planned close. The client reconnects after that time, with jitter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoingAway {
    /// When to come back, in milliseconds.
    pub retry_after_ms: u64,
}

/// Server → every socket of a user who entered a group, made one, or got another role in one, also if the socket does
/// not follow that group. The group is as the user sees it now. The receiver adds it to its list, or replaces the entry
/// that it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupAdded {
    /// The group.
    pub group: Box<Group>,
}

/// Server → every socket of a user who is no longer in a group: the user left or was removed, or the group was deleted.
/// A socket that followed the group also gets `left`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRemoved {
    /// The group.
    pub group_id: GroupId,
}

/// Server → every socket of a user whose name changed, or who shares something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountChanged {
    /// The user's current state, without the e-mail: the name, and what the user shares.
    pub user: User,
}
