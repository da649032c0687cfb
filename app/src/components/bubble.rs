//! One row of the timeline: a day, the divider, a notice, or a message with its author, its text and its state.

use caravana_protocol::MessageId;
use leptos::prelude::*;

use super::avatar::{Avatar, tint};
use super::icon::{Glyph, Icon};
use crate::chat::store::{Delivery, LiveLine, MessageRow, RowView, Said};
use crate::emoji::is_emoji_only;
use crate::erase::Erase as _;
use crate::i18n::{Words, explain, use_words};
use crate::rich_text::{Piece, pieces};
use crate::says::{said, says};

mod folded;

use folded::{Length, folded};

/// The actions on a message that was not sent.
#[derive(Clone, Copy)]
pub struct RowActions {
    /// Send it again, under the same id.
    pub retry: Callback<MessageId>,
    /// Forget it.
    pub discard: Callback<MessageId>,
}

/// A line. The kind of its content never changes for its key, so only parts of the content are reactive.
#[component]
pub fn Bubble(
    /// The line.
    line: LiveLine,
    /// The actions on a message.
    actions: RowActions,
) -> impl IntoView {
    let words = use_words();
    let LiveLine { key, row } = line;
    let (key, first, line) = (key.to_string(), row.get_untracked(), RwSignal::from(row));
    match first {
        RowView::Day(_) => {
            let label =
                move || part(line, |row| if let RowView::Day(label) = row { label.clone() } else { String::new() });
            view! { <div class="day" data-line=key><span {..says(label)}></span></div> }.erase()
        }
        RowView::Unread => {
            view! { <div class="unread" id="unread" data-line=key><span>{words.unread_divider}</span></div> }.erase()
        }
        RowView::Notice(_) => {
            let text =
                move || part(line, |row| if let RowView::Notice(text) = row { text.clone() } else { String::new() });
            view! { <div class="notice" data-line=key><bdi {..says(text)}></bdi></div> }.erase()
        }
        RowView::Gap { .. } => {
            let text = move || {
                let coming = part(line, |row| matches!(row, RowView::Gap { coming: true }));
                if coming { words.gap } else { words.gap_offline }
            };
            view! {
                <div class="gap" role="status" data-testid="gap" data-line=key>
                    <span class="gap-text">
                        <span class="gap-dot" aria-hidden="true"></span>
                        <span {..says(text)}></span>
                    </span>
                </div>
            }
            .erase()
        }
        RowView::Message(message) => view! { <Message line message actions /> }.erase(),
    }
}

/// A part of the line's content; the default if the line has just been removed, because its view is removed, too.
fn part<T: Default>(line: RwSignal<RowView>, part: impl Fn(&RowView) -> T) -> T {
    line.try_read().map(|row| part(&row)).unwrap_or_default()
}

/// The same for a message.
fn of_message<T: Default>(line: RwSignal<RowView>, part_of: impl Fn(&MessageRow) -> T) -> T {
    part(line, |row| if let RowView::Message(message) = row { part_of(message) } else { T::default() })
}

/// The message's text; `None` if it was deleted.
fn text(message: &MessageRow) -> Option<&str> {
    match &message.said {
        Said::Text { text, .. } => Some(text),
        Said::Deleted => None,
    }
}

/// `message` is the line's first content. Only what never changes is taken from it: the id and the author.
#[component]
fn Message(line: RwSignal<RowView>, message: MessageRow, actions: RowActions) -> impl IntoView {
    let words = use_words();
    let MessageRow { id, author, own, .. } = message;
    let author = author.map(caravana_protocol::UserId::uuid);
    let mine = own.is_some();
    let state = move || of_message(line, state_word);
    let name = Signal::derive(move || of_message(line, |message| message.name.clone()));
    let first = move || of_message(line, |message| message.first);
    let last = move || of_message(line, |message| message.last);
    let large = move || of_message(line, |message| text(message).is_some_and(is_emoji_only));
    let edited = move || of_message(line, |message| matches!(message.said, Said::Text { edited: true, .. }));
    let head = move || {
        (!mine && first()).then(|| view! { <bdi class=format!("author {}", tint(author)) translate="no" {..says(move || name.get())}></bdi> })
    };
    let avatar = (!mine).then(|| {
        view! {
            <span class="bubble-side">
                <Show when=last>
                    <Avatar id=author name />
                </Show>
            </span>
        }
    });
    view! {
        <article
            class="row"
            class:mine=mine
            class:first=first
            class:last=last
            data-testid="message"
            data-state=state
            data-id=id.to_string()
            data-line=id.to_string()
            tabindex="-1"
        >
            {avatar}
            <div class="bubble" class:large=large>
                {head}
                {mine.then(|| view! { <span class="visually-hidden">{words.you}</span> })}
                <MessageText line />
                <span class="meta">
                    {move || edited().then(|| view! { <span class="edited">{words.edited}</span> })}
                    <time
                        datetime=move || of_message(line, |message| message.at.to_string())
                        translate="no"
                        {..says(move || of_message(line, |message| message.clock.clone()))}
                    ></time>
                    {mine.then(|| view! { <Tick line /> })}
                </span>
            </div>
            {mine.then(|| view! { <NotSent line id actions /> })}
        </article>
    }
    .erase()
}

/// The value of `data-state`.
fn state_word(message: &MessageRow) -> &'static str {
    match (&message.said, message.own) {
        (Said::Deleted, _) => "deleted",
        (Said::Text { .. }, Some(Delivery::Pending)) => "pending",
        (Said::Text { .. }, Some(Delivery::Failed(_))) => "failed",
        (Said::Text { .. }, Some(Delivery::Sent | Delivery::Read) | None) => "sent",
    }
}

/// The text of a message: links are elements, everything else is a text node. A changed text gets a new element,
/// because a translation may have replaced the text nodes of the old one.
#[component]
fn MessageText(line: RwSignal<RowView>) -> impl IntoView {
    let words = use_words();
    let text = move || of_message(line, |message| text(message).map(str::to_owned));
    view! { <For each=move || [text()] key=Option::clone children=move |text| text_view(text, words) /> }.erase()
}

fn text_view(text: Option<String>, words: &'static Words) -> AnyView {
    let Some(text) = text else {
        return view! { <span class="text text-deleted">{words.deleted}</span> }.erase();
    };
    match Length::of(&text) {
        Length::Short => view! { <span class="text" dir="auto">{pieces_view(&text)}</span> }.erase(),
        length @ (Length::LongIfNarrow | Length::Long) => folded(pieces_view(&text), length, words),
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
fn Tick(line: RwSignal<RowView>) -> impl IntoView {
    let words = use_words();
    let delivery = Memo::new(move |_| of_message(line, |message| message.own));
    move || {
        let (glyph, label, class) = match delivery.get()? {
            Delivery::Pending => (Glyph::Clock, words.sending, "tick"),
            Delivery::Sent => (Glyph::Check, words.sent, "tick"),
            Delivery::Read => (Glyph::CheckTwice, words.read_by_all, "tick tick-read"),
            Delivery::Failed(_) => (Glyph::Alert, words.not_sent, "tick tick-failed"),
        };
        Some(view! {
            <span class=class data-testid="message-tick" role="img" aria-label=label title=label>
                <Icon glyph />
            </span>
        })
    }
}

#[component]
fn NotSent(line: RwSignal<RowView>, id: MessageId, actions: RowActions) -> impl IntoView {
    let words = use_words();
    let delivery = Memo::new(move |_| of_message(line, |message| message.own));
    move || {
        let Some(Delivery::Failed(code)) = delivery.get() else { return None };
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
