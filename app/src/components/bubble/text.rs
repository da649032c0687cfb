//! The text of a message: blocks, links, mentions and emphasis are elements, everything else is a text node.

use leptos::prelude::*;

use super::folded::{Length, folded};
use super::{of_message, text};
use crate::chat::store::RowView;
use crate::erase::Erase as _;
use crate::i18n::{Words, use_words};
use crate::rich_text::Mark;
use crate::rich_text::{Block, Piece, Point, Style, blocks};

/// The text. A changed text gets a new element, because a translation may have replaced the text nodes of the old one.
#[component]
pub fn MessageText(
    /// The message's row.
    line: RwSignal<RowView>,
) -> impl IntoView {
    let words = use_words();
    let text = move || of_message(line, |message| text(message).map(|text| (text.to_owned(), message.marks.clone())));
    let blocked = Memo::new(move |_| of_message(line, |message| message.blocked));
    let shown = move || {
        view! { <For each=move || [text()] key=Option::clone children=move |text| text_view(text, words) /> }.erase()
    };
    let open = RwSignal::new(false);
    move || {
        if !blocked.get() || open.get() {
            return shown();
        }
        view! {
            <button class="text blocked-text" type="button" data-testid="show-blocked" on:click=move |_| open.set(true)>
                <span class="text-deleted">{words.direct.folded}</span>
                <span class="blocked-show">{words.direct.show}</span>
            </button>
        }
        .erase()
    }
}

fn text_view(text: Option<(String, Vec<Mark>)>, words: &'static Words) -> AnyView {
    let Some((text, marks)) = text else {
        return view! { <span class="text text-deleted">{words.deleted}</span> }.erase();
    };
    let shown: Vec<AnyView> = blocks(&text, &marks).into_iter().map(block_view).collect();
    match Length::of(&text) {
        Length::Short => view! { <div class="text" dir="auto">{shown}</div> }.erase(),
        length @ (Length::LongIfNarrow | Length::Long) => folded(shown, length, words),
    }
}

fn block_view(block: Block) -> AnyView {
    match block {
        Block::Lines(pieces) => pieces_view(pieces).into_any(),
        Block::Quote(pieces) => view! { <blockquote>{pieces_view(pieces)}</blockquote> }.erase(),
        Block::List(points) => view! { <ul>{points.into_iter().map(point_view).collect::<Vec<_>>()}</ul> }.erase(),
        Block::Code(code) => view! { <pre translate="no">{code}</pre> }.erase(),
    }
}

/// The number is shown as it was written, so it is text and no counter.
fn point_view(point: Point) -> AnyView {
    let mark = point.number.map_or_else(|| "•".to_owned(), |number| format!("{number}."));
    view! {
        <li>
            <span class="list-mark" aria-hidden=point.number.is_none().then_some("true")>{mark}</span>
            <span>{pieces_view(point.pieces)}</span>
        </li>
    }
    .erase()
}

fn pieces_view(pieces: Vec<Piece>) -> Vec<AnyView> {
    pieces.into_iter().map(piece_view).collect()
}

fn piece_view(piece: Piece) -> AnyView {
    match piece {
        Piece::Text(text) => text.erase(),
        Piece::Mention { text, you } => {
            let class = if you { "mention mention-you" } else { "mention" };
            view! { <bdi class=class translate="no">{text}</bdi> }.erase()
        }
        // A telephone number opens no page.
        Piece::Link { text, href } if href.starts_with("tel:") => view! { <a href=href>{text}</a> }.erase(),
        Piece::Link { text, href } => {
            view! { <a href=href target="_blank" rel="noopener noreferrer nofollow ugc">{text}</a> }.erase()
        }
        Piece::Code(text) => view! { <code translate="no">{text}</code> }.erase(),
        Piece::Styled { style, pieces } => {
            let pieces = pieces_view(pieces);
            match style {
                Style::Strong => view! { <strong>{pieces}</strong> }.erase(),
                Style::Emphasis => view! { <em>{pieces}</em> }.erase(),
                Style::Struck => view! { <s>{pieces}</s> }.erase(),
            }
        }
    }
}
