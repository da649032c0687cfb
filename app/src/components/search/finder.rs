//! What is searched for, and what was found.
//!
//! Guarantees that the server is asked a moment after the last change of the words, that an answer is shown only if
//! nothing was changed since its question, and that a page without hits which is not the last one is followed by the
//! next page by itself, a bounded number of times.

use std::time::Duration;

use caravana_protocol::limits::{SEARCH_MAX_CHARACTERS, SEARCH_MIN_CHARACTERS};
use caravana_protocol::rest::{Hit, SearchAnswer};
use caravana_protocol::{Date, GroupId, MessageId, UserId};
use leptos::prelude::*;

use super::SearchActions;
use crate::i18n::{Words, explain, use_words};
use crate::ports::{ApiError, Scope, Sought};
use crate::time::Reader;

/// The server is asked so long after the last key (UX.md, F1).
const AFTER_LAST_KEY: Duration = Duration::from_millis(200);
/// So many pages are asked for in a row until one has a hit.
const PAGES: u8 = 5;
/// With so few hits below the chosen one, the next page is asked for.
const NEARLY_LAST: usize = 3;

/// Whether a text has a length that the server searches for.
pub(super) fn is_searchable(text: &str) -> bool {
    matches!(Fit::of(text), Fit::Right)
}

/// How a text fits into the server's bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Empty,
    Short,
    Right,
    Long,
}

impl Fit {
    fn of(text: &str) -> Self {
        match text.trim().chars().take(SEARCH_MAX_CHARACTERS + 1).count() {
            0 => Self::Empty,
            1..SEARCH_MIN_CHARACTERS => Self::Short,
            SEARCH_MIN_CHARACTERS..=SEARCH_MAX_CHARACTERS => Self::Right,
            _ => Self::Long,
        }
    }
}

/// Where a search is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing is searched for.
    Idle,
    /// The words are too few characters.
    TooShort,
    /// The words are too many characters.
    TooLong,
    /// The first hits are on their way. Those of an earlier search may still be shown.
    Searching,
    /// More hits are on their way.
    More,
    /// All that was asked for is there.
    Done,
    /// There is no answer; why, for the reader.
    Failed(String),
}

/// A hit in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The number of the search that found it.
    pub(super) search: u64,
    /// Its place in the list.
    pub(super) place: usize,
    pub(super) hit: Hit,
}

/// A search. All copies refer to the same.
#[derive(Clone, Copy)]
pub struct Finder {
    pub(super) text: RwSignal<String>,
    pub(super) scope: RwSignal<Scope>,
    pub(super) from: RwSignal<Option<UserId>>,
    pub(super) since: RwSignal<Option<Date>>,
    pub(super) until: RwSignal<Option<Date>>,
    pub(super) entries: RwSignal<Vec<Entry>>,
    pub(super) phase: RwSignal<Phase>,
    /// Where the next page begins.
    pub(super) next: RwSignal<Option<String>>,
    /// The number of the search whose hits are shown.
    pub(super) newest: RwSignal<u64>,
    /// The place of the chosen hit.
    pub(super) chosen: RwSignal<usize>,
    pub(super) reader: Signal<Reader>,
    actions: SearchActions,
    words: &'static Words,
    /// The number of the last change. An answer to an earlier question is dropped.
    change: StoredValue<u64>,
    timer: StoredValue<Option<TimeoutHandle>>,
}

impl Finder {
    pub(super) fn new(scope: Scope, reader: Signal<Reader>, actions: SearchActions) -> Self {
        let finder = Self {
            text: RwSignal::new(String::new()),
            scope: RwSignal::new(scope),
            from: RwSignal::new(None),
            since: RwSignal::new(None),
            until: RwSignal::new(None),
            entries: RwSignal::new(Vec::new()),
            phase: RwSignal::new(Phase::Idle),
            next: RwSignal::new(None),
            newest: RwSignal::new(0),
            chosen: RwSignal::new(0),
            reader,
            actions,
            words: use_words(),
            change: StoredValue::new(0),
            timer: StoredValue::new(None),
        };
        on_cleanup(move || finder.stop_timer());
        finder
    }

    /// The reader changed the words.
    pub(super) fn type_text(self, text: String) {
        if text.trim() == self.text.read_untracked().trim() {
            self.text.set(text);
            return;
        }
        self.text.set(text);
        self.search_soon();
    }

    /// The words or the filters have changed.
    pub(super) fn search_soon(self) {
        if self.begin() {
            let timer = set_timeout_with_handle(move || self.ask_first(), AFTER_LAST_KEY).ok();
            self.timer.set_value(timer);
        }
    }

    /// Searches without a wait: the reader chose where, asked again, or pressed Enter.
    pub(super) fn search_now(self) {
        if self.begin() {
            self.ask_first();
        }
    }

    /// Searches in another place.
    pub(super) fn search_in(self, scope: Scope) {
        self.scope.set(scope);
        self.search_now();
    }

    /// Whether hits are restricted to a person or a time.
    pub(super) fn is_filtered(self) -> bool {
        self.from.read().is_some() || self.since.read().is_some() || self.until.read().is_some()
    }

    pub(super) fn clear_filters(self) {
        self.from.set(None);
        self.since.set(None);
        self.until.set(None);
        self.search_now();
    }

    /// Asks for the next page, if there is one and no question is open.
    pub(super) fn more(self) {
        let next = self.next.get_untracked().filter(|_| *self.phase.read_untracked() == Phase::Done);
        if let Some(next) = next {
            self.phase.set(Phase::More);
            self.ask(Some(next), PAGES);
        }
    }

    /// Asks again for what did not come.
    pub(super) fn again(self) {
        if self.next.read_untracked().is_some() {
            self.phase.set(Phase::Done);
            self.more();
        } else {
            self.search_now();
        }
    }

    /// Moves the choice. Returns whether the key does so.
    pub(super) fn walk(self, key: &str) -> bool {
        let last = self.entries.read_untracked().len().saturating_sub(1);
        let now = self.chosen.get_untracked();
        let next = match key {
            "ArrowDown" => (now + 1).min(last),
            "ArrowUp" => now.saturating_sub(1),
            _ => return false,
        };
        self.chosen.set(next);
        if next + NEARLY_LAST > last {
            self.more();
        }
        true
    }

    /// Goes to the chosen hit. If the hits that are shown are those of earlier words, it searches now.
    pub(super) fn enter(self) {
        match self.phase.get_untracked() {
            // A question that is on its way is not asked again.
            Phase::Searching if self.timer.with_value(Option::is_none) => {}
            Phase::Searching => self.search_now(),
            Phase::Failed(_) if self.entries.read_untracked().is_empty() => self.again(),
            Phase::Done | Phase::More | Phase::Failed(_) => self.go(self.chosen.get_untracked()),
            Phase::Idle | Phase::TooShort | Phase::TooLong => {}
        }
    }

    /// Goes to the hit in this place.
    pub(super) fn go(self, place: usize) {
        let hit = self.entries.read_untracked().get(place).map(|entry| (entry.hit.group.id, entry.hit.message.id));
        if let Some(hit) = hit {
            self.chosen.set(place);
            self.actions.go.run(hit);
        }
    }

    /// The reader pressed the link of a hit. The link alone does nothing if the page is already at its address.
    pub(super) fn visit(self, hit: (GroupId, MessageId)) {
        self.actions.go.run(hit);
    }

    /// From here on, answers to earlier questions are dropped. Returns whether there is something to search for; otherwise
    /// nothing is shown.
    fn begin(self) -> bool {
        self.stop_timer();
        self.change.update_value(|change| *change += 1);
        let fit = Fit::of(&self.text.read_untracked());
        self.phase.set(match fit {
            Fit::Empty => Phase::Idle,
            Fit::Short => Phase::TooShort,
            Fit::Right => Phase::Searching,
            Fit::Long => Phase::TooLong,
        });
        self.next.set(None);
        let has_words = fit == Fit::Right;
        if !has_words {
            self.entries.set(Vec::new());
        }
        has_words
    }

    fn stop_timer(self) {
        if let Some(timer) = self.timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    }

    fn ask_first(self) {
        self.timer.set_value(None);
        self.ask(None, PAGES);
    }

    fn ask(self, before: Option<String>, pages: u8) {
        let reader = self.reader.get_untracked();
        let day = |day: RwSignal<Option<Date>>| day.get_untracked().map(|day| reader.whole_day(day));
        let sought = Sought {
            text: self.text.read_untracked().trim().to_owned(),
            scope: self.scope.get_untracked(),
            from: self.from.get_untracked(),
            since: day(self.since).map(|[begin, _]| begin),
            until: day(self.until).map(|[_, end]| end),
        };
        let change = self.change.get_value();
        let answer = self.actions.search.run((sought, before));
        leptos::task::spawn_local(async move {
            let answer = answer.await;
            // The reader may have changed the words or left meanwhile.
            if self.change.try_get_value() == Some(change) {
                self.take(answer, change, pages);
            }
        });
    }

    fn take(self, answer: Result<SearchAnswer, ApiError>, change: u64, pages: u8) {
        let is_first = *self.phase.read_untracked() == Phase::Searching;
        let SearchAnswer { hits, next } = match answer {
            Ok(answer) => answer,
            Err(error) => {
                if is_first {
                    self.entries.set(Vec::new());
                }
                self.phase.set(Phase::Failed(explain(self.words, error.code())));
                return;
            }
        };
        let is_empty = hits.is_empty();
        if is_first && !(is_empty && next.is_some()) {
            self.chosen.set(0);
            self.entries.set(Vec::new());
            self.newest.set(change);
        }
        if !is_empty {
            self.entries.update(|entries| {
                let first = entries.len();
                let numbered = hits.into_iter().enumerate();
                entries.extend(numbered.map(|(number, hit)| Entry { search: change, place: first + number, hit }));
            });
        }
        self.next.set(next.clone());
        match next.filter(|_| is_empty && pages > 1) {
            Some(next) => self.ask(Some(next), pages - 1),
            None => self.finish(change),
        }
    }

    /// Nothing more is asked for now. If no page had a hit, those of earlier words go.
    fn finish(self, change: u64) {
        if self.entries.read_untracked().first().is_some_and(|entry| entry.search != change) {
            self.entries.set(Vec::new());
        }
        self.phase.set(Phase::Done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_searched_for_as_long_as_the_server_allows() {
        let fit = |text: &str| Fit::of(text);
        assert_eq!([fit(""), fit("  "), fit(" a "), fit("ab")], [Fit::Empty, Fit::Empty, Fit::Short, Fit::Right]);
        assert_eq!([fit(&"ñ".repeat(100)), fit(&"ñ".repeat(101))], [Fit::Right, Fit::Long]);
        assert!(is_searchable("té") && !is_searchable("t "));
    }
}
