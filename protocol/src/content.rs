//! What a message says.

use serde::{Deserialize, Serialize};

use crate::{MessageBody, MessageId, TextError};

/// What a message says, whoever carries it: the frame that sends it, the outbox, the store and the message itself.
///
/// `B` is [`String`] where the text is as somebody wrote or stored it, and [`MessageBody`] where it was found to be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content<B = String> {
    /// The text: `message` on the wire.
    #[serde(rename = "message")]
    pub body: B,
    /// The message that it answers, in the same group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
}

impl<B> Content<B> {
    /// A text that answers nothing.
    #[must_use]
    pub const fn text(body: B) -> Self {
        Self { body, reply_to: None }
    }
}

impl Content {
    /// The same with a text that can be a message's, normalised and cleaned.
    pub fn parse(&self) -> Result<Content<MessageBody>, TextError> {
        Ok(Content { body: MessageBody::parse(&self.body)?, reply_to: self.reply_to })
    }
}

impl Content<MessageBody> {
    /// The same as anything carries it.
    #[must_use]
    pub fn into_plain(self) -> Content {
        Content { body: self.body.into_string(), reply_to: self.reply_to }
    }
}
