//! A row of the list, and the button that opens what can be done with its group.

use std::time::Duration;

use caravana_protocol::UserId;
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use reactive_stores::{Field, Store};
use uuid::Uuid;

use crate::chat::store::{ChatState, ChatStateStoreFields as _, GroupRow, GroupRowStoreFields as _};
use crate::components::avatar::Avatar;
use crate::components::badge::{Badge, MentionBadge};
use crate::components::icon::{Glyph, Icon};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::paths;
use crate::says::{said, says};
use crate::time::Reader;

/// A finger that stays this long on a row opens its menu.
const LONG_PRESS: Duration = Duration::from_millis(450);

/// The row. Its group may be gone a moment before the row is.
#[component]
pub(super) fn GroupLink(
    chat: Store<ChatState>,
    id: String,
    open: Signal<String>,
    reader: Signal<Reader>,
    menu: Callback<String>,
) -> impl IntoView {
    let words = use_words();
    let row: Field<GroupRow> = chat.groups().at_key(id.clone()).into();
    let href = paths::group(&id);
    let current = {
        let id = id.clone();
        move || (open.get() == id).then_some("page")
    };
    let when = move || {
        let at = row.at().try_get().and_then(|at| at.0);
        at.map(|at| reader.get().short_label(words, at)).unwrap_or_default()
    };
    let name = Signal::derive(move || row.name().try_get().unwrap_or_default());
    let emoji = Signal::derive(move || row.emoji().try_get().and_then(|emoji| emoji.0));
    let peer = row.peer().try_get_untracked().and_then(|peer| peer.0);
    let avatar_id = peer.map(UserId::uuid).or_else(|| Uuid::try_parse(&id).ok());
    let press = LongPress::new(id.clone(), menu);
    let label = move || (words.list.group_options)(&name.read());
    let ask = {
        let id = id.clone();
        move |_| menu.run(id.clone())
    };
    view! {
        <li class="group-item">
            <a
                class="group-row"
                href=href
                data-testid="group-link"
                data-id=id
                aria-current=current
                on:touchstart=move |_| press.begin()
                on:touchmove=move |_| press.end()
                on:touchend=move |_| press.end()
                on:touchcancel=move |_| press.end()
                on:contextmenu=move |event| press.asked(&event)
            >
                <Avatar id=avatar_id name emoji group=peer.is_none() />
                <span class="group-text">
                    <span class="group-line">
                        <bdi class="group-name" {..says(move || name.get())}></bdi>
                        <Marks row />
                        <span class="group-time" {..says(when)}></span>
                    </span>
                    <span class="group-line"><Preview row /><Badges row /></span>
                </span>
            </a>
            <button class="icon-button group-menu" type="button" aria-haspopup="dialog" aria-label=label data-testid="group-menu" on:click=ask>
                <Icon glyph=Glyph::More />
            </button>
        </li>
    }
    .erase()
}

/// A finger that stays on a row.
#[derive(Clone, Copy)]
struct LongPress {
    id: StoredValue<String>,
    menu: Callback<String>,
    timer: StoredValue<Option<TimeoutHandle>>,
    touches: StoredValue<bool>,
}

impl LongPress {
    fn new(id: String, menu: Callback<String>) -> Self {
        let press =
            Self { id: StoredValue::new(id), menu, timer: StoredValue::new(None), touches: StoredValue::new(false) };
        on_cleanup(move || press.end());
        press
    }

    fn begin(self) {
        self.end();
        let open = move || {
            if let Some(id) = self.id.try_get_value() {
                self.menu.run(id);
            }
        };
        self.touches.set_value(true);
        self.timer.set_value(set_timeout_with_handle(open, LONG_PRESS).ok());
    }

    fn end(self) {
        if let Some(timer) = self.timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    }

    /// The browser's own menu of the link would cover ours. A mouse has it as ever.
    fn asked(self, event: &MouseEvent) {
        if self.touches.get_value() {
            event.prevent_default();
        }
    }
}

/// Favourite, muted.
#[component]
fn Marks(row: Field<GroupRow>) -> impl IntoView {
    let words = use_words();
    let mark = |glyph, label: &'static str| {
        view! {
            <span class="group-mark" title=label>
                <Icon glyph />
                <span class="visually-hidden">{label}</span>
            </span>
        }
        .erase()
    };
    let star = move || row.favourite().try_get().unwrap_or_default().then(|| mark(Glyph::Star, words.list.favourite));
    let bell = move || row.muted().try_get().unwrap_or_default().then(|| mark(Glyph::BellOff, words.list.muted));
    view! { {star} {bell} }.erase()
}

/// Who is typing, or what the reader has not sent, or the last message.
#[component]
fn Preview(row: Field<GroupRow>) -> impl IntoView {
    let words = use_words();
    move || {
        let typing = row.typing().try_get().unwrap_or_default();
        let draft = row.draft().try_get().unwrap_or_default();
        if !typing.is_empty() {
            view! { <span class="group-preview group-typing" {..said((words.typing)(&typing))}></span> }.erase()
        } else if !draft.is_empty() {
            view! {
                <span class="group-preview">
                    <span class="group-draft">{words.list.draft}</span>
                    <bdi {..said(draft)}></bdi>
                </span>
            }
            .erase()
        } else {
            view! { <bdi class="group-preview" {..said(row.preview().try_get().unwrap_or_default())}></bdi> }.erase()
        }
    }
}

/// What is unread.
#[component]
fn Badges(row: Field<GroupRow>) -> impl IntoView {
    let mentions = Signal::derive(move || row.mentions().try_get().unwrap_or_default());
    let unread = Signal::derive(move || row.unread().try_get().unwrap_or_default());
    let quiet = Signal::derive(move || row.muted().try_get().unwrap_or_default());
    view! { <span class="group-badges"><MentionBadge count=mentions /> <Badge count=unread quiet /></span> }.erase()
}
