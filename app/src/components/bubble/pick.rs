//! Selecting several messages: a box on each row, while that is going on.

use caravana_protocol::MessageId;
use leptos::prelude::*;

use super::of_message;
use crate::chat::store::{MessageRow, RowView, Said};
use crate::erase::Erase as _;
use crate::i18n::use_words;

/// The selected messages; `None` while nothing is being selected. All copies are the same.
#[derive(Clone, Copy)]
pub struct Picked {
    rows: RwSignal<Option<Vec<MessageRow>>>,
    on: Memo<bool>,
}

impl Picked {
    /// Nothing is being selected.
    #[must_use]
    pub fn new() -> Self {
        let rows = RwSignal::new(None::<Vec<MessageRow>>);
        Self { rows, on: Memo::new(move |_| rows.read().is_some()) }
    }

    /// Whether the reader is selecting.
    #[must_use]
    pub fn is_on(self) -> bool {
        self.on.get()
    }

    /// The same, without a subscription.
    #[must_use]
    pub fn is_on_now(self) -> bool {
        self.rows.with_untracked(Option::is_some)
    }

    /// The selected messages, in the order of the conversation.
    #[must_use]
    pub fn rows(self) -> Vec<MessageRow> {
        self.rows.get().unwrap_or_default()
    }

    /// Begins with this message, or ends.
    pub fn set(self, first: Option<MessageRow>) {
        self.rows.set(first.map(|row| vec![row]));
    }

    /// Selects a message, or takes it out.
    pub fn turn(self, row: MessageRow) {
        self.rows.update(|rows| {
            let Some(rows) = rows else { return };
            if let Some(at) = rows.iter().position(|known| known.id == row.id) {
                rows.remove(at);
            } else {
                let at = rows.partition_point(|known| (known.at, known.id) < (row.at, row.id));
                rows.insert(at, row);
            }
        });
    }

    fn has(self, id: MessageId) -> bool {
        self.rows.read().as_ref().is_some_and(|rows| rows.iter().any(|row| row.id == id))
    }
}

impl Default for Picked {
    fn default() -> Self {
        Self::new()
    }
}

/// The box of a row. Its label covers the row, so that a press anywhere on it counts.
pub(super) fn pick(picked: Picked, line: RwSignal<RowView>, id: MessageId) -> AnyView {
    let words = use_words();
    let gone = move || of_message(line, |message| matches!(message.said, Said::Deleted));
    let turn = move |_| {
        if let Some(row) = of_message(line, |message| Some(message.clone())) {
            picked.turn(row);
        }
    };
    view! {
        <label class="pick" hidden=gone>
            <input
                type="checkbox"
                class="pick-box"
                aria-label=words.selection.select_message
                data-testid="pick"
                prop:checked=move || picked.has(id)
                on:change=turn
            />
        </label>
    }
    .erase()
}
