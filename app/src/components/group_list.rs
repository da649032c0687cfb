//! The reader's groups: the field that looks for one, the rows, those that are put aside, and the button for a new one.
//!
//! What opens from the list is in a chunk ([`sheet`]). Without scripts the list is links, and a group is made by a form.

use caravana_protocol::GroupId;
use caravana_protocol::limits::GROUP_NAME_CHARACTERS;
use caravana_protocol::rest::{Group, MinePatch, NewGroup};
use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::html::{Div, Input};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use reactive_stores::Store;

use super::badge::Badge;
use super::empty_state::EmptyState;
use super::icon::{Glyph, Icon};
use super::search::{FoundMessages, FoundParts, SearchActions};
use crate::chat::lists::{self, Listed};
use crate::chat::store::{ChatState, ChatStateStoreFields as _};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::{ApiFuture, Scope, use_device};
use crate::says::{said, says};
use crate::time::Reader;

pub mod menu;
pub mod new_group;
pub mod row;
pub mod sheet;
pub mod switcher;

use row::GroupLink;
use sheet::{ListSheet, ListSubject};

/// So many rows are in the document, and so many are added at the end of the list.
const ROWS: usize = 60;
/// How near its end the list is scrolled, in pixels, when rows are added.
const NEAR: i32 = 800;

/// What the reader does in the list.
#[derive(Clone, Copy)]
pub struct ListActions {
    /// Change the own settings of a group.
    pub set_mine: Callback<(GroupId, MinePatch)>,
    /// Whether a group can be marked as read.
    pub can_read: Callback<GroupId, bool>,
    /// Mark it as read.
    pub read: Callback<GroupId>,
    /// Make a group.
    pub create: Callback<NewGroup, ApiFuture<Group>>,
    /// A group was made: show it, and make its invite link.
    pub made: Callback<Group>,
    /// Show a page of this site.
    pub go: Callback<String>,
    /// Search the messages of all groups.
    pub search: SearchActions,
}

/// What the content of the sheet needs.
#[derive(Clone, Copy)]
pub struct ListParts {
    /// The groups.
    pub chat: Store<ChatState>,
    /// The open one, as text.
    pub current: Signal<String>,
    /// What the reader does.
    pub actions: ListActions,
    /// Closes the sheet.
    pub close: Callback<()>,
}

/// The list.
#[component]
pub fn GroupList(
    /// Whose groups.
    chat: Store<ChatState>,
    /// The open one, as text.
    #[prop(into)]
    open: Signal<String>,
    /// Where the reader is in time.
    #[prop(into)]
    reader: Signal<Reader>,
    /// The error of a form that the browser submitted itself.
    refused: Option<String>,
    /// What the reader does.
    actions: ListActions,
) -> impl IntoView {
    let words = use_words();
    let query = RwSignal::new(String::new());
    // Without scripts, the link at the end leads to a page with all rows.
    let all = use_query_map().read_untracked().get("all").is_some();
    let limit = RwSignal::new(if all { usize::MAX } else { ROWS });
    // The store has to know the places of all rows before the first of them changes. A loop over the rows would tell it,
    // but the list loops over some of them.
    chat.groups().update_keys();
    let listed = Memo::new(move |_| {
        let rows = chat.groups().try_read();
        rows.map(|rows| lists::listed(&rows, &query.read(), limit.get())).unwrap_or_default()
    });
    let sheet = RwSignal::new(None::<ListSubject>);
    let menu = Callback::new(move |id: String| sheet.set(Some(ListSubject::Menu(id))));
    let row = move |id: String| view! { <GroupLink chat id open reader menu /> }.erase();
    let scroller = NodeRef::<Div>::new();
    let look_down = move |_| {
        let Some(list) = scroller.get_untracked() else { return };
        let below = list.scroll_height() - list.scroll_top() - list.client_height();
        if below < NEAR && listed.with_untracked(|listed| listed.more > 0) {
            limit.update(|limit| *limit += ROWS);
        }
    };
    let empty = move || chat.groups().read().is_empty();
    let none_found = move || listed.read().rows.is_empty() && !query.read().trim().is_empty();
    follow_keys(sheet);
    view! {
        <FindGroup query />
        <div class="groups" node_ref=scroller on:scroll=look_down>
            <Show when=empty>
                <EmptyState title=words.no_groups_title text=words.no_groups_text />
            </Show>
            <ul class="group-rows">
                <For each=move || listed.read().rows.clone() key=String::clone children=row />
            </ul>
            <p class="groups-none" role="status" {..says(move || if none_found() { words.list.no_group_found } else { "" })}></p>
            <More listed limit />
            <FoundMessages parts=FoundParts { text: query.into(), scope: Scope::All, reader, actions: actions.search } />
            <Archived chat listed row=ViewFn::from(move || {
                view! { <For each=move || listed.read().archived.clone() key=String::clone children=row /> }
            }) />
        </div>
        <NewGroupForm refused open=Callback::new(move |()| sheet.set(Some(ListSubject::New))) />
        <ListSheet open=sheet chat current=open actions />
    }
    .erase()
}

/// Ctrl or Cmd with K opens the list of groups to go to.
fn follow_keys(sheet: RwSignal<Option<ListSubject>>) {
    let device = use_device();
    Effect::new(move |_| {
        let device = device.clone();
        let pressed = window_event_listener(leptos::ev::keydown, move |event: KeyboardEvent| {
            let with_ctrl = (event.ctrl_key() || event.meta_key()) && !event.alt_key() && !event.shift_key();
            if with_ctrl && event.key().eq_ignore_ascii_case("k") {
                event.prevent_default();
                // What is being written in a dialog stays.
                if !device.as_ref().is_some_and(|device| device.in_dialog()) {
                    sheet.set(Some(ListSubject::Switch));
                }
            }
        });
        on_cleanup(move || pressed.remove());
    });
}

/// The field that looks for a group by its name. The style sheet hides it where scripts are off.
#[component]
fn FindGroup(query: RwSignal<String>) -> impl IntoView {
    let words = use_words();
    let field = NodeRef::<Input>::new();
    // Something may have been written before the page was taken over.
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            query.set(field.value());
        }
    });
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Escape"
            && let Some(field) = field.get_untracked()
        {
            field.set_value("");
            query.set(String::new());
        }
    };
    view! {
        <div class="find-group">
            <input
                class="input"
                type="text"
                enterkeyhint="search"
                autocomplete="off"
                aria-label=words.list.find_group
                placeholder=words.list.find_group
                data-testid="find-group"
                node_ref=field
                on:input=move |event| query.set(event_target_value(&event))
                on:keydown=keys
            />
        </div>
    }
    .erase()
}

/// The link to the rows that are not in the document. Scrolling adds them before it comes into view.
#[component]
fn More(listed: Memo<Listed>, limit: RwSignal<usize>) -> impl IntoView {
    let words = use_words();
    let more = Memo::new(move |_| listed.read().more);
    let press = move |event: MouseEvent| {
        event.prevent_default();
        limit.update(|limit| *limit += ROWS);
    };
    move || {
        let label = move || (words.list.more_groups)(more.get());
        (more.get() > 0).then(|| {
            // The router leaves this link alone.
            view! {
                <a
                    class="groups-more"
                    href="/?all=1"
                    rel="external"
                    data-testid="more-groups"
                    {..says(label)}
                    on:click=press
                ></a>
            }
        })
    }
}

/// The groups that are put aside, behind a line that opens them.
#[component]
fn Archived(chat: Store<ChatState>, listed: Memo<Listed>, row: ViewFn) -> impl IntoView {
    let words = use_words();
    let count = Memo::new(move |_| listed.read().archived_count);
    let unread = Memo::new(move |_| {
        let rows = chat.groups().try_read();
        let aside = |rows: &[_]| -> u64 {
            rows.iter().filter(|row: &&crate::chat::GroupRow| row.archived && !row.muted).map(|row| row.unread).sum()
        };
        rows.map(|rows| aside(&rows)).unwrap_or_default()
    });
    let any = Memo::new(move |_| count.get() > 0);
    view! {
        <Show when=move || any.get()>
            <details class="archived" data-testid="archived">
                <summary class="archived-line">
                    <Icon glyph=Glyph::Archive />
                    <span class="archived-label" {..says(move || (words.list.archived)(count.get()))}></span>
                    <Badge count=unread quiet=Signal::stored(true) />
                </summary>
                <ul class="group-rows">{row.run()}</ul>
            </details>
        </Show>
    }
    .erase()
}

/// The button for a new group. Without scripts, and before the page is taken over, it opens a form of one line, which the
/// browser submits itself.
#[component]
fn NewGroupForm(refused: Option<String>, open: Callback<()>) -> impl IntoView {
    let words = use_words();
    let has_scripts = use_device().is_some();
    let is_refused = refused.is_some();
    let press = move |event: MouseEvent| {
        if has_scripts {
            event.prevent_default();
            open.run(());
        }
    };
    view! {
        <details class="new-group" open=is_refused>
            <summary class="button new-group-button" data-testid="new-group" on:click=press>
                <Icon glyph=Glyph::Plus />
                {words.new_group}
            </summary>
            <form class="new-group-form" method="post" action="/groups">
                <div role="alert">{refused.map(|text| view! { <p class="form-error" {..said(text)}></p> })}</div>
                <div class="new-group-line">
                    <input
                        class="input"
                        name="name"
                        required
                        maxlength=GROUP_NAME_CHARACTERS.to_string()
                        autocomplete="off"
                        aria-label=words.new_group_name
                        placeholder=words.new_group_name
                        data-testid="plain-group-name"
                    />
                    <button
                        class="icon-button icon-button-strong"
                        type="submit"
                        aria-label=words.create
                        title=words.create
                        data-testid="plain-create-group"
                    >
                        <Icon glyph=Glyph::Plus />
                    </button>
                </div>
            </form>
        </details>
    }
    .erase()
}
