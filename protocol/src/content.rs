//! What a message says.

use serde::{Deserialize, Serialize};

use crate::{MessageBody, MessageId, TextError};

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
}

impl<B> Content<B> {
    /// A text that replies to no message.
    #[must_use]
    pub const fn text(body: B) -> Self {
        Self { body, reply_to: None }
    }
}

impl Content {
    /// Checks and normalises the text.
    pub fn parse(&self) -> Result<Content<MessageBody>, TextError> {
        Ok(Content { body: MessageBody::parse(&self.body)?, reply_to: self.reply_to })
    }
}

impl Content<MessageBody> {
    /// The same with a plain text, as the other types carry it.
    #[must_use]
    pub fn into_plain(self) -> Content {
        Content { body: self.body.into_string(), reply_to: self.reply_to }
    }
}
