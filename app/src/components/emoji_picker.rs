//! The choice of an emoji: a dialog with a search field, groups and skin tones.
//!
//! Its code is in a chunk, and the list of emoji in a file; the first opening loads both. Guarantees that the focus is
//! back where it was before the chosen emoji is handed over. Used by the composer and by the menu of a message, each
//! with a dialog of its own.

use leptos::html::Dialog;
use leptos::prelude::*;
use wasm_split_helpers::wasm_split;

use super::lazy::{NotLoaded, lazy_field};
use crate::emoji::Emojis;
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::use_device;

pub mod content;

use content::Content;

/// What the content of the open dialog needs.
#[derive(Clone, Copy)]
pub struct Choosing {
    /// The emoji.
    pub emojis: Emojis,
    /// Takes the chosen one and closes the dialog; `None`: nothing was chosen.
    pub done: Callback<Option<String>>,
}

/// The dialog.
#[component]
pub fn EmojiPicker(
    /// Whether it is open.
    open: RwSignal<bool>,
    /// The emoji.
    emojis: Emojis,
    /// Takes the chosen one.
    chosen: Callback<String>,
) -> impl IntoView {
    let words = use_words();
    let device = use_device();
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        let is_open = open.get();
        let (Some(dialog), Some(device)) = (dialog.get(), &device) else { return };
        if is_open {
            emojis.load();
            device.show_modal(&dialog);
        }
    });
    let done = Callback::new(move |sign: Option<String>| {
        // Closed at once, so that the focus is back before the emoji is handed over.
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
        open.set(false);
        if let Some(sign) = sign {
            emojis.used(&sign);
            chosen.run(sign);
        }
    });
    let content = move || open.get().then(|| picker(Choosing { emojis, done }));
    // This event comes a moment after the closing. The picker may be open again by then.
    let closed = move |_| {
        if dialog.get_untracked().is_some_and(|dialog| !dialog.open()) {
            open.set(false);
        }
    };
    // A press on the veil around the content is a press on the dialog itself.
    let veil = move |event: leptos::ev::MouseEvent| {
        if event.target() == event.current_target() {
            done.run(None);
        }
    };
    view! {
        <dialog
            class="sheet picker"
            aria-label=words.choose_emoji
            data-testid="emoji-picker"
            node_ref=dialog
            on:close=closed
            on:click=veil
        >
            <div class="sheet-body">{content}</div>
        </dialog>
    }
    .erase()
}

fn picker(choosing: Choosing) -> AnyView {
    lazy_field(async || Ok(load().await?), move || show(choosing))
}

#[allow(clippy::unnecessary_wraps, reason = "a split point that may fail returns its error")]
#[wasm_split(emoji, fallible, preload(load))]
fn show(choosing: Choosing) -> Result<AnyView, NotLoaded> {
    Ok(view! { <Content choosing /> }.erase())
}
