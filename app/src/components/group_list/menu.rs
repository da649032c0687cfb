//! What can be done with a group of the list.

use caravana_protocol::GroupId;
use caravana_protocol::rest::MinePatch;
use leptos::prelude::*;

use super::ListParts;
use crate::chat::lists::{self, SILENCES};
use crate::chat::store::{ChatStateStoreFields as _, GroupRow};
use crate::components::icon::{Glyph, Icon};
use crate::components::sheet::SheetPart;
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::use_device;
use crate::says::said;

/// What an entry does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Set(MinePatch),
    /// Mute for so many milliseconds; `None`: always.
    Mute(Option<i64>),
    Read,
}

/// An entry.
type Entry = (Glyph, &'static str, &'static str, Act);

/// The content of the menu.
#[component]
pub(super) fn GroupMenu(
    /// The group's id, as text.
    id: String,
    /// What the menu needs.
    parts: ListParts,
) -> impl IntoView {
    let device = use_device();
    let row = parts.chat.groups().at_key(id).try_get_untracked();
    let found = row.and_then(|row| Some((row.group()?, row)));
    let Some((group, row)) = found else { return ().erase() };
    let act = move |act: Act| {
        parts.close.run(());
        let set = |patch| parts.actions.set_mine.run((group, patch));
        match act {
            // The row goes elsewhere, and the focus stays in the list. One frame later, the menu has given it back.
            Act::Set(patch) if patch.archived.is_some() => {
                let device = device.clone();
                request_animation_frame(move || {
                    if let Some(device) = device {
                        device.focus_beside();
                    }
                    parts.actions.set_mine.try_run((group, patch));
                });
            }
            Act::Set(patch) => set(patch),
            Act::Mute(time) => {
                let now = device.as_ref().map(|device| device.now_millis()).unwrap_or_default();
                set(lists::mute(time, now));
            }
            Act::Read => parts.actions.read.run(group),
        }
    };
    let entry = move |(glyph, label, name, what): Entry| {
        let act = act.clone();
        view! {
            <button class="menu-item" type="button" data-testid=name on:click=move |_| act(what)>
                <Icon glyph />
                {label}
            </button>
        }
        .erase()
    };
    let entries = entries(&row, group, parts).into_iter().map(entry).collect_view();
    view! {
        <SheetPart>
            <p class="menu-title"><bdi {..said(row.name)}></bdi></p>
            <div class="menu-entries">{entries}</div>
        </SheetPart>
    }
    .erase()
}

fn entries(row: &GroupRow, group: GroupId, parts: ListParts) -> Vec<Entry> {
    let words = use_words();
    let list = &words.list;
    let favourite = MinePatch { favourite: Some(!row.favourite), ..MinePatch::default() };
    let archived = MinePatch { archived: Some(!row.archived), ..MinePatch::default() };
    let mut entries = Vec::new();
    if row.unread > 0 && parts.actions.can_read.run(group) {
        entries.push((Glyph::CheckTwice, list.mark_read, "mark-read", Act::Read));
    }
    let label = if row.favourite { list.remove_favourite } else { list.add_favourite };
    entries.push((Glyph::Star, label, "set-favourite", Act::Set(favourite)));
    if row.muted {
        let unmute = MinePatch { muted_until: Some(None), ..MinePatch::default() };
        entries.push((Glyph::BellOff, list.unmute, "unmute", Act::Set(unmute)));
    } else {
        let named = [(list.mute_hour, "mute-hour"), (list.mute_hours, "mute-hours"), (list.mute_always, "mute-always")];
        let silences = named.into_iter().zip(SILENCES);
        entries.extend(silences.map(|((label, name), silence)| (Glyph::BellOff, label, name, Act::Mute(silence))));
    }
    let label = if row.archived { list.unarchive } else { list.archive };
    entries.push((Glyph::Archive, label, "set-archived", Act::Set(archived)));
    entries
}
