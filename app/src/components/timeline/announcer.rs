//! Says others' new messages to those who hear the page.

use leptos::prelude::*;
use reactive_stores::Store;

use crate::chat::store::{Row, RowKind, TimelineState, TimelineStateStoreFields};
use crate::erase::Erase as _;
use crate::i18n::use_words;

/// More than this at once is said as a number.
const BURST: usize = 3;

/// A hidden log that only grows, for as long as the group is open.
#[component]
pub fn Announcer(
    /// The open group.
    timeline: Store<TimelineState>,
) -> impl IntoView {
    let words = use_words();
    let lines = RwSignal::new(Vec::<(usize, String)>::new());
    Effect::new(move |last: Option<Option<String>>| {
        let rows = timeline.rows();
        let rows = rows.read();
        let newest = rows.iter().rev().find(|row| row.kind.0 == RowKind::Message).map(|row| row.key.clone());
        // What is there when the group is opened is read, not announced; nor is anything when the last one is unknown.
        if let Some(Some(last)) = &last
            && newest.as_ref() != Some(last)
            && let Some(at) = rows.iter().position(|row| row.key == *last)
        {
            let came: Vec<&Row> =
                rows.iter().skip(at + 1).filter(|row| row.kind.0 == RowKind::Message && !row.mine).collect();
            let said = if came.len() > BURST {
                vec![(words.new_messages)(came.len() as u64)]
            } else {
                came.iter().map(|row| format!("{}: {}", row.name, row.text)).collect()
            };
            if !said.is_empty() {
                lines.update(|lines| {
                    for line in said {
                        lines.push((lines.len(), line));
                    }
                });
            }
        }
        newest
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
