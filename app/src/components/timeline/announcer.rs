//! Says others' new messages to those who hear the page.

use caravana_client::Older;
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
        // Where there was none, every one is new, if the conversation begins here.
        let known = last.as_ref().and_then(|last| match last {
            Some(last) => rows.iter().position(|row| row.key == *last).map(|at| at + 1),
            None => (timeline.older().get_untracked().0 == Older::Start).then_some(0),
        });
        if let Some(known) = known.filter(|_| last.as_ref() != Some(&newest)) {
            let came: Vec<&Row> =
                rows.iter().skip(known).filter(|row| row.kind.0 == RowKind::Message && !row.mine).collect();
            let said = if came.len() > BURST {
                vec![(words.new_messages)(came.len() as u64)]
            } else {
                came.iter().map(|row| (words.announced)(&row.name, &row.text)).collect()
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
