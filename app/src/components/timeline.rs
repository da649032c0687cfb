//! The conversation: rows in a scroller that stays where the reader is.
//!
//! The scroller is laid out from its end (`column-reverse`), so that it opens at the newest message before any script
//! runs and older pages that arrive above move nothing. What is left to correct is a message that arrives below while
//! the reader is further up: one assignment, before the next paint.

use leptos::html::Div;
use leptos::prelude::*;
use reactive_stores::Store;

use super::bubble::{Bubble, RowActions};
use super::empty_state::EmptyState;
use super::icon::{Glyph, Icon};
use crate::chat::store::{Row, RowKind, TimelineState, TimelineStateStoreFields};
use crate::erase::Erase as _;
use crate::i18n::use_words;

pub mod announcer;
mod scroll;

use announcer::Announcer;
use scroll::Place;

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
}

/// What the rows look like to the scroller.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shape {
    first: Option<String>,
    last: Option<String>,
    last_is_mine: bool,
    others: u64,
}

impl Shape {
    fn of(rows: &[Row]) -> Self {
        let messages = || rows.iter().filter(|row| row.kind.0 == RowKind::Message);
        Self {
            first: messages().next().map(|row| row.key.clone()),
            last: messages().next_back().map(|row| row.key.clone()),
            last_is_mine: messages().next_back().is_some_and(|row| row.mine),
            others: messages().filter(|row| !row.mine).count() as u64,
        }
    }
}

/// The conversation.
#[component]
pub fn Timeline(
    /// The open group.
    timeline: Store<TimelineState>,
    /// Older messages are on their way.
    #[prop(into)]
    loading: Signal<bool>,
    /// What it asks for.
    actions: TimelineActions,
) -> impl IntoView {
    let words = use_words();
    let scroller = NodeRef::<Div>::new();
    let place = Place::new(scroller);
    let fresh = RwSignal::new(0_u64);
    follow(timeline, place, fresh, actions.seen);
    let on_scroll = move |_| {
        place.measure();
        if place.near_end() {
            fresh.set(0);
            actions.seen.run(());
        }
        if place.near_start() && timeline.has_more().get_untracked() && !loading.get_untracked() {
            actions.older.run(());
        }
    };
    let to_latest = move |_| {
        // From the end of the rows the reader follows the newest ones to theirs.
        place.to_end();
        if timeline.has_newer().get_untracked() {
            actions.latest.run(());
        }
    };
    // A conversation of which something is missing is not empty.
    let fills = |row: &Row| matches!(row.kind.0, RowKind::Message | RowKind::Gap);
    let empty = move || !timeline.rows().read().iter().any(fills);
    view! {
        <div class="timeline">
            <div class="scroller" role="region" aria-label=words.messages tabindex="0" node_ref=scroller on:scroll=on_scroll>
                <div class="rows">
                    <Start timeline loading older=actions.older />
                    <Show when=empty>
                        <EmptyState title=words.empty_title text=words.empty_text />
                    </Show>
                    <For each=move || timeline.rows() key=|row| row.key() let:row>
                        <Bubble row=row.into() actions=actions.row />
                    </For>
                    <Show when=move || timeline.has_newer().get()>
                        <button class="older" type="button" data-testid="newest" on:click=to_latest>
                            {words.load_newest}
                        </button>
                    </Show>
                </div>
            </div>
            <Show when=move || place.away.get()>
                <button class="to-latest" type="button" on:click=to_latest>
                    {move || {
                        let fresh = fresh.get();
                        (fresh > 0).then(|| view! { <span class="badge">{(words.new_messages)(fresh)}</span> })
                    }}
                    <span class="to-latest-label">{words.to_latest}</span>
                    <Icon glyph=Glyph::Down />
                </button>
            </Show>
            <Announcer timeline />
        </div>
    }
    .erase()
}

/// Keeps the reader's place when rows change: once when the group is opened, and then after every change.
fn follow(timeline: Store<TimelineState>, place: Place, fresh: RwSignal<u64>, seen: Callback<()>) {
    Effect::new(move |before: Option<Shape>| {
        let after = Shape::of(&timeline.rows().read());
        match before {
            None => request_animation_frame(move || {
                place.open_at_unread();
                if place.near_end() {
                    seen.run(());
                }
            }),
            Some(before) if before != after => {
                let appended = before.last != after.last;
                let own = appended && after.last_is_mine;
                let came = if appended { after.others.saturating_sub(before.others) } else { 0 };
                request_animation_frame(move || {
                    if own || place.near_end() {
                        place.to_end();
                        seen.run(());
                    } else if appended {
                        place.keep_above();
                        fresh.update(|fresh| *fresh += came);
                    } else {
                        place.measure();
                    }
                });
            }
            // A row changed its text or state; nothing came or went.
            Some(_) => {}
        }
        after
    });
}

/// What stands above the first row: the way to older messages, or the start.
#[component]
fn Start(timeline: Store<TimelineState>, loading: Signal<bool>, older: Callback<()>) -> impl IntoView {
    let words = use_words();
    move || {
        if timeline.has_more().get() {
            let label = move || if loading.get() { words.loading } else { words.load_older };
            view! { <button class="older" type="button" on:click=move |_| older.run(())>{label}</button> }.erase()
        } else {
            view! { <p class="start">{words.conversation_start}</p> }.erase()
        }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests;
