//! The pinned messages in the group's details, newest pin first.

use caravana_protocol::MessageId;
use leptos::prelude::*;
use reactive_stores::Store;

use super::icon::{Glyph, Icon};
use crate::chat::store::{QuoteRow, TimelineState, TimelineStateStoreFields};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::says::{said, says};

/// The list, folded; nothing if no message is pinned.
#[component]
pub fn PinsList(
    /// The open group.
    timeline: Store<TimelineState>,
    /// The group's path.
    path: String,
    /// Goes to a message. The link alone does nothing if the page is already at its address.
    jump: Callback<MessageId>,
) -> impl IntoView {
    let words = use_words();
    let some = Memo::new(move |_| !timeline.pins().read().is_empty());
    let title = move || (words.pins_title)(timeline.pins().read().len());
    let path = StoredValue::new(path);
    let row = move |pin: QuoteRow| {
        let href = format!("{}/m/{}", path.read_value().as_str(), pin.id);
        let text = if pin.text.is_empty() { words.deleted.to_owned() } else { pin.text };
        view! {
            <li>
                <a class="pin-row" href=href on:click=move |_| jump.run(pin.id)>
                    <bdi class="pin-row-name" {..said(pin.name)}></bdi>
                    <span class="pin-row-text" dir="auto" {..said(text)}></span>
                </a>
            </li>
        }
        .erase()
    };
    let list = move || {
        view! {
            <details class="pins-list" data-testid="pins-list">
                <summary class="pins-summary">
                    <Icon glyph=Glyph::Pin />
                    <span {..says(title)}></span>
                </summary>
                <ul>
                    <For each=move || timeline.pins().get().0 key=|pin| (pin.id, pin.text.clone(), pin.name.clone()) children=row />
                </ul>
            </details>
        }
        .erase()
    };
    view! { <Show when=move || some.get()>{list()}</Show> }.erase()
}
