//! What the composer writes: a message, an answer to one, or another text of one.
//!
//! Guarantees that a text which was written before an edit is in the field again after it.

use std::sync::Arc;

use caravana_protocol::MessageId;
use leptos::html::Textarea;
use leptos::prelude::*;

use crate::chat::store::QuoteRow;
use crate::components::icon::{Glyph, Icon};
use crate::i18n::use_words;
use crate::ports::Device;
use crate::says::said;

/// What the composer writes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ComposeMode {
    /// A message.
    #[default]
    New,
    /// An answer to this message.
    Reply(QuoteRow),
    /// Another text of the reader's own message.
    Edit {
        /// Which.
        id: MessageId,
        /// Its present text.
        text: String,
    },
}

impl ComposeMode {
    /// Whether the text of a message is being changed.
    pub(super) const fn edits(&self) -> bool {
        matches!(self, Self::Edit { .. })
    }

    /// The message that is answered.
    pub(super) const fn reply_to(&self) -> Option<MessageId> {
        match self {
            Self::Reply(quote) => Some(quote.id),
            Self::New | Self::Edit { .. } => None,
        }
    }
}

/// Brings the text of an edited message into the field, and puts back what was there. A chosen message means that the
/// reader wants to write, so the field gets the focus.
pub(super) fn follow_mode(
    mode: RwSignal<ComposeMode>,
    field: NodeRef<Textarea>,
    text: RwSignal<String>,
    device: Option<Arc<dyn Device>>,
) {
    if device.is_none() {
        return;
    }
    let aside = StoredValue::new(None::<String>);
    Effect::new(move |_| {
        let now = mode.get();
        let Some(field) = field.get_untracked() else { return };
        let shown = match &now {
            ComposeMode::Edit { text, .. } => {
                // An edit may follow another one directly.
                aside.update_value(|aside| {
                    aside.get_or_insert_with(|| field.value());
                });
                Some(text.clone())
            }
            ComposeMode::New | ComposeMode::Reply(_) => aside.try_update_value(Option::take).flatten(),
        };
        if let Some(shown) = shown {
            field.set_value(&shown);
            text.set(shown);
        }
        if now != ComposeMode::New {
            drop(field.focus());
            let end = field.text_length();
            let _ = field.set_selection_range(end, end);
        }
    });
}

/// What is being answered or edited, above the field.
#[component]
pub fn ModeBar(
    /// What is written.
    mode: RwSignal<ComposeMode>,
) -> impl IntoView {
    let words = use_words();
    let bar = move |glyph: Glyph, title: String, text: String| {
        view! {
            <div class="composer-mode" data-testid="composer-mode">
                <Icon glyph />
                <span class="composer-mode-text">
                    <span class="composer-mode-title" {..said(title)}></span>
                    <bdi class="composer-mode-message" {..said(text)}></bdi>
                </span>
                <button
                    class="icon-button"
                    type="button"
                    aria-label=words.cancel
                    title=words.cancel
                    data-testid="composer-cancel"
                    on:click=move |_| mode.set(ComposeMode::New)
                >
                    <Icon glyph=Glyph::Close />
                </button>
            </div>
        }
    };
    move || match mode.get() {
        ComposeMode::New => None,
        ComposeMode::Reply(quote) => Some(bar(Glyph::Reply, (words.replying_to)(&quote.name), quote.text)),
        ComposeMode::Edit { text, .. } => Some(bar(Glyph::Edit, words.editing.to_owned(), text)),
    }
}
