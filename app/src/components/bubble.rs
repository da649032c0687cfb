//! One row of the timeline: a day, the divider, a notice, or a message with its author, its text and its state.

use caravana_protocol::MessageId;
use leptos::prelude::*;

use super::avatar::Avatar;
use super::icon::{Glyph, Icon};
use crate::chat::store::{Delivery, LiveLine, MessageRow, QuoteRow, RowView, Said};
use crate::components::avatar::tint_of;
use crate::erase::Erase as _;
use crate::i18n::{Words, use_words};
use crate::says::{said, says};
use caravana_protocol::emoji::is_emoji_only;

mod extras;
mod folded;
mod pick;
pub mod text;

use extras::{extra, extras};
pub use pick::Picked;
use pick::pick;
use text::MessageText;

/// The actions on a message.
#[derive(Clone, Copy)]
pub struct RowActions {
    /// Try again what was refused: the message itself, under the same id, or a change of it.
    pub retry: Callback<MessageId>,
    /// Forget what was refused.
    pub discard: Callback<MessageId>,
    /// React with an emoji (`true`), or take the reaction back.
    pub react: Callback<(MessageId, String, bool)>,
    /// Go to the message of the second id, from the first one, which quotes it.
    pub jump: Callback<(MessageId, MessageId)>,
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
        RowView::Message(message) => view! { <Message line message=*message actions /> }.erase(),
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
    let for_you = move || of_message(line, |message| message.for_you);
    let pinned = move || of_message(line, |message| message.pinned);
    let edited = move || of_message(line, |message| matches!(message.said, Said::Text { edited: true, .. }));
    let quote = Memo::new(move |_| of_message(line, |message| text(message).and(message.quote.clone())));
    let head = move || {
        let tint = tint_of(author);
        let author = (!mine && first()).then(|| view! { <bdi class=move || format!("author {}", tint()) translate="no" {..says(move || name.get())}></bdi> });
        let quote = quote.get().map(|quote| quoted(id, quote, words, actions.jump));
        (author, quote)
    };
    let picked = use_context::<Picked>();
    let check = move || picked.filter(|picked| picked.is_on()).map(|picked| pick(picked, line, id));
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
            class:for-you=for_you
            data-testid="message"
            data-state=state
            data-id=id.to_string()
            data-line=id.to_string()
            tabindex="-1"
        >
            {check}
            {avatar}
            <div class="bubble" class:large=large>
                {head}
                {mine.then(|| view! { <span class="visually-hidden">{words.you}</span> })}
                <MessageText line />
                <span class="meta">
                    {move || pinned().then(|| view! { <span class="pinned" role="img" aria-label=words.pinned title=words.pinned><Icon glyph=Glyph::Pin /></span> })}
                    {move || edited().then(|| view! { <span class="edited">{words.edited}</span> })}
                    <time
                        datetime=move || of_message(line, |message| message.at.to_string())
                        translate="no"
                        {..says(move || of_message(line, |message| message.clock.clone()))}
                    ></time>
                    {mine.then(|| view! { <Tick line /> })}
                </span>
            </div>
            <For each=move || of_message(line, extras) key=|extra| *extra children=move |which| extra(which, line, id, actions) />
        </article>
    }
    .erase()
}

/// The beginning of the message that this one answers. A press goes there.
fn quoted(id: MessageId, quote: QuoteRow, words: &'static Words, jump: Callback<(MessageId, MessageId)>) -> AnyView {
    let QuoteRow { id: original, author, name, text } = quote;
    let label = (words.go_to_quoted)(&name);
    let tint = tint_of(author.map(caravana_protocol::UserId::uuid));
    let class = move || format!("quote {}", tint());
    let text = if text.is_empty() {
        view! { <span class="quote-text text-deleted">{words.deleted}</span> }.erase()
    } else {
        view! { <span class="quote-text" dir="auto" {..said(text)}></span> }.erase()
    };
    view! {
        <button class=class type="button" data-testid="quote" aria-label=label on:click=move |_| jump.run((id, original))>
            <bdi class="quote-name" translate="no" {..said(name)}></bdi>
            {text}
        </button>
    }
    .erase()
}

/// The delivery state that is shown: that of a change of the message, if one is not answered.
fn delivery(message: &MessageRow) -> Option<Delivery> {
    match (message.own, message.change) {
        (Some(Delivery::Sent | Delivery::Read) | None, Some(change)) => Some(change),
        (own, _) => own,
    }
}

/// The value of `data-state`.
fn state_word(message: &MessageRow) -> &'static str {
    match (&message.said, delivery(message)) {
        (Said::Deleted, _) => "deleted",
        (Said::Text { .. }, Some(Delivery::Pending)) => "pending",
        (Said::Text { .. }, Some(Delivery::Failed(_))) => "failed",
        (Said::Text { .. }, Some(Delivery::Sent | Delivery::Read) | None) => "sent",
    }
}

#[component]
fn Tick(line: RwSignal<RowView>) -> impl IntoView {
    let words = use_words();
    let delivery = Memo::new(move |_| of_message(line, delivery));
    // The message itself is stored.
    let is_change = move || of_message(line, |message| matches!(message.own, Some(Delivery::Sent | Delivery::Read)));
    move || {
        let (glyph, label, class) = match delivery.get()? {
            Delivery::Pending => (Glyph::Clock, words.sending, "tick"),
            Delivery::Sent => (Glyph::Check, words.sent, "tick"),
            Delivery::Read => (Glyph::CheckTwice, words.read_by_all, "tick tick-read"),
            Delivery::Failed(_) if is_change() => (Glyph::Alert, words.not_changed, "tick tick-failed"),
            Delivery::Failed(_) => (Glyph::Alert, words.not_sent, "tick tick-failed"),
        };
        Some(view! {
            <span class=class data-testid="message-tick" role="img" aria-label=label title=label>
                <Icon glyph />
            </span>
        })
    }
}
