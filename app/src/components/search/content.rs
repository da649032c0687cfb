//! The content of the panel: the field, where and what is searched, and the hits.
//!
//! The focus stays in the field while the arrows walk the hits: the field tells assistive technology which one is
//! chosen.

use caravana_protocol::{Date, UserId};
use leptos::ev::KeyboardEvent;
use leptos::html::Input;
use leptos::prelude::*;

use super::PanelParts;
use super::finder::Finder;
use super::results::{LIST, Results, hit_id};
use crate::chat::store::{TimelineState, TimelineStateStoreFields as _};
use crate::components::composing::is_composing;
use crate::components::icon::{Glyph, Icon};
use crate::components::lazy::go_on_typing;
use crate::erase::Erase as _;
use crate::fold::folded;
use crate::i18n::use_words;
use crate::ports::Scope;
use crate::says::said;
use reactive_stores::Store;

/// The content.
#[component]
pub fn Content(
    /// What it needs.
    parts: PanelParts,
) -> impl IntoView {
    let words = use_words();
    let PanelParts { shown, group, timeline, reader, actions, .. } = parts;
    let again = shown.words.get_untracked();
    let scope = if again.is_some() { Scope::All } else { Scope::Group(group) };
    let finder = Finder::new(scope, reader, actions);
    let field = NodeRef::<Input>::new();
    let typed = go_on_typing(field);
    let is_typing = !typed.is_empty();
    if is_typing {
        finder.type_text(typed);
    } else if let Some(text) = again {
        finder.type_text(text.clone());
        Effect::new(move |_| field.get().map(|field| field.set_value(&text)));
    }
    Effect::new(move |_| {
        let everywhere = finder.scope.get() == Scope::All;
        shown.words.set(everywhere.then(|| finder.text.get()).filter(|text| !text.is_empty()));
    });
    Effect::new(move |before: Option<()>| {
        shown.asked.track();
        let goes_on = is_typing && before.is_none();
        // In the next frame the panel is visible, and only then it can take the focus.
        request_animation_frame(move || {
            if let Some(field) = field.try_get_untracked().flatten().filter(|_| !goes_on) {
                drop(field.focus());
                field.select();
            }
        });
    });
    let keys = move |event: KeyboardEvent| {
        if is_composing(&event) {
            return;
        }
        let key = event.key();
        if key == "Enter" {
            event.prevent_default();
            finder.enter();
        } else if finder.walk(&key) {
            event.prevent_default();
        }
    };
    let has_hits = move || !finder.entries.read().is_empty();
    view! {
        <div class="search-panel" role="search">
            <header class="bar search-bar">
                <input
                    class="input search-field"
                    type="search"
                    role="combobox"
                    aria-controls=LIST
                    aria-autocomplete="list"
                    aria-expanded=move || has_hits().to_string()
                    aria-activedescendant=move || has_hits().then(|| hit_id(finder.chosen.get()))
                    aria-label=words.search.field
                    placeholder=words.search.field
                    autocomplete="off"
                    spellcheck="false"
                    enterkeyhint="search"
                    data-testid="search-field"
                    node_ref=field
                    on:input:target=move |event| finder.type_text(event.target().value())
                    on:keydown=keys
                    on:focus=move |_| shown.focused.set(true)
                    on:blur=move |_| shown.focused.set(false)
                />
            </header>
            <Place finder group=Scope::Group(group) />
            <Filters finder timeline />
            <Results finder keys=Callback::new(keys) />
        </div>
    }
    .erase()
}

/// Where is searched.
#[component]
fn Place(finder: Finder, group: Scope) -> impl IntoView {
    let words = use_words();
    let choice = move |scope: Scope, label: &'static str, name: &'static str| {
        view! {
            <button
                class="choice"
                type="button"
                data-testid=name
                aria-pressed=move || (finder.scope.get() == scope).to_string()
                on:click=move |_| finder.search_in(scope)
            >
                {label}
            </button>
        }
        .erase()
    };
    view! {
        <div class="choices search-place" role="group" aria-label=words.search.place>
            {choice(group, words.search.here, "search-here")}
            {choice(Scope::All, words.search.everywhere, "search-all")}
        </div>
    }
    .erase()
}

/// Whose messages, and of which days.
#[component]
fn Filters(finder: Finder, timeline: Store<TimelineState>) -> impl IntoView {
    let words = use_words();
    let people = move || {
        let mut people: Vec<(UserId, String)> =
            timeline.members().read().iter().map(|row| (row.user.0, row.name.clone())).collect();
        people.sort_by_cached_key(|(_, name)| folded(name));
        people
    };
    let person = move |(id, name): (UserId, String)| view! { <option value=id.to_string() {..said(name)}></option> };
    let chosen = move || finder.from.get().map(|id| id.to_string()).unwrap_or_default();
    let day = move |label: &'static str, name: &'static str, day: RwSignal<Option<Date>>| {
        view! {
            <label class="field">
                <span class="field-label">{label}</span>
                <input
                    class="input"
                    type="date"
                    data-testid=name
                    prop:value=move || day.get().map(|day| day.to_string()).unwrap_or_default()
                    on:change:target=move |event| {
                        day.set(event.target().value().parse().ok());
                        finder.search_soon();
                    }
                />
            </label>
        }
        .erase()
    };
    view! {
        <details class="search-filters">
            <summary class="search-summary" class:set=move || finder.is_filtered() data-testid="search-filters">
                <Icon glyph=Glyph::Preferences />
                {words.search.filters}
            </summary>
            <div class="search-filter-rows">
                <label class="field">
                    <span class="field-label">{words.search.person}</span>
                    <select
                        class="input"
                        data-testid="search-person"
                        translate="no"
                        prop:value=chosen
                        on:change:target=move |event| {
                            finder.from.set(event.target().value().parse().ok());
                            finder.search_soon();
                        }
                    >
                        <option value="">{words.search.anybody}</option>
                        <For each=people key=|(id, _)| *id children=person />
                    </select>
                </label>
                <div class="search-days">
                    {day(words.search.since, "search-since", finder.since)}
                    {day(words.search.until, "search-until", finder.until)}
                </div>
            </div>
        </details>
    }
    .erase()
}
