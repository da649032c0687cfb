//! The groups to go to, by typing and the arrows. The focus stays in the field, which tells assistive technology what is
//! chosen.

use caravana_protocol::UserId;
use leptos::ev::KeyboardEvent;
use leptos::html::Input;
use leptos::prelude::*;
use uuid::Uuid;

use super::ListParts;
use crate::chat::lists;
use crate::chat::store::{ChatStateStoreFields as _, GroupRow};
use crate::components::avatar::Avatar;
use crate::components::badge::Badge;
use crate::components::composing::is_composing;
use crate::components::lazy::go_on_typing;
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::paths;
use crate::ports::use_device;
use crate::says::{said, says};

/// So many groups are shown: more than anybody reads.
const FOUND: usize = 50;
/// The id of the list; only the open dialog has one.
const LIST: &str = "switch-list";

fn option_id(number: usize) -> String {
    format!("{LIST}-{number}")
}

/// The content of the dialog.
#[component]
pub(super) fn Switcher(
    /// What it needs.
    parts: ListParts,
) -> impl IntoView {
    let words = use_words();
    let device = use_device();
    let ListParts { chat, current, actions, close } = parts;
    let field = NodeRef::<Input>::new();
    let (query, active) = (RwSignal::new(go_on_typing(field)), RwSignal::new(0_usize));
    // The order is that of the moment when the reader wrote: a message that comes must not change what Enter opens.
    let found = Memo::new(move |_| {
        let rows = chat.groups().try_read_untracked();
        rows.map(|rows| lists::to_switch(&rows, &query.read(), &current.read_untracked(), FOUND)).unwrap_or_default()
    });
    let go = Callback::new(move |number: usize| {
        let id = found.with_untracked(|found| found.get(number).cloned());
        if let Some(id) = id {
            close.run(());
            actions.go.run(paths::group(id));
        }
    });
    let keys = move |event: KeyboardEvent| {
        let (count, now) = (found.read_untracked().len(), active.get_untracked());
        let next = match event.key().as_str() {
            "ArrowDown" => (now + 1) % count.max(1),
            "ArrowUp" => (now + count.max(1) - 1) % count.max(1),
            "Enter" if !is_composing(&event) => {
                event.prevent_default();
                return go.run(now);
            }
            _ => return,
        };
        event.prevent_default();
        active.set(next);
        if let Some(device) = &device {
            device.reveal(&option_id(next));
        }
    };
    let written = move |event| {
        active.set(0);
        query.set(event_target_value(&event));
    };
    let options = move || {
        let ids = found.get();
        let rows = ids.into_iter().filter_map(|id| chat.groups().at_key(id).try_get_untracked());
        rows.enumerate().map(|(number, row)| view! { <SwitchOption number row active go /> }.erase()).collect_view()
    };
    let none = move || if found.read().is_empty() { words.list.no_group_found } else { "" };
    view! {
        <div class="switcher">
            <input
                class="input"
                type="text"
                role="combobox"
                autofocus
                autocomplete="off"
                aria-expanded="true"
                aria-autocomplete="list"
                aria-controls=LIST
                aria-activedescendant=move || (!found.read().is_empty()).then(|| option_id(active.get()))
                aria-label=words.list.switch_group
                placeholder=words.list.switch_group
                data-testid="switch-field"
                node_ref=field
                on:input=written
                on:keydown=keys
            />
            <ul class="switch-options" role="listbox" id=LIST aria-label=words.groups>{options}</ul>
            <p class="groups-none" role="status" {..says(none)}></p>
        </div>
    }
    .erase()
}

#[component]
fn SwitchOption(number: usize, row: GroupRow, active: RwSignal<usize>, go: Callback<usize>) -> impl IntoView {
    let GroupRow { id, name, peer, emoji, unread, muted, .. } = row;
    let avatar = peer.0.map(UserId::uuid).or_else(|| Uuid::try_parse(&id).ok());
    view! {
        <li
            class="switch-option"
            role="option"
            id=option_id(number)
            aria-selected=move || (active.get() == number).to_string()
            data-testid="switch-option"
            on:click=move |_| go.run(number)
        >
            <Avatar id=avatar name=name.clone() emoji=Signal::stored(emoji.0) group=peer.0.is_none() />
            <bdi class="switch-name" {..said(name)}></bdi>
            <Badge count=Signal::stored(unread) quiet=Signal::stored(muted) />
        </li>
    }
    .erase()
}
