//! Announces others' new messages to screen readers.

use leptos::prelude::*;
use reactive_stores::Store;

use crate::chat::bridge::ANNOUNCED;
use crate::chat::store::{TimelineState, TimelineStateStoreFields};
use crate::erase::Erase as _;
use crate::i18n::use_words;

/// At most this many sentences stay in the document. Screen readers read a sentence when it is added.
const KEPT: usize = 30;

/// A hidden log of what was announced last.
#[component]
pub fn Announcer(
    /// The open group.
    timeline: Store<TimelineState>,
) -> impl IntoView {
    let words = use_words();
    let lines = RwSignal::new(Vec::<(usize, String)>::new());
    // Messages that are loaded when the group is opened are not announced.
    Effect::new(move |before: Option<u64>| {
        let arrived = timeline.arrived().get().0;
        let came = usize::try_from(arrived.others - before.unwrap_or(arrived.others)).unwrap_or(usize::MAX);
        // If more messages arrive than the store keeps texts of, only their number is announced.
        let said = if came > ANNOUNCED {
            vec![(words.new_messages)(came as u64)]
        } else {
            let newest = arrived.newest.iter().rev().take(came).rev();
            newest.map(|message| (words.announced)(&message.name, &message.text)).collect()
        };
        if !said.is_empty() {
            lines.update(|lines| {
                let next = lines.last().map_or(0, |(number, _)| number + 1);
                lines.extend((next..).zip(said));
                lines.drain(..lines.len().saturating_sub(KEPT));
            });
        }
        arrived.others
    });
    view! {
        <div class="visually-hidden" role="log" aria-live="polite">
            <For each=move || lines.get() key=|(number, _)| *number let:line>
                <p>{line.1}</p>
            </For>
        </div>
    }
    .erase()
}
