//! The bar under the header that walks through the pinned messages.

use caravana_protocol::MessageId;
use leptos::prelude::*;
use reactive_stores::Store;

use super::icon::{Glyph, Icon};
use crate::chat::store::{TimelineState, TimelineStateStoreFields};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::says::says;

/// The bar; nothing if no message is pinned. A press goes to the message that the bar shows, and then the bar shows the
/// next older pin.
#[component]
pub fn PinBar(
    /// The open group.
    timeline: Store<TimelineState>,
    /// Goes to a message.
    jump: Callback<MessageId>,
) -> impl IntoView {
    let words = use_words();
    let shown = RwSignal::new(0_usize);
    let count = Memo::new(move |_| timeline.pins().read().len());
    let number = move || shown.get().min(count.get().saturating_sub(1));
    let newest = Memo::new(move |_| timeline.pins().read().first().map(|pin| pin.id));
    Effect::new(move |_| {
        newest.track();
        shown.set(0);
    });
    let label = move || (words.pin_of)(number() + 1, count.get());
    let text = move || {
        let pins = timeline.pins().read();
        pins.get(number()).map(|pin| format!("{}: {}", pin.name, pin.text)).unwrap_or_default()
    };
    let press = move |_| {
        let (now, count) = (number(), count.get_untracked());
        let id = timeline.pins().read_untracked().get(now).map(|pin| pin.id);
        if let Some(id) = id {
            shown.set((now + 1) % count.max(1));
            jump.run(id);
        }
    };
    let bar = move || {
        view! {
            <button class="pin-bar" type="button" data-testid="pins" on:click=press>
                <Icon glyph=Glyph::Pin />
                <span class="pin-bar-text">
                    <span class="pin-bar-title" {..says(label)}></span>
                    <bdi class="pin-bar-message" {..says(text)}></bdi>
                </span>
            </button>
        }
    };
    view! { <Show when=move || { count.get() > 0 }>{bar()}</Show> }.erase()
}
