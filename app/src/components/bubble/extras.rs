//! What stands below a bubble: the reactions to the message, and what was refused.
//!
//! Most messages have neither, so a row has one list for both, which is empty.

use caravana_protocol::MessageId;
use leptos::prelude::*;

use super::{RowActions, delivery, of_message};
use crate::chat::store::{Delivery, MessageRow, ReactionRow, RowView};
use crate::erase::Erase as _;
use crate::i18n::{Words, explain, use_words};
use crate::says::{said, says};

/// A part below a bubble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Extra {
    Reactions,
    Refused,
}

/// The parts that a message has.
pub(super) fn extras(message: &MessageRow) -> Vec<Extra> {
    let reactions = (!message.reactions.is_empty()).then_some(Extra::Reactions);
    let refused = matches!(delivery(message), Some(Delivery::Failed(_))).then_some(Extra::Refused);
    reactions.into_iter().chain(refused).collect()
}

pub(super) fn extra(which: Extra, line: RwSignal<RowView>, id: MessageId, actions: RowActions) -> AnyView {
    match which {
        Extra::Reactions => view! { <Reactions line id react=actions.react /> }.erase(),
        Extra::Refused => view! { <Refused line id actions /> }.erase(),
    }
}

/// The reactions. Each stays the same element while its count changes, so that it keeps the focus.
#[component]
fn Reactions(line: RwSignal<RowView>, id: MessageId, react: Callback<(MessageId, String, bool)>) -> impl IntoView {
    let words = use_words();
    let emoji =
        move || of_message(line, |message| message.reactions.iter().map(|one| one.emoji.clone()).collect::<Vec<_>>());
    view! {
        <div class="reactions" role="group" aria-label=words.reactions data-testid="reactions">
            <For each=emoji key=Clone::clone children=move |emoji| reaction(line, id, emoji, words, react) />
        </div>
    }
    .erase()
}

fn reaction(
    line: RwSignal<RowView>,
    id: MessageId,
    emoji: String,
    words: &'static Words,
    react: Callback<(MessageId, String, bool)>,
) -> AnyView {
    let this = {
        let emoji = emoji.clone();
        Memo::new(move |_| of_message(line, |message| message.reactions.iter().find(|one| one.emoji == emoji).cloned()))
    };
    let of = move |part: fn(&ReactionRow) -> bool| this.read().as_ref().is_some_and(part);
    let own = move || of(|one| one.own);
    let who = move || {
        this.read()
            .as_ref()
            .map(|one| format!("{} {}", one.emoji, (words.reacted_by)(&one.who, one.others)))
            .unwrap_or_default()
    };
    let press = {
        let emoji = emoji.clone();
        move |_| react.run((id, emoji.clone(), !own()))
    };
    let shown = emoji.clone();
    view! {
        <button
            class="reaction"
            type="button"
            data-testid="reaction"
            data-emoji=emoji
            class:reaction-waits=move || of(|one| one.waits)
            aria-pressed=move || own().to_string()
            aria-label=who
            title=who
            on:click=press
        >
            <span class="reaction-emoji" aria-hidden="true">{shown}</span>
            <span class="reaction-count" aria-hidden="true" {..says(move || this.read().as_ref().map(|one| one.count.to_string()).unwrap_or_default())}></span>
        </button>
    }
    .erase()
}

#[component]
fn Refused(line: RwSignal<RowView>, id: MessageId, actions: RowActions) -> impl IntoView {
    let words = use_words();
    let refused = Memo::new(move |_| {
        of_message(line, |message| match delivery(message) {
            // A message that was stored is refused a change.
            Some(Delivery::Failed(code)) => Some((code, !matches!(message.own, Some(Delivery::Failed(_))))),
            Some(Delivery::Pending | Delivery::Sent | Delivery::Read) | None => None,
        })
    });
    move || {
        let (code, is_change) = refused.get()?;
        let reason = code.map(|code| view! { <span {..said(explain(words, Some(code)))}></span> });
        Some(view! {
            <div class="not-sent" role="alert">
                <span class="not-sent-title">{if is_change { words.not_changed } else { words.not_sent }}</span>
                {reason}
                <button type="button" data-testid="retry" on:click=move |_| actions.retry.run(id)>{words.retry}</button>
                <button type="button" data-testid="discard" on:click=move |_| actions.discard.run(id)>{words.discard}</button>
            </div>
        })
    }
}
