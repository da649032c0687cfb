//! What a person wants and the server has not answered.

use std::fmt;
use std::str::FromStr;

use caravana_protocol::{
    ClientFrame, Content, Emoji, ErrorCode, GroupId, IdError, Message, MessageId, Reaction, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The id of an intent. An intent that sends a message has that message's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IntentId(MessageId);

impl IntentId {
    /// A fresh id.
    #[must_use]
    pub const fn new(id: Uuid) -> Self {
        Self(MessageId::new(id))
    }

    /// The message that an intent with this id sends, if it sends one.
    pub(crate) const fn message(self) -> MessageId {
        self.0
    }
}

impl From<MessageId> for IntentId {
    fn from(id: MessageId) -> Self {
        Self(id)
    }
}

impl FromStr for IntentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What an intent wants of a message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// Store it.
    Send(Content),
    /// Replace its text.
    Edit(Edit),
    /// Delete it.
    Delete,
    /// React to it with this emoji, or take that reaction back.
    React {
        /// The emoji.
        emoji: Emoji,
        /// `false`: take it back.
        on: bool,
    },
    /// Pin it, or take its pin off.
    Pin {
        /// `false`: take it off.
        on: bool,
    },
}

/// Another text of a message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ReadEdit")]
pub struct Edit {
    /// The text.
    pub text: String,
    /// The members whom this text mentions; `None` leaves the mentions as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentions: Option<Vec<UserId>>,
}

/// An edit as it is read: earlier builds saved the text alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum ReadEdit {
    Text(String),
    Whole { text: String, mentions: Option<Vec<UserId>> },
}

impl From<ReadEdit> for Edit {
    fn from(read: ReadEdit) -> Self {
        match read {
            ReadEdit::Text(text) => Self { text, mentions: None },
            ReadEdit::Whole { text, mentions } => Self { text, mentions },
        }
    }
}

impl Edit {
    fn apply(&self, message: &mut Message, at: Timestamp) -> bool {
        let differs = !self.is_met(message);
        if message.content.body != self.text {
            self.text.clone_into(&mut message.content.body);
            message.edited_at = Some(at);
        }
        if let Some(mentions) = &self.mentions {
            message.content.mentions.clone_from(mentions);
        }
        differs
    }

    /// The server leaves out those who are not members, and then the message never mentions exactly these. So the
    /// answer to the edit ends it, and not only the log.
    fn is_met(&self, message: &Message) -> bool {
        let mentions = self.mentions.as_ref();
        message.content.body == self.text && mentions.is_none_or(|wanted| *wanted == message.content.mentions)
    }
}

impl Want {
    /// Changes a message as its user `user` wants, at this time of day. Returns whether it was different before.
    pub fn apply(&self, message: &mut Message, user: UserId, at: Timestamp) -> bool {
        if !message.status {
            return false;
        }
        match self {
            Self::Send(_) => false,
            Self::Edit(edit) => edit.apply(message, at),
            Self::Delete => {
                *message = message.clone().deleted();
                true
            }
            Self::React { emoji, on } => react(&mut message.reactions, user, emoji, *on),
            Self::Pin { on } => std::mem::replace(&mut message.pinned, *on) != *on,
        }
    }

    /// Whether a message already is as its user `user` wants it.
    #[must_use]
    pub fn is_met(&self, message: &Message, user: UserId) -> bool {
        match self {
            Self::Send(_) => message.user_id == Some(user),
            Self::Edit(edit) => message.status && edit.is_met(message),
            Self::Delete => !message.status,
            Self::React { emoji, on } => has_reacted(&message.reactions, user, emoji) == Some(*on),
            Self::Pin { on } => message.pinned == *on,
        }
    }

    /// Whether nothing of an earlier want of the same message is left once this one is done.
    #[must_use]
    pub fn replaces(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::Send(_), _) | (_, Self::Send(_)) => false,
            (Self::Delete, _) | (Self::Edit(_), Self::Edit(_)) | (Self::Pin { .. }, Self::Pin { .. }) => true,
            (Self::React { emoji, .. }, Self::React { emoji: known, .. }) => emoji == known,
            (Self::Edit(_) | Self::React { .. } | Self::Pin { .. }, _) => false,
        }
    }
}

/// Whether a user has reacted with this emoji. `None` if only the first who did are known, and the user is none of them.
fn has_reacted(reactions: &[Reaction], user: UserId, emoji: &Emoji) -> Option<bool> {
    let Some(known) = reactions.iter().find(|known| known.emoji == emoji.as_str()) else { return Some(false) };
    let is_named = known.users.contains(&user);
    (is_named || known.count <= known.users.len() as u64).then_some(is_named)
}

fn react(reactions: &mut Vec<Reaction>, user: UserId, emoji: &Emoji, on: bool) -> bool {
    if has_reacted(reactions, user, emoji) == Some(on) {
        return false;
    }
    let known = reactions.iter().position(|known| known.emoji == emoji.as_str());
    let at = known.unwrap_or_else(|| {
        reactions.push(Reaction { emoji: emoji.to_string(), count: 0, users: Vec::new() });
        reactions.len() - 1
    });
    let reaction = &mut reactions[at];
    if on {
        reaction.count += 1;
        reaction.users.push(user);
    } else {
        reaction.count = reaction.count.saturating_sub(1);
        reaction.users.retain(|known| *known != user);
    }
    if reaction.count == 0 {
        reactions.remove(at);
    }
    true
}

/// Something that a person wants and that the server has not answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its id; it never changes.
    pub id: IntentId,
    /// The message that it is about.
    pub message: MessageId,
    /// What the person wants.
    pub want: Want,
    /// When the person asked for it, for people to read.
    pub at: Timestamp,
    /// Whether it waits, is under way or was refused.
    pub state: SendState,
    /// Its place in the order of all intents of this device.
    pub(crate) order: u64,
}

/// Whether an intent waits, is under way or was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendState {
    /// Waits for its turn.
    Queued,
    /// Sent to the server, not answered yet.
    Sending,
    /// Refused. It stays until the person retries or discards it.
    Failed {
        /// Why; `None` when the server gave no reason that this build knows.
        code: Option<ErrorCode>,
        /// Whether the same may be taken later.
        retryable: bool,
    },
}

impl Intent {
    /// An intent that sends a message.
    #[must_use]
    pub fn send(message: MessageId, content: Content, at: Timestamp) -> Self {
        Self::new(message.into(), message, Want::Send(content), at)
    }

    /// An intent about a message.
    #[must_use]
    pub const fn new(id: IntentId, message: MessageId, want: Want, at: Timestamp) -> Self {
        Self { id, message, want, at, state: SendState::Queued, order: 0 }
    }

    /// Whether it sends a message, and does not change one.
    #[must_use]
    pub const fn is_send(&self) -> bool {
        matches!(self.want, Want::Send(_))
    }

    /// The message's text once the intent is done; empty if the intent is not about the text.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.want {
            Want::Send(content) => &content.body,
            Want::Edit(edit) => &edit.text,
            Want::Delete | Want::React { .. } | Want::Pin { .. } => "",
        }
    }

    /// Whether a later intent about the same message has to wait for this one.
    pub(super) fn keeps_waiting(&self, later: &Self) -> bool {
        self.is_send() || !matches!(self.state, SendState::Failed { .. }) || later.want.replaces(&self.want)
    }

    /// The frame that asks the server for it.
    pub(crate) fn frame(&self, group: GroupId) -> ClientFrame {
        let id = self.message;
        match &self.want {
            Want::Send(content) => {
                let content = content.clone();
                ClientFrame::SendMessage { content, id: Some(id), user_id: None, group_id: Some(group) }
            }
            Want::Edit(Edit { text, mentions }) => {
                ClientFrame::EditMessage { id, message: text.clone(), mentions: mentions.clone() }
            }
            Want::Delete => ClientFrame::DeleteMessage { id },
            Want::React { emoji, on } => ClientFrame::React { id, emoji: emoji.to_string(), on: *on },
            Want::Pin { on } => ClientFrame::PinMessage { id, on: *on },
        }
    }
}

impl fmt::Debug for Want {
    /// Texts never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Send(_) => "Send",
            Self::Edit(_) => "Edit",
            Self::Delete => "Delete",
            Self::React { .. } => "React",
            Self::Pin { .. } => "Pin",
        })
    }
}

impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, want, state, .. } = self;
        f.debug_struct("Intent").field("id", id).field("want", want).field("state", state).finish_non_exhaustive()
    }
}
