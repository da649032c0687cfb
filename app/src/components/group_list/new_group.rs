//! A new group: its name, an emoji, the days of the trip.

use caravana_protocol::GroupName;
use caravana_protocol::limits::GROUP_NAME_CHARACTERS;
use caravana_protocol::rest::NewGroup;
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;

use super::ListParts;
use crate::components::icon::{Glyph, Icon};
use crate::components::lazy::go_on_typing;
use crate::components::trip_days::{DayFields, TripDays};
use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::ports::use_device;
use crate::says::{said, says};

/// What trips are about.
const EMOJI: [&str; 12] = ["🏖️", "🏔️", "🏕️", "🏙️", "🌮", "🚌", "✈️", "🚗", "⛵", "🎿", "🎉", "🌎"];

/// What is wrong with the form.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    Name,
    Refused(String),
}

/// The content of the sheet.
#[component]
pub(super) fn NewGroupSheet(
    /// What it needs.
    parts: ListParts,
) -> impl IntoView {
    let words = use_words();
    let device = use_device();
    let (name, days) = (NodeRef::<Input>::new(), DayFields::new());
    let emoji = RwSignal::new(None::<&'static str>);
    let (problem, busy) = (RwSignal::new(None::<Problem>), RwSignal::new(false));
    go_on_typing(name);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(device) = device.clone().filter(|_| !busy.get_untracked()) else { return };
        let Some(field) = name.get_untracked() else { return };
        let Ok(called) = GroupName::parse_with(&field.value(), &*device) else {
            drop(field.focus());
            return problem.set(Some(Problem::Name));
        };
        problem.set(None);
        let Some((starts_on, ends_on)) = days.days() else { return };
        let emoji = emoji.get_untracked().map(str::to_owned);
        let group = NewGroup { emoji, starts_on, ends_on, ..NewGroup::named(called.as_str()) };
        busy.set(true);
        let answer = parts.actions.create.run(group);
        leptos::task::spawn_local(async move {
            match answer.await {
                Ok(group) => {
                    parts.close.try_run(());
                    parts.actions.made.try_run(group);
                }
                Err(error) => {
                    problem.try_set(Some(Problem::Refused(explain(words, error.code()))));
                    busy.try_set(false);
                }
            }
        });
    };
    let close = move |_| parts.close.run(());
    let refused = move || match problem.get() {
        Some(Problem::Refused(text)) => text,
        Some(Problem::Name) | None => String::new(),
    };
    view! {
        <form class="form new-group-sheet" novalidate on:submit=submit>
            <header class="dialog-head">
                <h2 class="dialog-title">{words.new_group}</h2>
                <button class="icon-button" type="button" aria-label=words.close on:click=close>
                    <Icon glyph=Glyph::Close />
                </button>
            </header>
            <NameField field=name problem />
            <EmojiChoice chosen=emoji />
            <TripDays fields=days />
            <p class="field-hint">{words.list.trip_optional}</p>
            <p class="form-error" role="alert" {..says(refused)}></p>
            <button class="button" type="submit" data-testid="create-group" disabled=busy>{words.create}</button>
        </form>
    }
    .erase()
}

#[component]
fn NameField(field: NodeRef<Input>, problem: RwSignal<Option<Problem>>) -> impl IntoView {
    let words = use_words();
    let is_wrong = move || problem.get() == Some(Problem::Name);
    view! {
        <label class="field">
            <span class="field-label">{words.new_group_name}</span>
            <input
                class="input"
                autofocus
                required
                maxlength=GROUP_NAME_CHARACTERS.to_string()
                autocomplete="off"
                aria-invalid=move || is_wrong().then_some("true")
                aria-describedby="new-group-name-problem"
                data-testid="new-group-name"
                node_ref=field
            />
        </label>
        <p
            class="form-error"
            id="new-group-name-problem"
            role="alert"
            {..says(move || if is_wrong() { words.list.name_needed } else { "" })}
        ></p>
    }
    .erase()
}

#[component]
fn EmojiChoice(chosen: RwSignal<Option<&'static str>>) -> impl IntoView {
    let words = use_words();
    let choice = move |emoji: Option<&'static str>| {
        let pressed = move || (chosen.get() == emoji).to_string();
        let label = emoji.is_none().then_some(words.list.no_group_emoji);
        view! {
            <button
                class="quick"
                type="button"
                aria-pressed=pressed
                aria-label=label
                title=label
                data-testid="group-emoji"
                on:click=move |_| chosen.set(emoji)
            >
                {match emoji {
                    Some(emoji) => view! { <span {..said(emoji)}></span> }.erase(),
                    None => view! { <Icon glyph=Glyph::Close /> }.erase(),
                }}
            </button>
        }
        .erase()
    };
    let choices = std::iter::once(None).chain(EMOJI.map(Some)).map(choice).collect_view();
    view! {
        <div class="field" role="group" aria-label=words.list.group_emoji>
            <span class="field-label" aria-hidden="true">{words.list.group_emoji}</span>
            <div class="emoji-choice">{choices}</div>
        </div>
    }
    .erase()
}
