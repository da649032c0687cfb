//! A new group: its name, an emoji, the days of the trip.

use caravana_protocol::limits::GROUP_NAME_CHARACTERS;
use caravana_protocol::rest::NewGroup;
use caravana_protocol::{Date, GroupName};
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;

use super::ListParts;
use crate::components::icon::{Glyph, Icon};
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
    Dates,
    Refused(String),
}

/// The fields that the reader fills in.
#[derive(Clone, Copy)]
struct Fields {
    name: NodeRef<Input>,
    starts: NodeRef<Input>,
    ends: NodeRef<Input>,
    emoji: RwSignal<Option<&'static str>>,
}

impl Fields {
    fn day(field: NodeRef<Input>) -> Option<Date> {
        field.get_untracked()?.value().parse().ok()
    }

    /// The group that the fields describe.
    fn group(self, device: &dyn crate::ports::Device) -> Result<NewGroup, Problem> {
        let name = self.name.get_untracked().map(|field| field.value()).unwrap_or_default();
        let name = GroupName::parse_with(&name, device).map_err(|_| Problem::Name)?;
        let (starts_on, ends_on) = (Self::day(self.starts), Self::day(self.ends));
        // A day that is half written has no value.
        let is_half = |field: NodeRef<Input>| field.get_untracked().is_some_and(|field| !field.check_validity());
        if is_half(self.starts)
            || is_half(self.ends)
            || starts_on.zip(ends_on).is_some_and(|(starts, ends)| ends < starts)
        {
            return Err(Problem::Dates);
        }
        let emoji = self.emoji.get_untracked().map(str::to_owned);
        Ok(NewGroup { emoji, starts_on, ends_on, ..NewGroup::named(name.as_str()) })
    }
}

/// The content of the sheet.
#[component]
pub(super) fn NewGroupSheet(
    /// What it needs.
    parts: ListParts,
) -> impl IntoView {
    let words = use_words();
    let device = use_device();
    let fields =
        Fields { name: NodeRef::new(), starts: NodeRef::new(), ends: NodeRef::new(), emoji: RwSignal::new(None) };
    let (problem, busy) = (RwSignal::new(None::<Problem>), RwSignal::new(false));
    Effect::new(move |_| fields.name.get().map(|field| field.focus()));
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(device) = device.clone().filter(|_| !busy.get_untracked()) else { return };
        let group = match fields.group(&*device) {
            Ok(group) => group,
            Err(wrong) => {
                let field = if wrong == Problem::Name { fields.name } else { fields.ends };
                let _ = field.get_untracked().map(|field| field.focus());
                return problem.set(Some(wrong));
            }
        };
        busy.set(true);
        problem.set(None);
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
        Some(Problem::Name | Problem::Dates) | None => String::new(),
    };
    view! {
        <form class="form new-group-sheet" novalidate on:submit=submit>
            <header class="dialog-head">
                <h2 class="dialog-title">{words.new_group}</h2>
                <button class="icon-button" type="button" aria-label=words.close on:click=close>
                    <Icon glyph=Glyph::Close />
                </button>
            </header>
            <NameField field=fields.name problem />
            <EmojiChoice chosen=fields.emoji />
            <TripDays fields problem />
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

#[component]
fn TripDays(fields: Fields, problem: RwSignal<Option<Problem>>) -> impl IntoView {
    let words = use_words();
    let is_wrong = move || problem.get() == Some(Problem::Dates);
    // The calendar of the last day begins with the first day.
    let first = RwSignal::new(String::new());
    let began = move |event| {
        first.set(event_target_value(&event));
        problem.set(None);
    };
    view! {
        <div class="trip-days">
            <label class="field">
                <span class="field-label">{words.list.trip_starts}</span>
                <input class="input" type="date" data-testid="trip-starts" node_ref=fields.starts on:input=began />
            </label>
            <label class="field">
                <span class="field-label">{words.list.trip_ends}</span>
                <input
                    class="input"
                    type="date"
                    min=move || first.get()
                    aria-invalid=move || is_wrong().then_some("true")
                    aria-describedby="trip-problem"
                    data-testid="trip-ends"
                    node_ref=fields.ends
                    on:input=move |_| problem.set(None)
                />
            </label>
        </div>
        <p class="field-hint">{words.list.trip_optional}</p>
        <p
            class="form-error"
            id="trip-problem"
            role="alert"
            {..says(move || if is_wrong() { words.list.trip_backwards } else { "" })}
        ></p>
    }
    .erase()
}
