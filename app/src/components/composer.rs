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

use super::icon::{Glyph, Icon};
use crate::erase::Erase as _;
use crate::i18n::{explain, use_words};
use crate::ports::{Device, use_device};
use crate::says::{said, says};

mod written;

use written::{FIELD_UNITS, PASTE_UNITS, beginning, is_cut, mirrored, without_controls};

/// The counter shows when fewer characters are left.
const COUNTER_FROM: usize = 200;
/// Some browsers report this key code, and no `isComposing`, for a key press that an input method has consumed.
const COMPOSITION_KEY: u32 = 229;

/// The composer. One is made for each group that is opened.
#[component]
pub fn Composer(
    /// Who writes.
    me: UserId,
    /// Where to.
    group: GroupId,
    /// Takes a message; returns `false` if it could not be queued, and then the text stays.
    send: Callback<MessageBody, bool>,
    /// The reader typed; `false` means that the field is empty now.
    typed: Callback<bool>,
    /// The reader is no longer a member of the group.
    #[prop(into)]
    closed: Signal<bool>,
    /// The reader sent messages too fast: seconds until the next one is sent automatically.
    #[prop(into)]
    wait: Signal<Option<u64>>,
) -> impl IntoView {
    let words = use_words();
    let device = use_device();
    let field = NodeRef::<Textarea>::new();
    let text = RwSignal::new(String::new());
    let draft = device.clone().map(|device| Draft { me, group, device, kept: StoredValue::new(None) });
    keep_draft(draft.clone(), field, text);

    let check = checked(device.clone(), text);
    let cut = RwSignal::new(None);
    let submit = {
        let device = device.clone();
        move || {
            let (Some(field), Some(device)) = (field.get_untracked(), &device) else { return };
            let Ok(body) = MessageBody::parse_with(&field.value(), &**device) else { return };
            if closed.get_untracked() || !send.run(body) {
                return;
            }
            field.set_value("");
            text.set(String::new());
            if let Some(draft) = &draft {
                draft.keep("");
            }
            // The focus may be on the button; it returns to the field for the next message.
            drop(field.focus());
        }
    };
    let on_submit = {
        let (submit, ready) = (submit.clone(), device.is_some());
        move |event: SubmitEvent| {
            if ready {
                event.prevent_default();
                submit();
            }
        }
    };
    let on_input = move || {
        let Some(field) = field.get_untracked() else { return };
        let found = clean(&field);
        typed.run(!found.is_empty());
        text.set(found);
    };
    let pasting = device.clone();
    let on_paste = move |event: ClipboardEvent| {
        if paste(field, pasting.as_ref(), &event, cut) {
            on_input();
        }
    };
    let on_key = move |event: KeyboardEvent| {
        let composing = event.is_composing() || event.key_code() == COMPOSITION_KEY;
        let plain = !(event.shift_key() || event.alt_key() || event.ctrl_key() || event.meta_key());
        let touch = device.as_ref().is_none_or(|device| device.touch());
        if event.key() == "Enter" && plain && !composing && !touch {
            event.prevent_default();
            submit();
        }
    };
    let unsendable = move || check.get().is_err() && !text.read().is_empty() || closed.get();
    view! {
        <form class="composer" method="post" action=format!("/g/{group}") on:submit=on_submit>
            <div class="composer-notes">
                <Problem check cut />
                <Counter check />
            </div>
            <Countdown wait />
            <div class="composer-line">
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
                        enterkeyhint="send"
                        data-testid="composer"
                        node_ref=field
                        disabled=closed
                        on:input=move |_| on_input()
                        on:paste=on_paste
                        on:keydown=on_key
                        on:blur=move |_| typed.run(false)
                    ></textarea>
                </div>
                <button
                    class="send"
                    type="submit"
                    aria-label=words.send
                    title=words.send
                    data-testid="send"
                    disabled=unsendable
                >
                    <Icon glyph=Glyph::Send />
                </button>
            </div>
        </form>
    }
    .erase()
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

/// The kept draft of one group, which all pages of the browser share.
#[derive(Clone)]
struct Draft {
    me: UserId,
    group: GroupId,
    device: Arc<dyn Device>,
    /// The draft that this page last wrote or read.
    kept: StoredValue<Option<String>>,
}

impl Draft {
    fn find(&self) -> Option<String> {
        let found = self.device.draft(self.me, self.group);
        self.kept.set_value(found.clone());
        found
    }

    /// Keeps a text. An empty field deletes the draft only if this page wrote or read it last: the person may be
    /// writing another text in another tab.
    fn keep(&self, text: &str) {
        let kept = self.kept.get_value();
        if kept.as_deref().unwrap_or_default() == text {
            return;
        }
        if !text.is_empty() || self.device.draft(self.me, self.group) == kept {
            self.device.keep_draft(self.me, self.group, text);
            // The draft is read back, because a full storage keeps the old one.
            self.find();
        } else {
            self.kept.set_value(None);
        }
    }
}

/// Restores the kept draft once, and then keeps what is written.
fn keep_draft(draft: Option<Draft>, field: NodeRef<Textarea>, text: RwSignal<String>) {
    let Some(draft) = draft else { return };
    Effect::new(move |restored: Option<bool>| {
        let Some(input) = field.get() else { return false };
        if restored == Some(true) {
            draft.keep(&text.read());
            return true;
        }
        let found = draft.find();
        if input.value().is_empty()
            && let Some(found) = found
        {
            input.set_value(&found);
        }
        text.set(input.value());
        text.track();
        true
    });
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
