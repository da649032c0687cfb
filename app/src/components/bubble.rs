//! One row of the timeline: a day, the divider, a notice, or a message with its author, its text and its state.

use caravana_protocol::MessageId;
use leptos::prelude::*;
use reactive_stores::Field;

use super::avatar::{Avatar, tint};
use super::icon::{Glyph, Icon};
use crate::chat::store::{Delivery, Row, RowKind, RowStoreFields};
use crate::emoji::is_emoji_only;
use crate::erase::Erase as _;
use crate::i18n::{Words, explain, use_words};
use crate::rich_text::{Piece, pieces};
use crate::says::{said, says};

mod folded;

use folded::{Length, folded};

/// What the reader may do with a message that was not sent.
#[derive(Clone, Copy)]
pub struct RowActions {
    /// Send it again, under the same id.
    pub retry: Callback<MessageId>,
    /// Forget it.
    pub discard: Callback<MessageId>,
}

/// A row. What it is never changes for its key, so only the parts of a message are reactive.
#[component]
pub fn Bubble(
    /// The row.
    row: Field<Row>,
    /// What may be done with it.
    actions: RowActions,
) -> impl IntoView {
    match row.kind().get_untracked().0 {
        RowKind::Day => view! { <div class="day"><span {..says(move || row.text().get())}></span></div> }.erase(),
        RowKind::Unread => {
            view! { <div class="unread" id="unread"><span {..says(move || row.text().get())}></span></div> }.erase()
        }
        RowKind::Notice => view! { <div class="notice"><bdi {..says(move || row.text().get())}></bdi></div> }.erase(),
        RowKind::Gap => view! { <GapRow row /> }.erase(),
        RowKind::Message => view! { <MessageRow row actions /> }.erase(),
    }
}

/// The place where something is missing, for as long as it is.
#[component]
fn GapRow(row: Field<Row>) -> impl IntoView {
    view! {
        <div class="gap" role="status" data-testid="gap">
            <span class="gap-text">
                <span class="gap-dot" aria-hidden="true"></span>
                <span {..says(move || row.text().get())}></span>
            </span>
        </div>
    }
    .erase()
}

#[component]
fn MessageRow(row: Field<Row>, actions: RowActions) -> impl IntoView {
    let words = use_words();
    let author = row.author().get_untracked().0.map(caravana_protocol::UserId::uuid);
    let mine = row.mine().get_untracked();
    let id = row.message().get_untracked().0;
    let state = move || if row.deleted().get() { "deleted" } else { delivery_word(row.delivery().get().0) };
    let name = Signal::derive(move || row.name().get());
    let head = move || {
        (!mine && row.first().get()).then(|| view! { <bdi class=format!("author {}", tint(author)) translate="no" {..says(move || name.get())}></bdi> })
    };
    let avatar = (!mine).then(|| {
        view! {
            <span class="bubble-side">
                <Show when=move || row.last().get()>
                    <Avatar id=author name />
                </Show>
            </span>
        }
    });
    view! {
        <article
            class="row"
            class:mine=mine
            class:first=move || row.first().get()
            class:last=move || row.last().get()
            data-testid="message"
            data-state=state
            data-id=id.map(|id| id.to_string())
            tabindex="-1"
        >
            {avatar}
            <div class="bubble" class:large=move || !row.deleted().get() && is_emoji_only(&row.text().read())>
                {head}
                {mine.then(|| view! { <span class="visually-hidden">{words.you}</span> })}
                <MessageText row />
                <span class="meta">
                    {move || row.edited().get().then(|| view! { <span class="edited">{words.edited}</span> })}
                    <time
                        datetime=move || row.at().get().0.to_string()
                        translate="no"
                        {..says(move || row.clock().get())}
                    ></time>
                    {mine.then(|| view! { <Tick row /> })}
                </span>
            </div>
            {mine.then(|| view! { <NotSent row actions /> })}
        </article>
    }
    .erase()
}

const fn delivery_word(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Pending => "pending",
        Delivery::Sent | Delivery::Read => "sent",
        Delivery::Failed(_) => "failed",
    }
}

/// The text as text: links are elements, everything else is a text node. Another text is another element, because a
/// translation may have taken the nodes out of this one.
#[component]
fn MessageText(row: Field<Row>) -> impl IntoView {
    let words = use_words();
    let text = move || if row.deleted().get() { None } else { Some(row.text().get()) };
    view! { <For each=move || [text()] key=Option::clone children=move |text| text_view(text, words) /> }.erase()
}

fn text_view(text: Option<String>, words: &'static Words) -> AnyView {
    let Some(text) = text else {
        return view! { <span class="text text-deleted">{words.deleted}</span> }.erase();
    };
    match Length::of(&text) {
        Length::Short => view! { <span class="text" dir="auto">{pieces_view(&text)}</span> }.erase(),
        length @ (Length::LongIfNarrow | Length::Long) => folded(&text, length, words),
    }
}

fn pieces_view(text: &str) -> Vec<AnyView> {
    pieces(text).into_iter().map(piece_view).collect()
}

fn piece_view(piece: Piece) -> AnyView {
    match piece {
        Piece::Text(text) => text.erase(),
        Piece::Link { text, href } => {
            view! { <a href=href target="_blank" rel="noopener noreferrer nofollow ugc">{text}</a> }.erase()
        }
    }
}

#[component]
fn Tick(row: Field<Row>) -> impl IntoView {
    let words = use_words();
    move || {
        let (glyph, label, class) = match row.delivery().get().0 {
            Delivery::Pending => (Glyph::Clock, words.sending, "tick"),
            Delivery::Sent => (Glyph::Check, words.sent, "tick"),
            Delivery::Read => (Glyph::CheckTwice, words.read_by_all, "tick tick-read"),
            Delivery::Failed(_) => (Glyph::Alert, words.not_sent, "tick tick-failed"),
        };
        view! {
            <span class=class data-testid="message-tick" role="img" aria-label=label title=label>
                <Icon glyph />
            </span>
        }
    }
}

#[component]
fn NotSent(row: Field<Row>, actions: RowActions) -> impl IntoView {
    let words = use_words();
    move || {
        let Delivery::Failed(code) = row.delivery().get().0 else { return None };
        let id = row.message().get_untracked().0?;
        let reason = code.map(|code| view! { <span {..said(explain(words, Some(code)))}></span> });
        Some(view! {
            <div class="not-sent">
                <span class="not-sent-title">{words.not_sent}</span>
                {reason}
                <button type="button" data-testid="retry" on:click=move |_| actions.retry.run(id)>{words.retry}</button>
                <button type="button" data-testid="discard" on:click=move |_| actions.discard.run(id)>{words.discard}</button>
            </div>
        })
    }
}
