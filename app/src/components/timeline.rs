//! The conversation: rows in a scroller that stays where the reader is.
//!
//! The scroller is laid out from its end (`column-reverse`), so that it opens at the newest message before any script
//! runs and older pages that arrive above move nothing. Everything else that would move what is being read is put back by
//! [`reading`] before it is painted. Only the rows near the window are in the document; two empty spaces stand for the
//! others ([`crate::chat::reel`]).

use caravana_client::Older;
use leptos::html::Div;
use leptos::prelude::*;
use reactive_stores::Store;

use super::bubble::{Bubble, RowActions};
use super::empty_state::EmptyState;
use super::icon::{Glyph, Icon};
use crate::chat::reel::Reel;
use crate::chat::store::{TimelineState, TimelineStateStoreFields};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::use_device;
use crate::says::{said, says};

pub mod announcer;
mod place;
mod reading;

use announcer::Announcer;
use reading::Reading;

/// What the timeline asks for.
#[derive(Clone, Copy)]
pub struct TimelineActions {
    /// What may be done with a row.
    pub row: RowActions,
    /// Load older messages.
    pub older: Callback<()>,
    /// Load the newest messages, where they were let go.
    pub latest: Callback<()>,
    /// The newest message is in sight.
    pub seen: Callback<()>,
    /// Other rows are near the window now.
    pub turn: Callback<()>,
}

/// The conversation.
#[component]
pub fn Timeline(
    /// The open group.
    timeline: Store<TimelineState>,
    /// Which of its items have rows.
    reel: StoredValue<Reel>,
    /// What it asks for.
    actions: TimelineActions,
) -> impl IntoView {
    let words = use_words();
    let scroller = NodeRef::<Div>::new();
    let reading = Reading::new(timeline, reel, actions);
    if let Some(device) = use_device() {
        reading.look_at(scroller, device);
    }
    let to_latest = move |_| {
        // From the end of the rows the reader follows the newest ones to theirs.
        reading.to_end();
        if timeline.has_newer().get_untracked() {
            actions.latest.run(());
        }
    };
    let day = move || reading.day.get().unwrap_or_default();
    // A conversation of which something is missing is not empty.
    let empty = move || timeline.is_empty().get();
    view! {
        <div class="timeline">
            <div class="scroller" role="region" aria-label=words.messages tabindex="0" node_ref=scroller>
                <div class="rows">
                    <Start timeline older=actions.older />
                    <Show when=empty>
                        <EmptyState title=words.empty_title text=words.empty_text />
                    </Show>
                    <div class="pad" aria-hidden="true"></div>
                    <For each=move || timeline.lines() key=|line| line.key() let:line>
                        <Bubble line=line.into() actions=actions.row />
                    </For>
                    <div class="pad" aria-hidden="true"></div>
                    <Show when=move || timeline.has_newer().get()>
                        <button class="older" type="button" data-testid="newest" on:click=to_latest>
                            {words.load_newest}
                        </button>
                    </Show>
                </div>
            </div>
            // These two stand here always, seen or not: the browser's own way through the rows, as after the key End, stops
            // where an element comes or goes. The separator says the day too, wherever it is.
            <div class="day day-on-top" class:shown=move || reading.day.read().is_some() aria-hidden="true">
                <span {..says(day)}></span>
            </div>
            <button class="to-latest" class:shown=reading.away type="button" on:click=to_latest>
                {move || {
                    let fresh = reading.fresh.get();
                    (fresh > 0).then(|| view! { <span class="badge" {..said((words.new_messages)(fresh))}></span> })
                }}
                <span class="to-latest-label">{words.to_latest}</span>
                <Icon glyph=Glyph::Down />
            </button>
            <Announcer timeline />
        </div>
    }
    .erase()
}

/// What stands above the first row: the way to older messages, or the start. Both are equally high.
#[component]
fn Start(timeline: Store<TimelineState>, older: Callback<()>) -> impl IntoView {
    let words = use_words();
    let begins = Memo::new(move |_| timeline.older().get().0 == Older::Start);
    let label = move || match timeline.older().get().0 {
        Older::Start | Older::More => words.load_older,
        Older::Loading => words.loading,
        Older::Failed => words.older_failed,
    };
    move || {
        if begins.get() {
            view! { <p class="start">{words.conversation_start}</p> }.erase()
        } else {
            view! { <button class="older" type="button" {..says(label)} on:click=move |_| older.run(())></button> }
                .erase()
        }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests;
