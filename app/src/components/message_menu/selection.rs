//! The bar for the messages that are selected. It takes the place of the composer.

use caravana_protocol::MessageId;
use leptos::html::Div;
use leptos::prelude::*;

use crate::chat::store::{Delivery, MessageRow};
use crate::components::bubble::Picked;
use crate::components::icon::{Glyph, Icon};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::use_device;
use crate::says::says;

/// What the bar needs.
#[derive(Clone, Copy)]
pub struct Selected {
    /// The messages.
    pub picked: Picked,
    /// Whether the reader may delete others' messages.
    pub manages: Signal<bool>,
    /// Puts the messages on the clipboard.
    pub copy: Callback<Vec<MessageRow>>,
    /// Deletes the messages.
    pub delete: Callback<Vec<MessageId>>,
}

/// The bar.
#[component]
pub fn SelectionBar(
    /// What it is about.
    selected: Selected,
) -> impl IntoView {
    let words = use_words();
    let Selected { picked, manages, copy, delete } = selected;
    let asks = RwSignal::new(false);
    let count = move || picked.rows().len() as u64;
    let can_delete = move || {
        let rows = picked.rows();
        let mine = |row: &MessageRow| matches!(row.own, Some(Delivery::Sent | Delivery::Read));
        !rows.is_empty() && rows.iter().all(|row| mine(row) || manages.get() && row.own.is_none())
    };
    let end = move || picked.set(None);
    leave_by_key(asks, end);
    let copies = move |_| {
        copy.run(picked.rows());
        end();
    };
    let yes = move |_| {
        delete.run(picked.rows().iter().map(|row| row.id).collect());
        end();
    };
    let whole = NodeRef::<Div>::new();
    let device = use_device();
    Effect::new(move |_| {
        if let (true, Some(whole), Some(device)) = (asks.get(), whole.get(), &device) {
            device.step_focus(&whole, 1);
        }
    });
    let bar = move || {
        view! {
            <button class="icon-button" type="button" aria-label=words.cancel title=words.cancel data-testid="selection-end" on:click=move |_| end()>
                <Icon glyph=Glyph::Close />
            </button>
            <span class="selection-count" role="status" {..says(move || (words.selection.selected)(count()))}></span>
            <button class="button button-soft" type="button" data-testid="selection-copy" disabled=move || count() == 0 on:click=copies>
                <Icon glyph=Glyph::Copy />
                {words.selection.copy}
            </button>
            <button class="button button-quiet button-danger" type="button" data-testid="selection-delete" disabled=move || !can_delete() on:click=move |_| asks.set(true)>
                <Icon glyph=Glyph::Trash />
                {words.delete}
            </button>
        }
        .erase()
    };
    let question = move || {
        view! {
            <span class="selection-count" role="alert" {..says(move || (words.selection.delete_question)(count()))}></span>
            <button class="button button-soft" type="button" data-testid="selection-no" on:click=move |_| asks.set(false)>
                {words.cancel}
            </button>
            <button class="button button-end" type="button" data-testid="selection-yes" on:click=yes>{words.delete}</button>
        }
        .erase()
    };
    let shown = move || if asks.get() { question() } else { bar() };
    view! {
        <div class="selection" role="group" aria-label=move || (words.selection.selected)(count()) data-testid="selection" node_ref=whole>
            {shown}
        </div>
    }
    .erase()
}

/// Escape takes the question back, then leaves.
fn leave_by_key(asks: RwSignal<bool>, end: impl Fn() + Copy + 'static) {
    let device = use_device();
    let listener = window_event_listener(leptos::ev::keydown, move |event| {
        let is_free = device.as_ref().is_some_and(|device| !device.in_dialog());
        if event.key() == "Escape" && is_free && asks.try_get_untracked().is_some() {
            event.prevent_default();
            if asks.get_untracked() {
                asks.set(false);
            } else {
                end();
            }
        }
    });
    on_cleanup(move || listener.remove());
}
