//! The settings of the group: its properties; leave it, delete it.

use std::sync::Arc;

use caravana_protocol::Role;
use leptos::prelude::*;

use super::SheetParts;
use super::notices::GroupNotices;
use super::person::{Aside, PersonEntries};
use super::properties::Properties;
use super::question::{Asked, Question};
use crate::chat::store::TimelineStateStoreFields as _;
use crate::components::icon::{Glyph, Icon};
use crate::components::sheet::SheetPart;
use crate::erase::Erase as _;
use crate::i18n::use_words;

/// The content of the sheet about the group.
#[component]
pub fn Settings(
    /// What the sheet needs.
    parts: SheetParts,
) -> impl IntoView {
    let asked = RwSignal::new(None::<Asked>);
    let back = Callback::new(move |()| asked.set(None));
    move || match asked.get() {
        Some(question) => view! { <SheetPart><Question asked=question back /></SheetPart> }.erase(),
        None => view! { <SheetPart><Entries parts asked /></SheetPart> }.erase(),
    }
}

#[component]
fn Entries(parts: SheetParts, asked: RwSignal<Option<Asked>>) -> impl IntoView {
    let words = use_words();
    let SheetParts { timeline, me, actions, close, .. } = parts;
    let (name, role) = (timeline.name().get_untracked(), timeline.role().get_untracked().0);
    let leave = Asked {
        title: (words.leave_question)(&name),
        text: words.leave_text,
        yes: words.leave_group,
        typed: None,
        act: Arc::new(move || actions.remove.run(me)),
        done: actions.gone,
    };
    let delete = Asked {
        title: words.delete_group.to_owned(),
        text: words.delete_group_text,
        yes: words.delete_group,
        typed: Some(name.clone()),
        act: Arc::new(move || actions.delete.run(())),
        done: actions.gone,
    };
    let peer = timeline.peer().try_get_untracked().and_then(|peer| peer.0);
    let title = if peer.is_some() { words.direct.details } else { words.group_settings };
    // Nobody leaves a conversation of two.
    let leave = match peer {
        Some(peer) => view! {
            <Aside parts />
            {(!peer.gone).then(|| view! { <PersonEntries user=peer.user name=name here=true parts asked /> })}
        }
        .erase(),
        None => view! {
            <button class="menu-item" type="button" data-testid="leave-group" on:click=move |_| asked.set(Some(leave.clone()))>
                <Icon glyph=Glyph::LogOut />
                {words.leave_group}
            </button>
        }
        .erase(),
    };
    let properties = role.manages().then(|| view! { <Properties parts /> }.erase());
    let delete = (role == Role::Owner).then(|| {
        view! {
            <button class="menu-item menu-danger" type="button" data-testid="delete-group" on:click=move |_| asked.set(Some(delete.clone()))>
                <Icon glyph=Glyph::Trash />
                {words.delete_group}
            </button>
        }
        .erase()
    });
    view! {
        <header class="dialog-head">
            <h2 class="dialog-title">{title}</h2>
            <button class="icon-button" type="button" aria-label=words.close on:click=move |_| close.run(())>
                <Icon glyph=Glyph::Close />
            </button>
        </header>
        {properties}
        <GroupNotices parts />
        <div class="menu-entries">
            {leave}
            {delete}
        </div>
    }
    .erase()
}
