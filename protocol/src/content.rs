//! What a message says.

use serde::{Deserialize, Serialize};

use crate::{MessageBody, MessageId, TextError, UserId};

/// What a message says. The frame that sends it, the outbox, the store and the message itself all carry this type.
///
/// `B` is [`String`] where the text is unchecked or stored, and [`MessageBody`] where it was parsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content<B = String> {
    /// The text: `message` on the wire.
    #[serde(rename = "message")]
    pub body: B,
    /// The message that it replies to, in the same group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// The members that it mentions, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserId>,
    /// Whether it mentions all members.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mentions_everyone: bool,
}

impl<B> Content<B> {
    /// A text that replies to no message and mentions nobody.
    #[must_use]
    pub const fn text(body: B) -> Self {
        Self { body, reply_to: None, mentions: Vec::new(), mentions_everyone: false }
    }

    /// Whether it mentions somebody.
    #[must_use]
    pub fn mentions_anybody(&self) -> bool {
        self.mentions_everyone || !self.mentions.is_empty()
    }

    /// The same about another text.
    fn with<C>(&self, body: C) -> Content<C> {
        Content {
            body,
            reply_to: self.reply_to,
            mentions: self.mentions.clone(),
            mentions_everyone: self.mentions_everyone,
        }
    }
}

impl Content {
    /// Checks and normalises the text.
    pub fn parse(&self) -> Result<Content<MessageBody>, TextError> {
        Ok(self.with(MessageBody::parse(&self.body)?))
    }
}

impl Content<MessageBody> {
    /// The same with a plain text, as the other types carry it.
    #[must_use]
    pub fn into_plain(self) -> Content {
        self.with(self.body.as_str().to_owned())
    }
}
