//! The form in which a message is written.
//!
//! The text is kept in the document's own field, so that text which was typed before hydration stays, and the browser
//! submits the form itself until then. A callback takes a message that can be sent; other text stays in the field.

use std::sync::Arc;

use caravana_protocol::limits::MESSAGE_CHARACTERS;
use caravana_protocol::{GroupId, MessageBody, TextError, UserId};
use leptos::ev::{ClipboardEvent, KeyboardEvent, SubmitEvent};
use leptos::html::{ElementType, Textarea};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use reactive_stores::Store;

use super::emoji_picker::EmojiPicker;
use super::icon::{Glyph, Icon};
use crate::chat::store::TimelineState;
use crate::emoji::Emojis;
use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::paths;
use crate::ports::{Device, use_device};
use crate::says::{said, says};

pub mod completion;
mod draft;
pub mod mode;
mod writer;
mod written;

use completion::{Completion, Completions, Key};
use draft::{Draft, keep_draft};
pub use mode::ComposeMode;
use mode::{ModeBar, follow_mode};
pub use writer::ComposeActions;
use writer::Writer;
use written::{FIELD_UNITS, PASTE_UNITS, beginning, is_cut, mirrored, without_controls};

/// The counter shows when fewer characters are left.
const COUNTER_FROM: usize = 200;
/// The composer. One is made for each group that is opened.
#[component]
pub fn Composer(
    /// Who writes.
    me: UserId,
    /// Where to.
    group: GroupId,
    /// What is written: a message, an answer to one, or another text of one.
    mode: RwSignal<ComposeMode>,
    /// What becomes of it.
    actions: ComposeActions,
    /// The open group.
    timeline: Store<TimelineState>,
    /// The emoji that can be inserted.
    emojis: Emojis,
    /// The reader is no longer a member of the group.
    #[prop(into)]
    closed: Signal<bool>,
    /// The reader sent messages too fast: seconds until the next one is sent automatically.
    #[prop(into)]
    wait: Signal<Option<u64>>,
) -> impl IntoView {
    let (words, device) = (use_words(), use_device());
    let field = NodeRef::<Textarea>::new();
    let text = RwSignal::new(String::new());
    let draft = device.clone().map(|device| Draft::new(me, group, device));
    keep_draft(draft.clone(), field, text, mode);
    follow_mode(mode, field, text, device.clone());

    let (check, ready) = (checked(device.clone(), text), begin(field, device.clone()));
    let cut = RwSignal::new(None);
    let completion = Completion::new(field, timeline, emojis);
    let writer = device.clone().map(|device| Writer { field, text, mode, closed, actions, device, draft, completion });
    let submits = writer.clone();
    let on_submit = move |event: SubmitEvent| {
        if let Some(writer) = &submits {
            event.prevent_default();
            writer.submit();
        }
    };
    let on_input = move || {
        let Some(field) = field.get_untracked() else { return };
        let found = clean(&field);
        // Nobody waits for a message that is there already.
        if !mode.get_untracked().edits() {
            actions.typed.run(!found.is_empty());
        }
        text.set(found);
        completion.look();
    };
    let on_paste = move |event: ClipboardEvent| {
        if paste(field, device.as_ref(), &event, cut) {
            on_input();
        }
    };
    let on_key = move |event: KeyboardEvent| {
        let Some(writer) = &writer else { return };
        match writer.key(&event) {
            Key::Typed => {}
            Key::Done => event.prevent_default(),
            Key::Took => {
                event.prevent_default();
                on_input();
            }
        }
    };
    let unsendable = move || check.get().is_err() && !text.read().is_empty() || closed.get();
    view! {
        <form class="composer" method="post" action=paths::group(group) novalidate=move || ready.get() on:submit=on_submit>
            <div class="composer-notes">
                <Problem check cut />
                <Counter check />
            </div>
            <Countdown wait />
            <ModeBar mode />
            <div class="composer-line">
                <Completions completion taken=Callback::new(move |()| on_input()) />
                <div class="composer-field">
                    // The mirror determines the height of the field: both share one cell of a grid.
                    <div class="composer-mirror" aria-hidden="true" translate="no" {..says(move || mirrored(&text.read()))}></div>
                    <textarea
                        class="composer-input"
                        name="message"
                        rows="1"
                        dir="auto"
                        required
                        maxlength=FIELD_UNITS.to_string()
                        aria-label=words.write_message
                        placeholder=words.write_message
                        autocomplete="off"
                        // On touch it is a new line; other keyboards do not show it.
                        enterkeyhint="enter"
                        data-testid="composer"
                        node_ref=field
                        disabled=closed
                        on:input=move |_| on_input()
                        on:paste=on_paste
                        on:keydown=on_key
                        aria-autocomplete="list"
                        aria-controls=completion.list()
                        aria-activedescendant=completion.active()
                        on:keyup=move |_| completion.look()
                        on:click=move |_| completion.look()
                        on:blur=move |_| {
                            completion.close();
                            actions.typed.run(false);
                        }
                    ></textarea>
                </div>
                <EmojiButton field emojis closed inserted=Callback::new(move |()| on_input()) />
                <button
                    class="send"
                    type="submit"
                    aria-label=words.send
                    title=words.send
                    data-testid="send"
                    disabled=unsendable
                    aria-disabled=move || (ready.get() && text.read().trim().is_empty()).then_some("true")
                >
                    <Icon glyph=Glyph::Send />
                </button>
            </div>
        </form>
    }
    .erase()
}

/// Whether the page itself says what is wrong with a text, and not the browser. Where there is a keyboard, one may write
/// at once: the focus goes to the field, unless something else has it or the address leads elsewhere.
fn begin(field: NodeRef<Textarea>, device: Option<Arc<dyn Device>>) -> RwSignal<bool> {
    let ready = RwSignal::new(false);
    let path = use_location().pathname;
    Effect::new(move |_| {
        ready.set(true);
        let leads_on = path.with_untracked(|path| path.matches('/').count() > 2);
        if let Some((field, device)) = field.get().zip(device.as_ref())
            && !leads_on
            && !device.touch()
            && !device.is_busy()
        {
            drop(field.focus());
        }
    });
    ready
}

/// The button that opens the choice of an emoji.
#[component]
fn EmojiButton(
    field: NodeRef<Textarea>,
    emojis: Emojis,
    closed: Signal<bool>,
    /// An emoji was inserted, so the text in the field is another one.
    inserted: Callback<()>,
) -> impl IntoView {
    let words = use_words();
    let picking = RwSignal::new(false);
    let insert = Callback::new(move |emoji: String| {
        if put(field, &emoji) {
            inserted.run(());
        }
    });
    view! {
        <button
            class="icon-button composer-emoji"
            type="button"
            aria-label=words.choose_emoji
            title=words.choose_emoji
            aria-haspopup="dialog"
            data-testid="open-emoji"
            disabled=closed
            on:click=move |_| picking.set(true)
        >
            <Icon glyph=Glyph::Smile />
        </button>
        <EmojiPicker open=picking emojis chosen=insert />
    }
    .erase()
}

/// Replaces the selection with a text, and puts the caret and the focus behind it.
fn put(field: NodeRef<Textarea>, text: &str) -> bool {
    let Some(field) = field.get_untracked() else { return false };
    let start = field.selection_start().ok().flatten().unwrap_or_default();
    // This fails only for elements that are not text fields.
    let _ = field.set_range_text(text);
    let behind = start + u32::try_from(text.encode_utf16().count()).unwrap_or_default();
    let _ = field.set_selection_range(behind, behind);
    drop(field.focus());
    true
}

/// The number of characters of the message in the field, or why the text cannot be sent.
fn checked(device: Option<Arc<dyn Device>>, text: RwSignal<String>) -> Memo<Result<usize, TextError>> {
    // Before hydration, no typed text is known.
    let parse = move |text: &String| match &device {
        Some(device) => MessageBody::parse_with(text, &**device).map(|body| body.as_str().chars().count()),
        None => Err(TextError::Empty),
    };
    Memo::new(move |_| text.with(&parse))
}

/// Replaces the selection with a long pasted text, cut to what the field takes, and puts the caret after it. Returns
/// `false` if the browser handles the paste itself.
fn paste(
    field: NodeRef<Textarea>,
    device: Option<&Arc<dyn Device>>,
    event: &ClipboardEvent,
    cut: RwSignal<Option<usize>>,
) -> bool {
    let Some(field) = field.get_untracked() else { return false };
    let Some(whole) = device.and_then(|device| device.long_paste(event, PASTE_UNITS)) else { return false };
    event.prevent_default();
    let place = |place: Option<u32>| place.unwrap_or_default();
    let start = place(field.selection_start().ok().flatten());
    let end = place(field.selection_end().ok().flatten()).max(start);
    let stays = field.text_length().saturating_sub(end - start) as usize;
    let text = beginning(&whole, FIELD_UNITS.saturating_sub(stays));
    // This fails only for elements that are not text fields.
    let _ = field.set_range_text(&text);
    let behind = start + u32::try_from(text.encode_utf16().count()).unwrap_or_default();
    let _ = field.set_selection_range(behind, behind);
    if behind == field.text_length() {
        field.set_scroll_top(field.scroll_height());
    }
    cut.set(is_cut(&whole, &text).then(|| text.chars().count()));
    true
}

/// Removes characters that cannot be sent from the field, and returns the rest. The caret keeps its place in the text.
fn clean(field: &<Textarea as ElementType>::Output) -> String {
    let found = field.value();
    let caret = field.selection_start().ok().flatten().unwrap_or_default();
    let Some((text, caret)) = without_controls(&found, caret as usize) else { return found };
    field.set_value(&text);
    let caret = u32::try_from(caret).unwrap_or_default();
    // This fails only for a field without a caret.
    let _ = field.set_selection_range(caret, caret);
    text
}

/// Why the text cannot be sent, and a note if a paste was cut.
#[component]
fn Problem(
    check: Memo<Result<usize, TextError>>,
    /// The number of characters of the last paste that were inserted, if the rest was cut off.
    cut: RwSignal<Option<usize>>,
) -> impl IntoView {
    let words = use_words();
    Effect::new(move |_| {
        // Nothing of the pasted text is left.
        if check.get() == Err(TextError::Empty) {
            cut.set(None);
        }
    });
    let problem = move || {
        let error = check.get().err().filter(|error| *error != TextError::Empty);
        let error = error.map(|error| explain(words, Some(error.code())));
        cut.get().map(words.paste_cut).into_iter().chain(error).collect::<Vec<_>>().join(" ")
    };
    view! { <p class="composer-problem" role="status" {..says(problem)}></p> }.erase()
}

/// «Vas muy rápido. Espera 3 s.» A screen reader announces each wait only once, because a number that is read aloud
/// every second helps no one. Meanwhile the message is in the timeline and is sent automatically.
#[component]
fn Countdown(wait: Signal<Option<u64>>) -> impl IntoView {
    let words = use_words();
    let first = Memo::new(move |told: Option<&Option<u64>>| {
        let wait = wait.get();
        told.copied().flatten().filter(|_| wait.is_some()).or(wait)
    });
    view! {
        <div class="composer-wait" data-testid="wait">
            <span aria-hidden="true" {..says(move || wait.get().map(words.slow_down).unwrap_or_default())}></span>
            <span class="visually-hidden" role="status" {..says(move || first.get().map(words.slow_down).unwrap_or_default())}></span>
        </div>
    }
    .erase()
}

/// How many characters are left, near the limit, as the limit counts them.
#[component]
fn Counter(check: Memo<Result<usize, TextError>>) -> impl IntoView {
    let words = use_words();
    move || {
        let used = match check.get() {
            Ok(used) | Err(TextError::TooLong { characters: used }) => used,
            Err(TextError::Empty | TextError::Control) => 0,
        };
        let left = i64::try_from(MESSAGE_CHARACTERS).unwrap_or(i64::MAX) - i64::try_from(used).unwrap_or(i64::MAX);
        (used + COUNTER_FROM > MESSAGE_CHARACTERS).then(|| {
            view! { <span class="counter" {..said((words.characters_left)(left))} class:counter-over=left < 0></span> }
        })
    }
}
