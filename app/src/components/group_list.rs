//! The reader's groups, and the form that creates a new one.

use caravana_protocol::GroupName;
use caravana_protocol::limits::GROUP_NAME_CHARACTERS;
use caravana_protocol::rest::NewGroup;
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;
use reactive_stores::{Field, Store};

use super::avatar::Avatar;
use super::empty_state::EmptyState;
use super::icon::{Glyph, Icon};
use crate::chat::store::{ChatState, ChatStateStoreFields, GroupRow, GroupRowStoreFields};
use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::ports::{Api, use_device};
use crate::says::{said, says};
use crate::time::Reader;

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
) -> impl IntoView {
    let words = use_words();
    let empty = move || chat.groups().read().is_empty();
    view! {
        <div class="groups">
            <Show when=empty>
                <EmptyState title=words.no_groups_title text=words.no_groups_text />
            </Show>
            <ul class="group-rows">
                <For each=move || chat.groups() key=|row| row.key() let:row>
                    <GroupLink row=row.into() open reader />
                </For>
            </ul>
        </div>
        <NewGroupForm refused />
    }
    .erase()
}

#[component]
fn GroupLink(row: Field<GroupRow>, open: Signal<String>, reader: Signal<Reader>) -> impl IntoView {
    let words = use_words();
    let id = row.id().get_untracked();
    let href = format!("/g/{id}");
    let current = {
        let id = id.clone();
        move || (open.get() == id).then_some("page")
    };
    let when = move || row.at().get().0.map(|at| reader.get().short_label(words, at)).unwrap_or_default();
    let preview = move || {
        let typing = row.typing().get();
        if typing.is_empty() {
            view! { <bdi class="group-preview" {..said(row.preview().get())}></bdi> }.erase()
        } else {
            view! { <span class="group-preview group-typing" {..said((words.typing)(&typing))}></span> }.erase()
        }
    };
    let badge = move || {
        let unread = row.unread().get();
        (unread > 0).then(|| {
            view! {
                <span class="badge">
                    <span aria-hidden="true" {..said(if unread > 99 { "99+".to_owned() } else { unread.to_string() })}></span>
                    <span class="visually-hidden" {..said((words.unread)(unread))}></span>
                </span>
            }
        })
    };
    let avatar_id = uuid::Uuid::try_parse(&id).ok();
    view! {
        <li>
            <a class="group-row" href=href data-testid="group-link" data-id=id aria-current=current>
                <Avatar id=avatar_id name=Signal::derive(move || row.name().get()) group=true />
                <span class="group-text">
                    <span class="group-line">
                        <bdi class="group-name" {..says(move || row.name().get())}></bdi>
                        <span class="group-time" {..says(when)}></span>
                    </span>
                    <span class="group-line">{preview} {badge}</span>
                </span>
            </a>
        </li>
    }
    .erase()
}

/// A form of one line that creates a group. Before hydration, the browser submits it itself.
#[component]
fn NewGroupForm(refused: Option<String>) -> impl IntoView {
    let words = use_words();
    let (api, device) = (use_context::<Api>(), use_device());
    let field = NodeRef::<Input>::new();
    let problem = RwSignal::new(refused);
    let busy = RwSignal::new(false);
    let submit = move |event: SubmitEvent| {
        let (Some(api), Some(device)) = (api.clone(), device.clone()) else { return };
        event.prevent_default();
        let name = field.get_untracked().map(|input| input.value()).unwrap_or_default();
        if busy.get_untracked() || GroupName::parse_with(&name, &*device).is_err() {
            return;
        }
        busy.set(true);
        problem.set(None);
        let answer = api.0.create_group(NewGroup { name, time_zone: None });
        leptos::task::spawn_local(async move {
            match answer.await {
                Ok(group) => device.visit(&format!("/g/{}", group.id)),
                Err(error) => {
                    problem.set(Some(explain(words, error.code())));
                    busy.set(false);
                }
            }
        });
    };
    view! {
        <form class="new-group" method="post" action="/groups" on:submit=submit>
            <div role="alert">{move || problem.get().map(|text| view! { <p class="form-error" {..said(text)}></p> })}</div>
            <div class="new-group-line">
                <input
                    class="input"
                    name="name"
                    required
                    maxlength=GROUP_NAME_CHARACTERS.to_string()
                    autocomplete="off"
                    aria-label=words.new_group_name
                    placeholder=words.new_group
                    data-testid="new-group-name"
                    node_ref=field
                />
                <button
                    class="icon-button icon-button-strong"
                    type="submit"
                    aria-label=words.create
                    title=words.create
                    data-testid="create-group"
                >
                    <Icon glyph=Glyph::Plus />
                </button>
            </div>
        </form>
    }
    .erase()
}
