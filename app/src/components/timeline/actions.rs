//! What the timeline asks of its page.

use caravana_protocol::MessageId;
use leptos::prelude::*;

use crate::chat::Left;
use crate::components::bubble::RowActions;

/// The timeline's callbacks.
#[derive(Clone, Copy)]
pub struct TimelineActions {
    /// The actions on a row.
    pub row: RowActions,
    /// Load older messages.
    pub older: Callback<()>,
    /// Load the newest messages again, if they were dropped from memory.
    pub latest: Callback<()>,
    /// Load the messages after the loaded ones; `true`: again, because they did not come.
    pub newer: Callback<bool>,
    /// Where the reader is, while away from the end: the first visible message, and the pixels above it.
    pub left: Callback<Option<Left>>,
    /// The newest message is visible.
    pub seen: Callback<()>,
    /// Other rows are near the window now.
    pub turn: Callback<()>,
    /// Show what can be done with a message.
    pub menu: Callback<MessageId>,
    /// Answer a message.
    pub reply: Callback<MessageId>,
    /// Go to a message.
    pub jump: Callback<MessageId>,
}
