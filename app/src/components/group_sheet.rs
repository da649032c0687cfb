//! What can be done with the group and with a member of it.
//!
//! Its content is in a chunk: most people never rename a group or give a role. What changed comes back as an event of
//! the group, so this sheet changes nothing on the screen by itself.

use caravana_protocol::rest::{Group, GroupPatch, Mine, MinePatch};
use caravana_protocol::{Role, UserId};
use leptos::prelude::*;
use reactive_stores::Store;
use wasm_split_helpers::wasm_split;

use super::lazy::{NotLoaded, lazy};
use super::sheet::Sheet;
use crate::chat::store::{MemberRow, TimelineState, TimelineStateStoreFields as _};
use crate::emoji::Emojis;
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::ApiFuture;

pub mod member;
pub mod notices;
pub mod person;
pub mod properties;
pub mod question;
pub mod settings;

use member::MemberSheet;
use settings::Settings;

/// What the sheet is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SheetSubject {
    /// The group.
    Group,
    /// A member.
    Member(MemberRow),
}

/// The sheet's calls to the server.
#[derive(Clone, Copy)]
pub struct GroupActions {
    /// Change the group.
    pub update: Callback<GroupPatch, ApiFuture<Group>>,
    /// End the group for everybody.
    pub delete: Callback<(), ApiFuture<()>>,
    /// Give a member a role.
    pub set_role: Callback<(UserId, Role), ApiFuture<()>>,
    /// Remove a member; the reader leaves.
    pub remove: Callback<UserId, ApiFuture<()>>,
    /// Open the conversation with a person.
    pub direct: Callback<UserId, ApiFuture<()>>,
    /// The reader's own settings of the group, if it is in the list.
    pub mine: Callback<(), Option<Mine>>,
    /// Change them.
    pub set_mine: Callback<MinePatch>,
    /// The reader has no group here any more: go to the list.
    pub gone: Callback<()>,
}

/// What its content needs.
#[derive(Clone, Copy)]
pub struct SheetParts {
    /// The open group.
    pub timeline: Store<TimelineState>,
    /// The reader.
    pub me: UserId,
    /// The calls to the server.
    pub actions: GroupActions,
    /// The emoji to choose from.
    pub emojis: Emojis,
    /// Closes the sheet.
    pub close: Callback<()>,
}

/// The sheet.
#[component]
pub fn GroupSheet(
    /// What it is open for; closing it sets `None`.
    open: RwSignal<Option<SheetSubject>>,
    /// The open group.
    timeline: Store<TimelineState>,
    /// The reader.
    me: UserId,
    /// Its calls to the server.
    actions: GroupActions,
    /// The emoji to choose from.
    emojis: Emojis,
) -> impl IntoView {
    let words = use_words();
    let close = Callback::new(move |()| open.set(None));
    let parts = SheetParts { timeline, me, actions, emojis, close };
    let label = move || match open.get() {
        Some(SheetSubject::Member(member)) => (words.member_actions)(&member.name),
        Some(SheetSubject::Group) | None => match timeline.peer().try_get().and_then(|peer| peer.0) {
            Some(_) => words.direct.details.to_owned(),
            None => words.group_settings.to_owned(),
        },
    };
    let content = move || open.get().map(|subject| sheet(subject, parts));
    let is_open = Signal::derive(move || open.read().is_some());
    view! { <Sheet name="group-sheet" label=Signal::derive(label) is_open close>{content}</Sheet> }.erase()
}

fn sheet(subject: SheetSubject, parts: SheetParts) -> AnyView {
    lazy(async || Ok(load().await?), move || show(subject.clone(), parts))
}

#[allow(clippy::unnecessary_wraps, reason = "a split point that may fail returns its error")]
#[wasm_split(group, fallible, preload(load))]
fn show(subject: SheetSubject, parts: SheetParts) -> Result<AnyView, NotLoaded> {
    Ok(match subject {
        SheetSubject::Group => view! { <Settings parts /> }.erase(),
        SheetSubject::Member(member) => view! { <MemberSheet member parts /> }.erase(),
    })
}
