//! What the server says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::message::Carried;
use crate::rest::{Group, User};
use crate::{ConnectionId, Epoch, Event, FrameRef, GroupId, Message, Seq, Timestamp, UserId, WireError, limits};

/// What the server says. Clients ignore types that they do not know.
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
    /// The sender's own acknowledgement.
    MessageSent(MessageSent),
    /// A change that carried a `ref` is committed.
    Done(Done),
    /// Somebody writes.
    UserTyping(Typing),
    /// Somebody no longer writes.
    UserStopTyping(Typing),
    /// Somebody came or went.
    Presence(Presence),
    /// Somebody read.
    Read(Read),
    /// A replay is complete.
    CaughtUp(CaughtUp),
    /// A replay is not possible.
    Resync(Resync),
    /// The server lives, and here is how far each group is.
    Heartbeat(Heartbeat),
    /// The token ends soon.
    AuthExpiring(AuthExpiring),
    /// The server will close this socket in order to restart.
    GoingAway(GoingAway),
    /// The user is in a group, on whatever device they entered it.
    GroupAdded(GroupAdded),
    /// The user is in a group no longer.
    GroupRemoved(GroupRemoved),
    /// The user has another name.
    AccountChanged(AccountChanged),
    /// A client frame could not be carried out.
    Error(WireError),
}

impl ServerFrame {
    /// The words in `type` of frames that are no events.
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

    /// The word in `type`.
    #[must_use]
    pub fn kind(&self) -> &str {
        if let Self::Event(event) = self { event.kind() } else { self.family() }
    }

    /// The word in `type`, and one for all events together.
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

/// Server → client, first frame of every socket. The client takes its limits and periods from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol spoken, [`limits::SUBPROTOCOL`].
    pub protocol: String,
    /// This socket's id, for support and logs.
    pub connection_id: ConnectionId,
    /// Who the server takes the client for.
    pub user_id: UserId,
    /// The server's clock, for people only.
    pub server_time: Timestamp,
    /// Period of `heartbeat` in milliseconds. A client that hears nothing for [`Limits::silence_ms`] reconnects.
    pub heartbeat_ms: u64,
    /// What the server enforces.
    pub limits: Limits,
    /// The server's build. A client of another build may offer to reload itself.
    pub build: String,
}

/// The limits that concern a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Characters of a message after normalisation.
    pub message_characters: usize,
    /// Bytes of one client frame.
    pub frame_bytes: usize,
    /// How often `typing` is repeated, in milliseconds.
    pub typing_repeat_ms: u64,
    /// When a typing state ends without repetition, in milliseconds.
    pub typing_expiry_ms: u64,
    /// Silence after which either side gives the other up, in milliseconds.
    pub silence_ms: u64,
    /// Events that a resume replays; beyond it comes `resync`.
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

/// Server → client, answer to `subscribe` and `sync`. From here on the group's events arrive in seq order with no hole
/// and no repeat; the receiver forgets what it held back of an earlier stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The group.
    pub group_id: GroupId,
    /// The history that `head` counts in.
    pub epoch: Epoch,
    /// The last event at this moment.
    pub head: Seq,
    /// The users who are online in the group.
    pub roster: Vec<UserId>,
    /// How far each member has read.
    pub reads: BTreeMap<UserId, Seq>,
}

/// Server → client: nothing more of that group comes on this socket.
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
    /// The group is gone.
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
    /// The id was stored already; this is the stored row.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
}

impl From<Carried> for MessageSent {
    fn from(carried: Carried) -> Self {
        Self { duplicate: carried.duplicate, message: carried.into() }
    }
}

/// Server → the connection that asked for a change and gave it a `ref`, after the commit. Also where nothing had to change, so
/// that a client may repeat a change until it has an answer. The event itself may come before it or after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The frame's own `ref`.
    #[serde(rename = "ref")]
    pub reference: FrameRef,
    /// The group.
    pub group_id: GroupId,
    /// The position of the change in the group's log; where nothing had to change, the group's head.
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

/// Server → the group. Ephemeral; the state is sent whole in `joined`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The group.
    pub group_id: GroupId,
    /// The user.
    pub user_id: UserId,
    /// Whether they have an open socket in the group.
    pub online: bool,
}

/// Server → the group. Ephemeral; the state is sent whole in `joined`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// The group.
    pub group_id: GroupId,
    /// The user.
    pub user_id: UserId,
    /// How far. The receiver keeps the larger one.
    pub seq: Seq,
}

/// Server → client: everything up to here has been sent; what follows is live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaughtUp {
    /// The group.
    pub group_id: GroupId,
    /// The history.
    pub epoch: Epoch,
    /// The last event that was sent.
    pub seq: Seq,
}

/// Server → client: the cursor can't be continued. The receiver drops what it has of the group's log, loads the last
/// page afresh and goes on from `head`, from which this socket is live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resync {
    /// The group.
    pub group_id: GroupId,
    /// The present history.
    pub epoch: Epoch,
    /// Its last event.
    pub head: Seq,
    /// Why.
    pub reason: ResyncReason,
}

/// Why a cursor can't be continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResyncReason {
    /// The cursor is of another history.
    UnknownEpoch,
    /// The cursor is above the head: the history was cut.
    AboveHead,
    /// More was missed than is replayed.
    TooDeep,
}

/// Server → client, every `heartbeat_ms`. No answer is due; a head above the client's cursor means a lost tail, and
/// the client asks `sync`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The server's clock.
    pub t: Timestamp,
    /// How far each followed group is.
    pub heads: BTreeMap<GroupId, Seq>,
}

/// Server → client, 60 s before the token's end. The client sends `auth` with a fresh one, or is closed with 4001.
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

/// Server → every socket of a user who entered a group, made one, or has another role in one, whether the socket follows that
/// group or not. The group is as the user sees it now. The receiver puts it into its list, or in the place of what it has
/// there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupAdded {
    /// The group.
    pub group: Group,
}

/// Server → every socket of a user who is no longer in a group: they left, were removed, or it ended. On a socket that
/// followed it `left` says so, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRemoved {
    /// The group.
    pub group_id: GroupId,
}

/// Server → every socket of a user who has another name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountChanged {
    /// The user as they are now, without the e-mail.
    pub user: User,
}
