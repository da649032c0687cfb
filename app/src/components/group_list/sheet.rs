//! What opens from the list of groups: what can be done with a group, the list of groups to go to, a new group.
//!
//! Its content is in a chunk, which the first opening loads.

use leptos::prelude::*;
use reactive_stores::Store;
use wasm_split_helpers::wasm_split;

use super::menu::GroupMenu;
use super::new_group::NewGroupSheet;
use super::switcher::Switcher;
use super::{ListActions, ListParts};
use crate::chat::store::{ChatState, ChatStateStoreFields as _, GroupRowStoreFields as _};
use crate::components::lazy::{NotLoaded, lazy, lazy_field};
use crate::components::sheet::Sheet;
use crate::erase::Erase as _;
use crate::i18n::use_words;

/// What is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListSubject {
    /// What can be done with this group.
    Menu(String),
    /// The groups to go to.
    Switch,
    /// A new group.
    New,
}

/// The dialog.
#[component]
pub(super) fn ListSheet(
    open: RwSignal<Option<ListSubject>>,
    chat: Store<ChatState>,
    current: Signal<String>,
    actions: ListActions,
) -> impl IntoView {
    let words = use_words();
    let close = Callback::new(move |()| open.set(None));
    let parts = ListParts { chat, current, actions, close };
    let label = move || match open.get() {
        Some(ListSubject::Menu(id)) => {
            (words.list.group_options)(&chat.groups().at_key(id).name().try_get_untracked().unwrap_or_default())
        }
        Some(ListSubject::Switch) => words.list.switch_group.to_owned(),
        Some(ListSubject::New) | None => words.new_group.to_owned(),
    };
    let content = move || open.get().map(|subject| sheet(subject, parts));
    let is_open = Signal::derive(move || open.read().is_some());
    view! { <Sheet name="list-sheet" label=Signal::derive(label) is_open close>{content}</Sheet> }.erase()
}

fn sheet(subject: ListSubject, parts: ListParts) -> AnyView {
    match subject {
        ListSubject::Menu(_) => lazy(async || Ok(load().await?), move || show(subject.clone(), parts)),
        ListSubject::Switch | ListSubject::New => {
            lazy_field(async || Ok(load().await?), move || show(subject.clone(), parts))
        }
    }
}

#[allow(clippy::unnecessary_wraps, reason = "a split point that may fail returns its error")]
#[wasm_split(list, fallible, preload(load))]
fn show(subject: ListSubject, parts: ListParts) -> Result<AnyView, NotLoaded> {
    Ok(match subject {
        ListSubject::Menu(id) => view! { <GroupMenu id parts /> }.erase(),
        ListSubject::Switch => view! { <Switcher parts /> }.erase(),
        ListSubject::New => view! { <NewGroupSheet parts /> }.erase(),
    })
}
