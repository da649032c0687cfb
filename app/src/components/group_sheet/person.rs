//! What can be done with another person: write to them, block them.

use std::sync::Arc;

use caravana_protocol::UserId;
use caravana_protocol::rest::MinePatch;
use leptos::prelude::*;

use super::SheetParts;
use super::question::Asked;
use crate::chat::use_bridge;
use crate::components::icon::{Glyph, Icon};
use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::says::says;

/// The entries about a person.
#[component]
pub fn PersonEntries(
    /// Who.
    user: UserId,
    /// By which name.
    name: String,
    /// Whether their conversation with the reader is open.
    here: bool,
    /// What the sheet needs.
    parts: SheetParts,
    /// Where the question is asked.
    asked: RwSignal<Option<Asked>>,
) -> impl IntoView {
    let words = use_words();
    let SheetParts { actions, close, .. } = parts;
    let problem = RwSignal::new(None::<String>);
    let write = move |_| {
        problem.set(None);
        let opened = actions.direct.run(user);
        leptos::task::spawn_local(async move {
            match opened.await {
                Ok(()) => drop(close.try_run(())),
                Err(error) => {
                    problem.try_set(Some(explain(words, error.code())));
                }
            }
        });
    };
    let message = (!here).then(|| {
        view! {
            <button class="menu-item" type="button" data-testid="send-direct" on:click=write>
                <Icon glyph=Glyph::Send />
                {words.direct.send_message}
            </button>
            <p class="form-error" role="alert" {..says(move || problem.get().unwrap_or_default())}></p>
        }
        .erase()
    });
    view! {
        {message}
        <BlockEntry user name close asked />
    }
    .erase()
}

/// The entry that blocks a person, after a question, or takes that back.
#[component]
pub fn BlockEntry(
    /// Who.
    user: UserId,
    /// By which name.
    name: String,
    /// Closes the dialog.
    close: Callback<()>,
    /// Where the question is asked.
    asked: RwSignal<Option<Asked>>,
) -> impl IntoView {
    let words = use_words();
    let bridge = use_bridge()?;
    let problem = RwSignal::new(None::<String>);
    let is_blocked = Memo::new(move |_| bridge.has_blocked(user));
    let press = move |_| {
        let block = Asked {
            title: (words.direct.block_title)(&name),
            text: words.direct.block_text,
            yes: words.direct.block,
            typed: None,
            act: Arc::new(move || bridge.block(user, true)),
            done: close,
        };
        if !is_blocked.get_untracked() {
            return asked.set(Some(block));
        }
        let done = bridge.block(user, false);
        leptos::task::spawn_local(async move {
            match done.await {
                Ok(()) => drop(close.try_run(())),
                Err(error) => {
                    problem.try_set(Some(explain(words, error.code())));
                }
            }
        });
    };
    let label = move || if is_blocked.get() { words.direct.unblock } else { words.direct.block };
    Some(
        view! {
            <button class="menu-item" type="button" data-testid="block" on:click=press>
                <Icon glyph=Glyph::Ban />
                <span {..says(label)}></span>
            </button>
            <p class="form-error" role="alert" {..says(move || problem.get().unwrap_or_default())}></p>
        }
        .erase(),
    )
}

/// Puts a conversation aside, which nobody leaves.
#[component]
pub fn Aside(
    /// What the sheet needs.
    parts: SheetParts,
) -> impl IntoView {
    let words = use_words();
    let SheetParts { actions, close, .. } = parts;
    let archived = actions.mine.run(())?.archived;
    let set = move |_| {
        actions.set_mine.run(MinePatch { archived: Some(!archived), ..MinePatch::default() });
        close.run(());
    };
    Some(
        view! {
            <button class="menu-item" type="button" data-testid="set-archived" on:click=set>
                <Icon glyph=Glyph::Archive />
                {if archived { words.list.unarchive } else { words.list.archive }}
            </button>
        }
        .erase(),
    )
}
