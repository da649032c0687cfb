//! The form of those who manage the group: its name, emoji, days, zone, and who may invite.

use caravana_protocol::GroupName;
use caravana_protocol::limits::GROUP_NAME_CHARACTERS;
use caravana_protocol::rest::GroupPatch;
use leptos::ev::SubmitEvent;
use leptos::html::{Input, Select};
use leptos::prelude::*;

use super::SheetParts;
use crate::chat::store::TimelineStateStoreFields as _;
use crate::chat::trip::Trip;
use crate::components::emoji_picker::EmojiPicker;
use crate::components::icon::{Glyph, Icon};
use crate::components::trip_days::{DayFields, TripDays};
use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::ports::use_device;
use crate::says::says;

/// What the form contains besides the emoji, which no field has.
#[derive(Clone, Copy)]
struct Fields {
    name: NodeRef<Input>,
    days: DayFields,
    zone: NodeRef<Select>,
    everybody: NodeRef<Input>,
}

/// What the form showed when it was opened or last saved.
#[derive(Clone, PartialEq, Eq)]
struct Shown {
    name: String,
    everybody: bool,
    trip: Trip,
}

impl Shown {
    /// What the reader did not touch is left out: somebody else may have changed it meanwhile.
    fn differs_from(&self, before: &Self) -> GroupPatch {
        fn differs<T: PartialEq + Clone>(now: &T, before: &T) -> Option<T> {
            (now != before).then(|| now.clone())
        }
        GroupPatch {
            name: differs(&self.name, &before.name),
            time_zone: differs(&self.trip.time_zone, &before.trip.time_zone).flatten(),
            members_can_invite: differs(&self.everybody, &before.everybody),
            emoji: differs(&self.trip.emoji, &before.trip.emoji),
            starts_on: differs(&self.trip.starts_on, &before.trip.starts_on),
            ends_on: differs(&self.trip.ends_on, &before.trip.ends_on),
        }
    }
}

/// The form.
#[component]
pub fn Properties(
    /// What the sheet needs.
    parts: SheetParts,
) -> impl IntoView {
    let words = use_words();
    let device = use_device();
    let SheetParts { timeline, actions, .. } = parts;
    let fields =
        Fields { name: NodeRef::new(), days: DayFields::new(), zone: NodeRef::new(), everybody: NodeRef::new() };
    let first = StoredValue::new(Shown {
        name: timeline.name().get_untracked(),
        everybody: timeline.members_can_invite().get_untracked(),
        trip: timeline.trip().get_untracked().0,
    });
    let emoji = RwSignal::new(timeline.trip().read_untracked().emoji.clone());
    let first_days = first.with_value(|first| (first.trip.starts_on, first.trip.ends_on));
    let told = RwSignal::new(None::<Result<(), String>>);
    let busy = RwSignal::new(false);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let (Some(name), Some(everybody), Some(device)) =
            (fields.name.get_untracked(), fields.everybody.get_untracked(), &device)
        else {
            return;
        };
        let Ok(name) = GroupName::parse_with(&name.value(), &**device) else {
            told.set(Some(Err(words.list.name_needed.to_owned())));
            return;
        };
        told.set(None);
        let Some((starts_on, ends_on)) = fields.days.days() else { return };
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let zone = fields.zone.get_untracked().map(|zone| zone.value());
        let time_zone = zone.filter(|zone| !zone.is_empty());
        let now = Shown {
            name: name.as_str().to_owned(),
            everybody: everybody.checked(),
            trip: Trip { emoji: emoji.get_untracked(), starts_on, ends_on, time_zone },
        };
        let changed = actions.update.run(now.differs_from(&first.get_value()));
        leptos::task::spawn_local(async move {
            let result = changed.await.map(drop).map_err(|error| explain(words, error.code()));
            if result.is_ok() {
                first.try_set_value(now);
            }
            told.try_set(Some(result));
            busy.try_set(false);
        });
    };
    let problem = move || told.get().and_then(Result::err).unwrap_or_default();
    let saved = move || if told.get() == Some(Ok(())) { words.saved } else { "" };
    view! {
        <form class="form" novalidate on:submit=submit>
            <NameAndEmoji parts field=fields.name emoji />
            <TripDays fields=fields.days first=first_days />
            <ZoneField parts field=fields.zone />
            <label class="check">
                <input
                    type="checkbox"
                    data-testid="everybody-invites"
                    checked=timeline.members_can_invite().get_untracked()
                    node_ref=fields.everybody
                />
                {words.everybody_invites}
            </label>
            <p class="form-error" role="alert" {..says(problem)}></p>
            <div class="form-line">
                <button class="button" type="submit" data-testid="save-group" disabled=busy>{words.save}</button>
                <span class="field-hint" role="status" {..says(saved)}></span>
            </div>
        </form>
    }
    .erase()
}

#[component]
fn NameAndEmoji(parts: SheetParts, field: NodeRef<Input>, emoji: RwSignal<Option<String>>) -> impl IntoView {
    let words = use_words();
    let SheetParts { timeline, emojis, .. } = parts;
    let choosing = RwSignal::new(false);
    let chosen = Callback::new(move |sign: String| emoji.set(Some(sign)));
    let sign = move || emoji.get().unwrap_or_default();
    let remove = move || {
        emoji.read().is_some().then(|| {
            view! {
                <button class="icon-button" type="button" aria-label=words.list.no_group_emoji title=words.list.no_group_emoji on:click=move |_| emoji.set(None)>
                    <Icon glyph=Glyph::Close />
                </button>
            }
        })
    };
    view! {
        <div class="field">
            <span class="field-label">{words.list.group_emoji}</span>
            <div class="form-line">
                <button
                    class="button button-soft group-emoji"
                    type="button"
                    data-testid="group-emoji"
                    aria-label=move || (words.trip.choose_emoji)(&sign())
                    on:click=move |_| choosing.set(true)
                >
                    <span aria-hidden="true" translate="no" {..says(sign)}></span>
                    <Show when=move || emoji.read().is_none()><Icon glyph=Glyph::Smile /></Show>
                </button>
                {remove}
            </div>
        </div>
        <EmojiPicker open=choosing emojis chosen />
        <label class="field">
            <span class="field-label">{words.group_name}</span>
            <input
                class="input"
                required
                maxlength=GROUP_NAME_CHARACTERS.to_string()
                autocomplete="off"
                data-testid="group-name"
                value=timeline.name().get_untracked()
                node_ref=field
            />
        </label>
    }
    .erase()
}

/// The zone of the place. A zone that was chosen can be replaced, and not taken away.
#[component]
fn ZoneField(parts: SheetParts, field: NodeRef<Select>) -> impl IntoView {
    let words = use_words();
    let chosen = parts.timeline.trip().read_untracked().time_zone.clone();
    let (own, mut zones) = use_device().map(|device| device.zones()).unwrap_or_default();
    // A browser may call a zone by another name, or tell none.
    for zone in chosen.iter().chain(&own) {
        if !zones.contains(zone) {
            zones.push(zone.clone());
        }
    }
    zones.sort_unstable();
    let option = |zone: String| {
        let selected = chosen.as_ref() == Some(&zone);
        view! { <option value=zone.clone() selected=selected>{zone.replace('_', " ")}</option> }
    };
    let none = chosen.is_none().then(|| view! { <option value="" selected=true>{words.trip.no_place}</option> });
    view! {
        <label class="field">
            <span class="field-label">{words.trip.place_zone}</span>
            <select class="input" data-testid="time-zone" translate="no" node_ref=field>
                {none}
                {zones.into_iter().map(option).collect::<Vec<_>>()}
            </select>
        </label>
    }
    .erase()
}
