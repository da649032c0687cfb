//! The text that was written and not sent.

use std::sync::Arc;

use caravana_protocol::{GroupId, UserId};
use leptos::html::Textarea;
use leptos::prelude::*;

use super::ComposeMode;
use crate::ports::Device;

/// The kept draft of one group, which all pages of the browser share.
#[derive(Clone)]
pub(super) struct Draft {
    me: UserId,
    group: GroupId,
    device: Arc<dyn Device>,
    /// The draft that this page last wrote or read.
    kept: StoredValue<Option<String>>,
}

impl Draft {
    pub(super) fn new(me: UserId, group: GroupId, device: Arc<dyn Device>) -> Self {
        Self { me, group, device, kept: StoredValue::new(None) }
    }

    fn find(&self) -> Option<String> {
        let found = self.device.draft(self.me, self.group);
        self.kept.set_value(found.clone());
        found
    }

    /// Keeps a text. An empty field deletes the draft only if this page wrote or read it last: the person may be
    /// writing another text in another tab.
    pub(super) fn keep(&self, text: &str) {
        let kept = self.kept.get_value();
        if kept.as_deref().unwrap_or_default() == text {
            return;
        }
        if !text.is_empty() || self.device.draft(self.me, self.group) == kept {
            self.device.keep_draft(self.me, self.group, text);
            // The draft is read back, because a full storage keeps the old one.
            self.find();
        } else {
            self.kept.set_value(None);
        }
    }
}

/// Restores the kept draft once, and then keeps what is written.
pub(super) fn keep_draft(
    draft: Option<Draft>,
    field: NodeRef<Textarea>,
    text: RwSignal<String>,
    mode: RwSignal<ComposeMode>,
) {
    let Some(draft) = draft else { return };
    Effect::new(move |restored: Option<bool>| {
        let Some(input) = field.get() else { return false };
        if restored == Some(true) {
            let text = text.read();
            // The text of a message that is being edited is no draft.
            if !mode.get_untracked().edits() {
                draft.keep(&text);
            }
            return true;
        }
        let found = draft.find();
        if input.value().is_empty()
            && let Some(found) = found
        {
            input.set_value(&found);
        }
        text.set(input.value());
        text.track();
        true
    });
}
