//! What the reader does in the field: sends, edits, leaves an edit.

use std::sync::Arc;

use caravana_protocol::{MessageBody, MessageId};
use leptos::ev::KeyboardEvent;
use leptos::html::Textarea;
use leptos::prelude::*;

use super::ComposeMode;
use super::completion::{Completion, Key};
use super::draft::Draft;
use crate::components::composing::is_composing;
use crate::ports::Device;

/// What becomes of what is written.
#[derive(Clone, Copy)]
pub struct ComposeActions {
    /// Takes a message, and the one that it answers; returns `false` if it could not be queued, and then the text stays.
    pub send: Callback<(MessageBody, Option<MessageId>), bool>,
    /// Takes the new text of a message; returns `false` if it can't be changed, and then the text stays.
    pub edit: Callback<(MessageId, MessageBody), bool>,
    /// The reader's last message and its text, which ↑ in the empty field edits.
    pub last_own: Callback<(), Option<(MessageId, String)>>,
    /// The reader typed; `false` means that the field is empty now.
    pub typed: Callback<bool>,
}

/// The field, and what it writes. It exists only after hydration.
#[derive(Clone)]
pub(super) struct Writer {
    pub(super) field: NodeRef<Textarea>,
    pub(super) text: RwSignal<String>,
    pub(super) mode: RwSignal<ComposeMode>,
    pub(super) closed: Signal<bool>,
    pub(super) actions: ComposeActions,
    pub(super) device: Arc<dyn Device>,
    pub(super) draft: Option<Draft>,
    pub(super) completion: Completion,
}

impl Writer {
    /// Sends what is in the field, if it can be sent.
    pub(super) fn submit(&self) {
        let Some(field) = self.field.get_untracked().filter(|_| !self.closed.get_untracked()) else { return };
        let text = field.value();
        let Ok(body) = MessageBody::parse_with(self.completion.without_space(&text), &*self.device) else { return };
        let mode = self.mode.get_untracked();
        if let ComposeMode::Edit { id, text } = mode {
            if body.as_str() != text && !self.actions.edit.run((id, body)) {
                return;
            }
            // The text that was written before the edit comes back into the field.
            self.mode.set(ComposeMode::New);
            return;
        }
        if !self.actions.send.run((body, mode.reply_to())) {
            return;
        }
        self.mode.set(ComposeMode::New);
        field.set_value("");
        self.text.set(String::new());
        self.completion.close();
        if let Some(draft) = &self.draft {
            draft.keep("");
        }
        // The focus may be on the button; it returns to the field for the next message.
        drop(field.focus());
    }

    /// Handles a key. What could be completed comes first: only then does Escape leave an edit.
    pub(super) fn key(&self, event: &KeyboardEvent) -> Key {
        let plain = !(event.shift_key() || event.alt_key() || event.ctrl_key() || event.meta_key());
        if !plain || is_composing(event) {
            return Key::Typed;
        }
        let key = event.key();
        if let Some(done) = self.completion.key(&key) {
            return done;
        }
        let is_done = match key.as_str() {
            "Enter" if !self.device.touch() => {
                self.submit();
                true
            }
            "Escape" if self.mode.get_untracked() != ComposeMode::New => {
                self.mode.set(ComposeMode::New);
                true
            }
            "ArrowUp" => self.edit_last(),
            _ => false,
        };
        if is_done { Key::Done } else { Key::Typed }
    }

    /// In the empty field, edits the reader's last message.
    fn edit_last(&self) -> bool {
        if !self.text.read_untracked().is_empty() || self.mode.get_untracked() != ComposeMode::New {
            return false;
        }
        let Some((id, text)) = self.actions.last_own.run(()) else { return false };
        self.mode.set(ComposeMode::Edit { id, text });
        true
    }
}
