//! The conversation: rows in a scroller that keeps the reader's place.
//!
//! The scroller is laid out from its end (`column-reverse`). So it opens at the newest message before any script runs,
//! and older pages that are added above move nothing. [`viewport`] undoes every other move of the visible rows before
//! the browser paints. Only the rows near the window are in the document; two empty spaces represent the others
//! ([`crate::chat::virtual_list`]).

use caravana_client::Older;
use caravana_protocol::MessageId;
use leptos::html::Div;
use leptos::prelude::*;
use reactive_stores::Store;

use super::bubble::Bubble;
use super::first_invite::{Beginning, FirstInvite};
use super::icon::{Glyph, Icon};
use super::row_bar::{BarActions, RowBar};
use crate::chat::Opening;
use crate::chat::store::{TimelineState, TimelineStateStoreFields};
use crate::chat::virtual_list::VirtualList;
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::use_device;
use crate::says::{said, says};

mod actions;
pub mod announcer;
mod place;
mod viewport;

pub use actions::TimelineActions;
use announcer::Announcer;
use viewport::Viewport;

/// The conversation.
#[component]
pub fn Timeline(
    /// The open group.
    timeline: Store<TimelineState>,
    /// Which of its items have rows.
    virtual_list: StoredValue<VirtualList>,
    /// What is known of the reader's place in it.
    #[prop(optional)]
    opening: Opening,
    /// The message from which the reader went to another one.
    came_from: RwSignal<Option<MessageId>>,
    /// How others are invited into an empty group.
    #[prop(optional)]
    first: Option<FirstInvite>,
    /// Its callbacks.
    actions: TimelineActions,
) -> impl IntoView {
    let words = use_words();
    let scroller = NodeRef::<Div>::new();
    let viewport = Viewport::new(timeline, virtual_list, opening, actions);
    if let Some(device) = use_device() {
        viewport.look_at(scroller, device);
    }
    let to_latest = move |()| {
        // At the end of the loaded rows the reader follows, so when the newest messages are loaded, their rows come
        // into view.
        viewport.to_end();
        came_from.set(None);
        if timeline.has_newer().get_untracked() {
            actions.latest.run(());
        }
    };
    let day = move || viewport.day.get().unwrap_or_default();
    let bar = BarActions { reply: actions.reply, menu: actions.menu };
    let back = move |_| {
        if let Some(id) = came_from.get_untracked() {
            came_from.set(None);
            actions.jump.run(id);
        }
    };
    // A conversation with a gap is not empty.
    let empty = move || timeline.is_empty().get();
    view! {
        <div class="timeline">
            <div class="scroller" role="region" aria-label=words.messages tabindex="0" node_ref=scroller>
                <div class="rows">
                    <Start timeline older=actions.older />
                    <Show when=empty>
                        <Beginning timeline first />
                    </Show>
                    <div class="pad" aria-hidden="true"></div>
                    <For each=move || timeline.lines().read().all().to_vec() key=|line| line.key.clone() let:line>
                        <Bubble line actions=actions.row />
                    </For>
                    <div class="pad" aria-hidden="true"></div>
                    <Show when=move || timeline.has_newer().get()>
                        <End timeline newer=actions.newer to_latest=Callback::new(to_latest) />
                    </Show>
                </div>
            </div>
            // Both elements are always in the document, visible or not: the browser's smooth scrolling, for example
            // after the End key, stops when an element is added or removed. The label is hidden from screen readers,
            // because the separator also says the day.
            <div class="day day-on-top" class:shown=move || viewport.day.read().is_some() aria-hidden="true">
                <span {..says(day)}></span>
            </div>
            <button class="to-latest" class:shown=viewport.away type="button" on:click=move |_| to_latest(())>
                {move || {
                    let fresh = viewport.fresh.get();
                    (fresh > 0).then(|| view! { <span class="badge" {..said((words.new_messages)(fresh))}></span> })
                }}
                <span class="to-latest-label">{words.to_latest}</span>
                <Icon glyph=Glyph::Down />
            </button>
            <MentionButton mentions=viewport.mentions jump=actions.jump />
            <button class="go-back" class:shown=move || came_from.read().is_some() type="button" data-testid="go-back" on:click=back>
                <Icon glyph=Glyph::Back />
                {words.go_back}
            </button>
            <RowBar place=viewport.bar actions=bar />
            <Announcer timeline />
        </div>
    }
    .later()
}

/// Goes to the next message that mentions the reader and was not in view yet.
#[component]
fn MentionButton(mentions: RwSignal<Vec<MessageId>>, jump: Callback<MessageId>) -> impl IntoView {
    let words = use_words();
    let count = move || mentions.read().len();
    let go = move |_| {
        let first = mentions.with_untracked(|mentions| mentions.first().copied());
        if let Some(first) = first {
            mentions.update(|mentions| {
                mentions.remove(0);
            });
            jump.run(first);
        }
    };
    view! {
        <button
            class="to-mention"
            class:shown=move || count() != 0
            type="button"
            aria-label=move || (words.list.mentioned)(count() as u64)
            data-testid="to-mention"
            on:click=go
        >
            <span aria-hidden="true">"@"</span>
            <span class="badge" aria-hidden="true" {..says(move || count().to_string())}></span>
        </button>
    }
    .erase()
}

/// The element above the first row: the button that loads older messages, or the start of the conversation. Both have
/// the same height.
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

/// The element below the last row, if newer messages follow: the way to the newest, or to those that did not come.
#[component]
fn End(timeline: Store<TimelineState>, newer: Callback<bool>, to_latest: Callback<()>) -> impl IntoView {
    let words = use_words();
    let has_failed = move || timeline.newer_failed().get();
    let label = move || if has_failed() { words.older_failed } else { words.load_newest };
    let press = move |_| if untrack(has_failed) { newer.run(true) } else { to_latest.run(()) };
    view! { <button class="older" type="button" data-testid="newest" {..says(label)} on:click=press></button> }.erase()
}

#[cfg(all(test, feature = "ssr"))]
mod tests;
