//! The search in messages: beside the conversation, and below the list of groups.
//!
//! Owns whether it is shown, and which of its parts. Its content is in a chunk, which the first opening loads, and stays
//! from then on: as long as the group is open, the words and the results are still there when the reader comes back from a
//! message that was found.
//! What a search finds and where a result leads is the page's.

use caravana_protocol::rest::SearchAnswer;
use caravana_protocol::{GroupId, MessageId};
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use reactive_stores::Store;
use wasm_split_helpers::wasm_split;

use super::composing::is_composing;
use super::icon::{Glyph, Icon};
use super::lazy::{NotLoaded, lazy, lazy_field};
use crate::chat::store::TimelineState;
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::{ApiFuture, Scope, Sought};
use crate::time::Reader;

pub mod content;
pub mod finder;
pub mod found;
pub mod results;

use content::Content;
use found::Found;

/// What the search needs of its page.
#[derive(Clone, Copy)]
pub struct SearchActions {
    /// A page of hits, from the beginning or from a page's `next`.
    pub search: Callback<(Sought, Option<String>), ApiFuture<SearchAnswer>>,
    /// Go to this message.
    pub go: Callback<(GroupId, MessageId)>,
}

/// Whether the search of a group is shown. All copies refer to the same.
#[derive(Clone, Copy)]
pub struct SearchShown {
    /// Whether it is.
    pub open: RwSignal<bool>,
    /// The number of times that the reader asked for it: each time the field takes the focus.
    pub asked: RwSignal<u64>,
    /// The field has the focus.
    pub focused: RwSignal<bool>,
    /// What is searched for in all groups: it is there again after a hit has led to another group.
    pub words: RwSignal<Option<String>>,
}

/// What the content of the panel needs.
#[derive(Clone, Copy)]
pub struct PanelParts {
    /// Whether it is shown.
    pub shown: SearchShown,
    /// The open group.
    pub group: GroupId,
    /// Its members.
    pub timeline: Store<TimelineState>,
    /// Where the reader is in time.
    pub reader: Signal<Reader>,
    /// What the page does.
    pub actions: SearchActions,
    /// Closes the panel.
    pub close: Callback<()>,
}

/// What the messages below a field need.
#[derive(Clone, Copy)]
pub struct FoundParts {
    /// What is written in the field.
    pub text: Signal<String>,
    /// Where is searched.
    pub scope: Scope,
    /// Where the reader is in time.
    pub reader: Signal<Reader>,
    /// What the page does.
    pub actions: SearchActions,
}

/// A part of the screen that the chunk has.
#[derive(Clone, Copy)]
enum Part {
    Panel(PanelParts),
    Found(FoundParts),
}

/// The panel. It is always in the document, because the browser's smooth scrolling stops when an element is added or
/// removed beside the scroller.
#[component]
pub fn SearchPanel(
    /// What it needs.
    parts: PanelParts,
) -> impl IntoView {
    let words = use_words();
    let open = parts.shown.open;
    let was_open = Memo::new(move |before: Option<&bool>| before == Some(&true) || open.get());
    let escape = move |event: KeyboardEvent| {
        if event.key() == "Escape" && !is_composing(&event) {
            event.prevent_default();
            parts.close.run(());
        }
    };
    let content = move || was_open.get().then(|| part(Part::Panel(parts)));
    view! {
        <aside
            class="search"
            id="search"
            aria-label=words.search.title
            data-testid="search"
            hidden=move || !open.get()
            on:keydown=escape
        >
            // Here, and not in the chunk: the panel covers a phone's page, also while the chunk is on its way.
            <button
                class="icon-button search-close"
                type="button"
                aria-label=words.close
                title=words.close
                data-testid="search-close"
                on:click=move |_| parts.close.run(())
            >
                <Icon glyph=Glyph::Close />
            </button>
            {content}
        </aside>
    }
    .erase()
}

/// The messages that match what is written in a field of another component; nothing as long as that is too short to be
/// searched for. They are links, so they need no keys of the field.
#[component]
pub fn FoundMessages(
    /// What it needs.
    parts: FoundParts,
) -> impl IntoView {
    let searches = Memo::new(move |_| finder::is_searchable(&parts.text.read()));
    (move || searches.get().then(|| part(Part::Found(parts)))).erase()
}

fn part(part: Part) -> AnyView {
    match part {
        Part::Panel(_) => lazy_field(async || Ok(load().await?), move || show(part)),
        Part::Found(_) => lazy(async || Ok(load().await?), move || show(part)),
    }
}

#[allow(clippy::unnecessary_wraps, reason = "a split point that may fail returns its error")]
#[wasm_split(search, fallible, preload(load))]
fn show(part: Part) -> Result<AnyView, NotLoaded> {
    Ok(match part {
        Part::Panel(parts) => view! { <Content parts /> }.erase(),
        Part::Found(parts) => view! { <Found parts /> }.erase(),
    })
}
