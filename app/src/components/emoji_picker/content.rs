//! The content of the open dialog.
//!
//! The focus stays in the search field while the arrows walk the grid: the field tells assistive technology which emoji
//! is chosen. On a screen that is touched, the focus goes to the grid instead, so that no keyboard covers it.

use leptos::ev::KeyboardEvent;
use leptos::html::{Div, ElementType, Input};
use leptos::prelude::*;

use super::Choosing;
use crate::components::composing::is_composing;
use crate::components::icon::{Glyph, Icon};
use crate::components::lazy::take_typed;
use crate::emoji::{Emoji, Emojis, List, Loaded, TONES, Tone};
use crate::erase::Erase as _;
use crate::i18n::{Lang, use_lang, use_words};
use crate::ports::{Device, use_device};
use crate::says::said;

/// The emoji in a row. The style sheet has the same number.
const COLUMNS: usize = 7;
/// So many are shown of what is found: more than anybody reads.
const FOUND: usize = 140;
/// The id of the grid; only the open dialog has one.
const GRID: &str = "emoji-grid";
/// The hand that shows the skin tones.
const HAND: char = '✋';

/// What the grid shows while nothing is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Tab {
    Recent,
    Group(usize),
}

/// An emoji of the grid.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Cell {
    sign: String,
    name: String,
}

/// What is looked for, and what is found.
#[derive(Clone, Copy)]
struct Search {
    emojis: Emojis,
    query: RwSignal<String>,
    tab: RwSignal<Option<Tab>>,
    cells: Memo<Vec<Cell>>,
    active: RwSignal<usize>,
    /// The arrows were used, so that those to the sides walk the grid, too, and do not move the caret.
    walks: RwSignal<bool>,
}

impl Search {
    fn new(emojis: Emojis, lang: Lang) -> Self {
        let query = RwSignal::new(String::new());
        let tab = RwSignal::new(None);
        let cells = Memo::new(move |_| {
            let Some(list) = emojis.list() else { return Vec::new() };
            let tone = emojis.tone();
            let cell = |emoji: &Emoji| Cell { sign: emoji.toned(tone), name: emoji.name(lang).to_owned() };
            let query = query.read();
            if !query.trim().is_empty() {
                return list.find(&query, FOUND).into_iter().map(cell).collect();
            }
            match tab.get().unwrap_or_else(|| first_tab(emojis)) {
                Tab::Recent => recent(emojis, &list, lang),
                Tab::Group(number) => list.group(number).iter().map(cell).collect(),
            }
        });
        Self { emojis, query, tab, cells, active: RwSignal::new(0), walks: RwSignal::new(false) }
    }

    fn look_for(self, text: String) {
        self.active.set(0);
        self.walks.set(false);
        self.query.set(text);
    }

    fn open(self, tab: Tab) {
        self.look_for(String::new());
        self.tab.set(Some(tab));
    }

    /// The tab that is shown.
    fn shows(self) -> Option<Tab> {
        let searches = !self.query.read().trim().is_empty();
        (!searches).then(|| self.tab.get().unwrap_or_else(|| first_tab(self.emojis)))
    }

    /// Moves the choice. Returns whether the key does so.
    fn walk(self, key: &str) -> bool {
        let count = self.cells.read_untracked().len();
        let free = self.walks.get_untracked() || self.query.read_untracked().is_empty();
        let now = self.active.get_untracked();
        let next = match key {
            "ArrowDown" => now + COLUMNS,
            "ArrowUp" => now.saturating_sub(COLUMNS),
            "ArrowRight" if free => now + 1,
            "ArrowLeft" if free => now.saturating_sub(1),
            _ => return false,
        };
        self.walks.set(true);
        self.active.set(next.min(count.saturating_sub(1)));
        true
    }
}

fn first_tab(emojis: Emojis) -> Tab {
    if emojis.recent().is_empty() { Tab::Group(0) } else { Tab::Recent }
}

fn recent(emojis: Emojis, list: &List, lang: Lang) -> Vec<Cell> {
    let name = |sign: &str| list.of(sign).map_or(sign, |emoji| emoji.name(lang)).to_owned();
    emojis.recent().into_iter().map(|sign| Cell { name: name(&sign), sign }).collect()
}

fn cell_id(number: usize) -> String {
    format!("{GRID}-{number}")
}

/// The content.
#[component]
pub fn Content(
    /// The emoji, and who takes the chosen one.
    choosing: Choosing,
) -> impl IntoView {
    let words = use_words();
    let Choosing { emojis, done } = choosing;
    let search = Search::new(emojis, use_lang());
    search.look_for(take_typed());
    let device = use_device();
    let field = NodeRef::<Input>::new();
    let grid = NodeRef::<Div>::new();
    follow(search, field, grid, device);
    let keys = move |event: KeyboardEvent| {
        if is_composing(&event) {
            return;
        }
        let key = event.key();
        if key == "Enter" {
            event.prevent_default();
            let cell = search.cells.read_untracked().get(search.active.get_untracked()).cloned();
            if let Some(cell) = cell {
                done.run(Some(cell.sign));
            }
        } else if search.walk(&key) {
            event.prevent_default();
        }
    };
    let shown = move || {
        match emojis.loaded() {
        Loaded::Not | Loaded::Coming => {
            view! { <p class="dialog-text" role="status">{words.loading}</p> }.erase()
        }
        Loaded::Missing => view! {
            <p class="form-error" role="alert">{words.error_network}</p>
            <button class="button" type="button" data-testid="emoji-again" on:click=move |_| emojis.load()>{words.retry}</button>
        }
        .erase(),
        Loaded::Here(_) => view! { <Grid search grid keys=Callback::new(keys) done /> }.erase(),
    }
    };
    view! {
        <div class="picker-head">
            <input
                class="input picker-field"
                type="text"
                inputmode="search"
                role="combobox"
                aria-expanded="true"
                aria-controls=GRID
                aria-activedescendant=move || (!search.cells.read().is_empty()).then(|| cell_id(search.active.get()))
                aria-label=words.search_emoji
                placeholder=words.search_emoji
                autocomplete="off"
                data-testid="emoji-search"
                node_ref=field
                prop:value=move || search.query.get()
                on:input=move |event| search.look_for(event_target_value(&event))
                on:keydown=keys
            />
            <button class="icon-button" type="button" aria-label=words.close title=words.close data-testid="emoji-close" on:click=move |_| done.run(None)>
                <Icon glyph=Glyph::Close />
            </button>
        </div>
        <Tabs search />
        <div class="picker-shown">{shown}</div>
        <Tones search />
    }
    .erase()
}

/// Brings the focus to the field, and the chosen emoji into view.
fn follow(search: Search, field: NodeRef<Input>, grid: NodeRef<Div>, device: Option<std::sync::Arc<dyn Device>>) {
    let Some(device) = device else { return };
    let by_finger = device.touch();
    Effect::new(move |_| {
        let field = field.get();
        let grid: Option<<Div as ElementType>::Output> = grid.get();
        if by_finger {
            if let Some(grid) = grid {
                drop(grid.focus());
            }
        } else if let Some(field) = field {
            drop(field.focus());
        }
    });
    Effect::new(move |_| device.reveal(&cell_id(search.active.get())));
}

#[component]
fn Grid(
    search: Search,
    grid: NodeRef<Div>,
    keys: Callback<KeyboardEvent>,
    done: Callback<Option<String>>,
) -> impl IntoView {
    let words = use_words();
    let cells = move || search.cells.get().into_iter().enumerate();
    let cell = move |(number, Cell { sign, name }): (usize, Cell)| {
        let taken = sign.clone();
        view! {
            <div
                class="emoji"
                id=cell_id(number)
                role="option"
                aria-label=name.clone()
                title=name
                aria-selected=move || (search.active.get() == number).to_string()
                on:click=move |_| done.run(Some(taken.clone()))
                {..said(sign)}
            ></div>
        }
        .erase()
    };
    let none = move || {
        search.cells.read().is_empty().then(|| view! { <p class="dialog-text" role="status">{words.no_emoji}</p> })
    };
    view! {
        <div
            class="emoji-grid"
            id=GRID
            role="listbox"
            tabindex="0"
            aria-activedescendant=move || (!search.cells.read().is_empty()).then(|| cell_id(search.active.get()))
            aria-label=words.choose_emoji
            data-testid="emoji-grid"
            translate="no"
            node_ref=grid
            on:keydown=move |event| keys.run(event)
        >
            <For each=cells key=Clone::clone children=cell />
        </div>
        {none}
    }
    .erase()
}

/// What the grid shows.
#[component]
fn Tabs(search: Search) -> impl IntoView {
    let words = use_words();
    let device = use_device();
    let bar = NodeRef::<Div>::new();
    let tab = move |tab: Tab, sign: String, name: &'static str| {
        view! {
            <button
                class="picker-tab"
                type="button"
                aria-label=name
                title=name
                aria-pressed=move || (search.shows() == Some(tab)).to_string()
                on:click=move |_| search.open(tab)
                {..said(sign)}
            ></button>
        }
        .erase()
    };
    let tabs = move || {
        let list = search.emojis.list()?;
        let recent =
            (!search.emojis.recent().is_empty()).then(|| tab(Tab::Recent, "🕘".to_owned(), words.recent_emoji));
        let groups = (0..list.groups()).zip(words.emoji_groups).filter_map(|(number, name)| {
            let first = list.group(number).first()?;
            Some(tab(Tab::Group(number), first.toned(None), name))
        });
        Some(recent.into_iter().chain(groups).collect::<Vec<_>>())
    };
    let keys = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowRight" => 1,
            "ArrowLeft" => -1,
            _ => return,
        };
        if let (Some(bar), Some(device)) = (bar.get_untracked(), &device) {
            event.prevent_default();
            device.step_focus(&bar, by);
        }
    };
    view! { <div class="picker-tabs" role="group" aria-label=words.emoji_kinds translate="no" node_ref=bar on:keydown=keys>{tabs}</div> }.erase()
}

/// The skin tones.
#[component]
fn Tones(search: Search) -> impl IntoView {
    let words = use_words();
    let emojis = search.emojis;
    let tone = move |(tone, name): (Tone, &'static str)| {
        let hand: String = [HAND].into_iter().chain(tone).collect();
        view! {
            <button
                class="picker-tab"
                type="button"
                aria-label=name
                title=name
                aria-pressed=move || (emojis.tone() == tone).to_string()
                on:click=move |_| emojis.choose_tone(tone)
                {..said(hand)}
            ></button>
        }
        .erase()
    };
    let tones: Vec<AnyView> = TONES.into_iter().zip(words.skin_tones).map(tone).collect();
    view! { <div class="picker-tabs" role="group" aria-label=words.skin_tone data-testid="skin-tones" translate="no">{tones}</div> }.erase()
}
