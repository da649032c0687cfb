//! What could complete the word at the caret: the members after an `@`, emoji after a `:`.
//!
//! Owns the list above the field, and which of its entries is chosen; the focus stays in the field. The list closes on
//! Escape and stays closed for that word. Keys of an input method never reach it. A textarea can't be a `combobox` for
//! assistive technology, so it has the properties that a text field may have: the list that it controls, and the chosen
//! entry.

use caravana_protocol::UserId;
use caravana_protocol::limits::DISPLAY_NAME_CHARACTERS;
use leptos::html::Textarea;
use leptos::prelude::*;
use reactive_stores::Store;

use crate::chat::mentions::{EVERYONE, begins};
use crate::chat::store::{MemberRow, TimelineState, TimelineStateStoreFields as _};
use crate::components::avatar::Avatar;
use crate::emoji::Emojis;
use crate::erase::Erase as _;
use crate::fold::folded;
use crate::i18n::{Lang, use_lang, use_words};
use crate::says::said;

/// At most this many entries are shown.
const SHOWN: usize = 8;
/// The id of the list; a page has one composer.
const LIST: &str = "completion";

/// So many letters after a `:` begin the name of an emoji.
const EMOJI_LETTERS: usize = 2;

/// What is being completed. Places are in UTF-16 units, as the field counts them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    sign: Sign,
    /// The place of the sign.
    start: u32,
    /// The caret.
    end: u32,
    /// What stands between them.
    text: String,
}

impl Word {
    /// Whether it may be the beginning of a name.
    fn can_be_completed(&self) -> bool {
        let is_one_word = self.text.chars().all(char::is_alphanumeric);
        let names_emoji = is_one_word && self.text.chars().nth(EMOJI_LETTERS - 1).is_some();
        (self.sign == Sign::Mention || names_emoji)
            && !self.text.starts_with(char::is_whitespace)
            && !self.text.ends_with(char::is_whitespace)
            && self.text.chars().nth(DISPLAY_NAME_CHARACTERS).is_none()
    }
}

/// The character that a word begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// `@`: whom the message mentions.
    Mention,
    /// `:`: an emoji.
    Emoji,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Choice {
    Member { user: UserId, name: String },
    Everyone,
    Emoji { sign: String, name: String },
}

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// The browser handles it.
    Typed,
    /// It is handled.
    Done,
    /// It is handled, and the text in the field is another one now.
    Took,
}

/// What could complete the word at the caret. All copies refer to the same.
#[derive(Clone, Copy)]
pub struct Completion {
    field: NodeRef<Textarea>,
    word: RwSignal<Option<Word>>,
    choices: Memo<Vec<Choice>>,
    chosen: RwSignal<usize>,
    /// The word that begins here is not completed while the caret is at or behind the second place: its list was
    /// closed, or one of its entries was taken.
    closed: StoredValue<Option<(u32, u32)>>,
    everyone: &'static str,
    emojis: Emojis,
}

impl Completion {
    pub(super) fn new(field: NodeRef<Textarea>, timeline: Store<TimelineState>, emojis: Emojis) -> Self {
        let lang = use_lang();
        let word = RwSignal::new(None::<Word>);
        let choices = Memo::new(move |_| {
            let word = word.read();
            let Some(word) = word.as_ref() else { return Vec::new() };
            match word.sign {
                Sign::Mention => choices(&word.text, &timeline.members().read(), timeline.may_mention_all().get()),
                Sign::Emoji => found_emoji(&word.text, emojis, lang),
            }
        });
        let everyone = use_words().everyone;
        let (chosen, closed) = (RwSignal::new(0), StoredValue::new(None));
        Self { field, word, choices, chosen, closed, everyone, emojis }
    }

    /// Looks at the word at the caret.
    pub(super) fn look(self) {
        let Some(field) = self.field.get_untracked() else { return };
        let caret = |place: Option<u32>| place.unwrap_or_default();
        let (start, end) = (field.selection_start().ok().flatten(), field.selection_end().ok().flatten());
        // A selection is replaced by the next key.
        let found = (start == end).then(|| word_at(&field.value(), caret(end))).flatten();
        if found.as_ref().map(|word| word.start) != self.closed.get_value().map(|(start, _)| start) {
            self.closed.set_value(None);
        }
        let open = found
            .filter(Word::can_be_completed)
            .filter(|word| self.closed.get_value().is_none_or(|(_, from)| word.end < from));
        if *self.word.read_untracked() != open {
            if open.as_ref().is_some_and(|word| word.sign == Sign::Emoji) {
                self.emojis.load();
            }
            self.chosen.set(0);
            self.word.set(open);
        }
    }

    /// Closes the list until the field changes.
    pub(super) fn close(self) {
        if self.word.read_untracked().is_some() {
            self.word.set(None);
        }
    }

    /// Handles a key if the list is open.
    pub(super) fn key(self, key: &str) -> Option<Key> {
        let count = self.choices.read_untracked().len();
        let start = self.word.read_untracked().as_ref().map(|word| word.start).filter(|_| count > 0)?;
        match key {
            "ArrowDown" => self.chosen.update(|chosen| *chosen = (*chosen + 1) % count),
            "ArrowUp" => self.chosen.update(|chosen| *chosen = (*chosen + count - 1) % count),
            "Enter" | "Tab" => {
                self.take(self.chosen.get_untracked().min(count - 1));
                return Some(Key::Took);
            }
            "Escape" => {
                self.closed.set_value(Some((start, 0)));
                self.word.set(None);
            }
            _ => return None,
        }
        Some(Key::Done)
    }

    /// Puts an entry in the place of the word.
    fn take(self, number: usize) {
        let choice = self.choices.read_untracked().get(number).cloned();
        let (Some(field), Some(choice), Some(word)) = (self.field.get_untracked(), choice, self.word.get_untracked())
        else {
            return;
        };
        let text = match &choice {
            Choice::Member { name, .. } => format!("@{name}"),
            Choice::Everyone => format!("@{}", self.everyone),
            Choice::Emoji { sign, .. } => {
                self.emojis.used(sign);
                sign.clone()
            }
        };
        // A space that is there already is not doubled.
        let spaced = field.value().encode_utf16().nth(word.end as usize) == Some(u16::from(b' '));
        let text = if spaced { text } else { text + " " };
        let _ = field.set_selection_range(word.start, word.end);
        // This fails only for elements that are not text fields.
        let _ = field.set_range_text(&text);
        let behind = word.start + u32::try_from(text.encode_utf16().count()).unwrap_or_default() + u32::from(spaced);
        let _ = field.set_selection_range(behind, behind);
        self.closed.set_value(Some((word.start, behind)));
        self.close();
    }

    /// A text without the space that was put behind a name, if nothing was written after it.
    pub(super) fn without_space(self, text: &str) -> &str {
        let behind = self.closed.get_value().map(|(_, behind)| behind as usize);
        let is_last = behind == Some(text.encode_utf16().count());
        if is_last { text.strip_suffix(' ').unwrap_or(text) } else { text }
    }

    fn is_open(self) -> bool {
        !self.choices.read().is_empty()
    }

    /// The id of the open list.
    pub(super) fn list(self) -> impl Fn() -> Option<&'static str> + Send + Sync + 'static {
        move || self.is_open().then_some(LIST)
    }

    /// The id of the chosen entry.
    pub(super) fn active(self) -> impl Fn() -> Option<String> + Send + Sync + 'static {
        move || self.is_open().then(|| option_id(self.chosen.get()))
    }
}

fn option_id(number: usize) -> String {
    format!("{LIST}-{number}")
}

/// The word that begins with a sign before the caret, on the same line. A name may have spaces.
fn word_at(text: &str, caret: u32) -> Option<Word> {
    let mut units = 0;
    let mut before = None;
    let mut start = None;
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        if units >= caret {
            end = at;
            break;
        }
        let sign = match c {
            '@' => Some(Sign::Mention),
            ':' => Some(Sign::Emoji),
            _ => None,
        };
        if let Some(sign) = sign.filter(|_| begins(before)) {
            start = Some((sign, at, units));
        } else if c == '\n' {
            start = None;
        }
        units += u32::try_from(c.len_utf16()).unwrap_or_default();
        before = Some(c);
    }
    let (sign, at, start) = start?;
    let text = &text[at + 1..end];
    Some(Word { sign, start, end: caret, text: text.to_owned() })
}

/// The members with a name of which a word begins like this: those of exactly this name first, then those whose whole
/// name begins so, and behind the others all members at once. Nothing is left to complete if the only one is written
/// whole: Enter sends then.
fn choices(text: &str, members: &[MemberRow], may_all: bool) -> Vec<Choice> {
    let wanted = folded(text);
    let everyone = may_all && EVERYONE.iter().any(|word| folded(word).starts_with(&wanted));
    let mut found: Vec<(u8, Choice)> = members
        .iter()
        .filter(|member| !member.you && !member.name.is_empty())
        .filter_map(|member| {
            let name = folded(&member.name);
            let fits = |at: &usize| (*at == 0 || !name[at - 1].is_alphanumeric()) && name[*at..].starts_with(&wanted);
            let place = (0..name.len()).find(fits)?;
            let rank = if name.len() == wanted.len() { 0 } else { 1 + u8::from(place > 0) };
            Some((rank, Choice::Member { user: member.user.0, name: member.name.clone() }))
        })
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    if !everyone && found.len() == 1 && found.iter().all(|(rank, _)| *rank == 0) {
        found.clear();
    }
    found.truncate(SHOWN - usize::from(everyone));
    found.into_iter().map(|(_, choice)| choice).chain(everyone.then_some(Choice::Everyone)).collect()
}

/// The emoji whose names have a word that begins like this.
fn found_emoji(text: &str, emojis: Emojis, lang: Lang) -> Vec<Choice> {
    let Some(list) = emojis.list() else { return Vec::new() };
    let tone = emojis.tone();
    let found = list.find(text, SHOWN).into_iter();
    found.map(|emoji| Choice::Emoji { sign: emoji.toned(tone), name: emoji.name(lang).to_owned() }).collect()
}

/// The list above the field.
#[component]
pub fn Completions(
    /// What could complete the word.
    completion: Completion,
    /// An entry was taken, so the text in the field is another one.
    taken: Callback<()>,
) -> impl IntoView {
    let words = use_words();
    let options = move || {
        let options = completion.choices.get().into_iter().enumerate();
        options.map(|(number, choice)| option(number, choice, completion, taken)).collect::<Vec<_>>()
    };
    let label = move || {
        let word = completion.word.read();
        let is_emoji = word.as_ref().is_some_and(|word| word.sign == Sign::Emoji);
        if is_emoji { words.emoji_found } else { words.mention }
    };
    move || {
        completion.is_open().then(|| {
            view! {
                <ul class="completion" id=LIST role="listbox" aria-label=label data-testid="completion">{options}</ul>
            }
            .erase()
        })
    }
}

fn option(number: usize, choice: Choice, completion: Completion, taken: Callback<()>) -> AnyView {
    let words = use_words();
    let content = match choice {
        Choice::Member { user, name } => view! {
            <Avatar id=Some(user.uuid()) name=Signal::stored(name.clone()) />
            <bdi class="completion-name" translate="no" {..said(name)}></bdi>
        }
        .erase(),
        Choice::Emoji { sign, name } => view! {
            <span class="completion-emoji" aria-hidden="true" translate="no" {..said(sign)}></span>
            <span class="completion-name" {..said(name)}></span>
        }
        .erase(),
        Choice::Everyone => view! {
            <span class="completion-sign" aria-hidden="true">"@"</span>
            <span class="completion-name" translate="no">{words.everyone}</span>
            <span class="completion-note">{words.everyone_note}</span>
        }
        .erase(),
    };
    let press = move |_| {
        completion.take(number);
        taken.run(());
    };
    view! {
        <li
            class="completion-option"
            id=option_id(number)
            role="option"
            aria-selected=move || (completion.chosen.get() == number).to_string()
            // The focus stays in the field.
            on:mousedown=|event| event.prevent_default()
            on:click=press
        >
            {content}
        </li>
    }
    .erase()
}

#[cfg(test)]
mod tests;
