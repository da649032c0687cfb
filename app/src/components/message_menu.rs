//! What can be done with a message: a sheet on a phone, a small menu on a wide screen.
//!
//! Owns what is in the sheet: the entries, the question before a deletion, and the list of those who have read the reader's own message. Their
//! code is in a chunk, which the first opening loads. What the actions do
//! is the page's.

use caravana_protocol::{MessageId, UserId};
use leptos::prelude::*;
use reactive_stores::Store;
use wasm_split_helpers::wasm_split;

use super::emoji_picker::EmojiPicker;
use super::lazy::{NotLoaded, lazy};
use super::sheet::Sheet;
use crate::chat::store::{MessageRow, TimelineState};
use crate::emoji::Emojis;
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::ApiFuture;

pub mod content;
pub mod selection;

use content::Content;
pub use selection::Selected;
use selection::SelectionBar;

/// What the reader chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// React with this emoji (`true`), or take that reaction back.
    React(String, bool),
    /// Answer it.
    Reply,
    /// Put its text on the clipboard.
    CopyText,
    /// Put a link to it on the clipboard.
    CopyLink,
    /// Change its text.
    Edit,
    /// Pin it (`true`), or take its pin off.
    Pin(bool),
    /// Begin to select several, with it.
    Select,
    /// Delete it.
    Delete,
}

/// What the menu needs of its page.
#[derive(Clone, Copy)]
pub struct MenuActions {
    /// Do this with the message.
    pub act: Callback<(MessageRow, Act)>,
    /// Who has read it.
    pub reads: Callback<MessageId, ApiFuture<Vec<UserId>>>,
}

/// What the content of the open menu needs.
#[derive(Clone)]
pub struct Subject {
    /// The message.
    pub message: MessageRow,
    /// The open group.
    pub timeline: Store<TimelineState>,
    /// What the entries do.
    pub actions: MenuActions,
    /// Closes the menu.
    pub close: Callback<()>,
    /// Closes it, and offers all emoji for a reaction.
    pub more: Callback<()>,
}

/// The dialog.
#[component]
pub fn MessageMenu(
    /// The message that it is open for; closing it sets `None`.
    open: RwSignal<Option<MessageRow>>,
    /// The open group.
    timeline: Store<TimelineState>,
    /// What its entries do.
    actions: MenuActions,
    /// The emoji for reactions.
    emojis: Emojis,
) -> impl IntoView {
    let words = use_words();
    let close = Callback::new(move |()| open.set(None));
    let (picking, picked) = (RwSignal::new(false), StoredValue::new(None::<MessageRow>));
    let more = Callback::new(move |()| {
        picked.set_value(open.get_untracked());
        // The menu closes first, so that the focus returns to the row when the picker closes.
        open.set(None);
        picking.set(true);
    });
    let react = Callback::new(move |emoji: String| {
        if let Some(message) = picked.get_value() {
            actions.act.run((message, Act::React(emoji, true)));
        }
    });
    let content = move || {
        open.get().map(|message| part(Part::Menu(Box::new(Subject { message, timeline, actions, close, more }))))
    };
    let label = Signal::stored(words.message_actions.to_owned());
    let is_open = Signal::derive(move || open.read().is_some());
    view! {
        <Sheet name="message-menu" label is_open close>{content}</Sheet>
        <EmojiPicker open=picking emojis chosen=react />
    }
    .erase()
}

/// The bar of the selected messages, while the reader is selecting.
#[component]
pub fn Selection(
    /// What it is about.
    selected: Selected,
) -> impl IntoView {
    move || selected.picked.is_on().then(|| part(Part::Bar(selected)))
}

/// What the chunk has.
#[derive(Clone)]
pub(crate) enum Part {
    Menu(Box<Subject>),
    Bar(Selected),
}

fn part(part: Part) -> AnyView {
    lazy(async || Ok(load().await?), move || show(part.clone()))
}

#[allow(clippy::unnecessary_wraps, reason = "a split point that may fail returns its error")]
#[wasm_split(message, fallible, preload(load))]
fn show(part: Part) -> Result<AnyView, NotLoaded> {
    Ok(match part {
        Part::Menu(subject) => view! { <Content subject=*subject /> }.erase(),
        Part::Bar(selected) => view! { <SelectionBar selected /> }.erase(),
    })
}
