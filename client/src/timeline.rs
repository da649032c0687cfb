//! One group's log as far as it is loaded, in order.
//!
//! Owns the cursor, the loaded rows and the events that came too early. Promises G4: an event is applied only if its
//! seq is the cursor's plus one; lower ones are dropped, higher ones are held back until the gap is filled. Pages of
//! history are merged by message id and by the seq up to which their state is known, so that a page that is newer or
//! older than the stream neither doubles a message nor brings back an old text. Memory is bounded. Never requests
//! anything itself: it reports what it found, and the session requests. Messages that are not acknowledged yet are not
//! here but in the [`crate::Outbox`]; [`crate::Group::items`] shows both.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use caravana_protocol::{Cursor, Epoch, Event, Message, MessageChange, MessageId, Seq, Timestamp};

use crate::Want;

mod gap;
mod history;
mod row;

pub use history::HistoryPage;
pub(crate) use history::Merged;
use row::Stored;
pub use row::{Row, RowKey};

/// Events that are held back while a gap is open. More are dropped: the answer to `sync` brings them again.
pub const HELD_EVENTS: usize = 256;
/// Edits and deletions that are remembered for pages of history that were read before them.
pub(crate) const PASSED_CHANGES: usize = 256;

/// One group's log as far as it is loaded.
#[derive(Debug)]
pub struct Timeline {
    cursor: Option<Cursor>,
    rows: BTreeMap<Seq, Stored>,
    index: BTreeMap<MessageId, Seq>,
    held: BTreeMap<Seq, Event>,
    /// Events up to this seq exist and are missing here.
    missing: Option<Seq>,
    /// From this seq on the rows are complete.
    floor: Seq,
    /// Up to this seq the rows are complete; `None`: up to the cursor and live.
    ceiling: Option<Seq>,
    has_more_before: bool,
    /// The last edits and deletions that came. A page that was read before them brings an older state of their messages.
    passed: VecDeque<MessageChange>,
    /// After this seq no edit or deletion is missing in `passed`.
    passed_after: Seq,
    limit: usize,
}

/// The result of applying an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Applied {
    /// The event is in the log, and with it the held events that follow it directly.
    Now(Touched),
    /// The event was known, or there is no cursor yet.
    Known,
    /// An event before it is missing.
    Early,
}

/// The rows that changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) inserted: Vec<RowKey>,
    pub(crate) updated: Vec<RowKey>,
    pub(crate) removed: Vec<RowKey>,
    /// The events that entered the log, for the state that is not rows.
    pub(crate) events: Vec<Event>,
}

impl Timeline {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            cursor: None,
            rows: BTreeMap::new(),
            index: BTreeMap::new(),
            held: BTreeMap::new(),
            missing: None,
            floor: 0,
            ceiling: None,
            has_more_before: true,
            passed: VecDeque::new(),
            passed_after: 0,
            limit,
        }
    }

    /// All events up to here are known; `None` before the first page of history.
    #[must_use]
    pub const fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// The loaded rows, ascending.
    #[must_use]
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.rows.values().map(|stored| &stored.row)
    }

    /// The loaded rows after a seq, ascending.
    #[must_use]
    pub fn rows_after(&self, seq: Seq) -> impl DoubleEndedIterator<Item = &Row> {
        self.rows.range((Bound::Excluded(seq), Bound::Unbounded)).map(|(_, stored)| &stored.row)
    }

    /// How many rows are loaded.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no row is loaded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A loaded message.
    #[must_use]
    pub fn message(&self, id: MessageId) -> Option<&Message> {
        self.rows.get(self.index.get(&id)?)?.row.message()
    }

    /// A loaded row.
    #[must_use]
    pub fn row(&self, key: RowKey) -> Option<&Row> {
        let seq = match key {
            RowKey::Message(id) => *self.index.get(&id)?,
            RowKey::Event(seq) => seq,
        };
        self.rows.get(&seq).map(|stored| &stored.row)
    }

    /// Whether there are older messages to load.
    #[must_use]
    pub const fn has_more_before(&self) -> bool {
        self.has_more_before
    }

    /// Whether the loaded rows end before the newest ones, as after a jump to an old message.
    #[must_use]
    pub const fn has_more_after(&self) -> bool {
        self.ceiling.is_some()
    }

    /// Starts again from a cursor, without any rows.
    pub(crate) fn restart(&mut self, cursor: Cursor) {
        *self = Self {
            cursor: Some(cursor),
            floor: cursor.seq.saturating_add(1),
            passed_after: cursor.seq,
            ..Self::new(self.limit)
        };
    }

    /// Whether the cursor counts in this history.
    pub(crate) fn is_of(&self, epoch: Epoch) -> bool {
        self.cursor.is_some_and(|cursor| cursor.epoch == epoch)
    }

    /// Applies an event of the stream.
    pub(crate) fn apply(&mut self, event: Event) -> Applied {
        let Some(cursor) = self.cursor else { return Applied::Known };
        let seq = event.seq();
        if seq <= cursor.seq {
            return Applied::Known;
        }
        if seq > cursor.seq + 1 {
            self.expect(seq);
            if self.held.len() < HELD_EVENTS {
                self.held.insert(seq, event);
            }
            return Applied::Early;
        }
        let mut touched = Touched::default();
        self.commit(event, &mut touched);
        while let Some(entry) = self.held.first_entry() {
            match self.cursor.map(|cursor| cursor.seq) {
                Some(known) if *entry.key() <= known => drop(entry.remove()),
                Some(known) if *entry.key() == known + 1 => {
                    let event = entry.remove();
                    self.commit(event, &mut touched);
                }
                Some(_) | None => break,
            }
        }
        self.close_gap();
        self.trim_oldest(&mut touched);
        Applied::Now(touched)
    }

    /// The server has acknowledged the user's own message: shows it at its seq. Its event may come later, and finds the
    /// message here.
    pub(crate) fn acknowledge(&mut self, message: Message) -> Touched {
        let mut touched = Touched::default();
        let version = message.seq;
        self.put(Row::Message(message), version, &mut touched);
        touched
    }

    /// The server has made a change of a message at this seq: shows the change. Its event may come later, and finds the
    /// change here. A newer state of the message stays.
    pub(crate) fn fulfil(&mut self, id: MessageId, want: &Want, seq: Seq, at: Timestamp) -> Touched {
        let mut touched = Touched::default();
        let stored = self.index.get(&id).and_then(|place| self.rows.get(place)).filter(|stored| stored.version < seq);
        let message = stored.and_then(|stored| stored.row.message()).filter(|message| message.status).cloned();
        let (Some(mut message), Some(cursor)) = (message, self.cursor) else { return touched };
        if cursor.seq >= seq {
            return touched;
        }
        match want {
            Want::Send(_) => return touched,
            Want::Edit(text) if message.content.body == *text => return touched,
            Want::Edit(text) => {
                text.clone_into(&mut message.content.body);
                message.edited_at = Some(at);
            }
            Want::Delete => message = message.deleted(),
        }
        self.put(Row::Message(message), seq, &mut touched);
        touched
    }

    fn commit(&mut self, event: Event, touched: &mut Touched) {
        let seq = event.seq();
        if let Some(cursor) = &mut self.cursor {
            cursor.seq = seq;
        }
        match &event {
            Event::NewMessage(message) => self.put(Row::Message(message.clone()), seq, touched),
            Event::MessageEdited(change) | Event::MessageDeleted(change) => {
                self.passed.push_back(change.clone());
                if self.passed.len() > PASSED_CHANGES
                    && let Some(forgotten) = self.passed.pop_front()
                {
                    self.passed_after = forgotten.message.seq;
                }
                self.change(change, touched);
            }
            Event::MemberJoined(joined) => self.put(Row::MemberJoined(joined.clone()), seq, touched),
            Event::MemberLeft(left) => self.put(Row::MemberLeft(left.clone()), seq, touched),
            Event::GroupUpdated(updated) => self.put(Row::GroupUpdated(updated.clone()), seq, touched),
            // The event has its place in the log, but there is nothing to show.
            Event::Other(_) => {}
        }
        touched.events.push(event);
    }

    /// Shows a row if it lies in the loaded window. Of two states of one message the one of the higher version stays.
    fn put(&mut self, row: Row, version: Seq, touched: &mut Touched) {
        let (seq, key) = (row.seq(), row.key());
        if seq < self.floor || self.ceiling.is_some_and(|ceiling| seq > ceiling) {
            return;
        }
        if let RowKey::Message(id) = key
            && self.index.get(&id).is_some_and(|known| *known != seq)
        {
            // One id has one seq for ever. A row that says otherwise is wrong, and the first one stays.
            return;
        }
        match self.rows.get_mut(&seq) {
            Some(stored) if stored.version > version || stored.row.key() != key => {}
            Some(stored) => {
                if stored.row != row {
                    stored.row = row;
                    touched.updated.push(key);
                }
                stored.version = version;
            }
            None => {
                if let RowKey::Message(id) = key {
                    self.index.insert(id, seq);
                }
                self.rows.insert(seq, Stored { row, version });
                touched.inserted.push(key);
            }
        }
    }

    fn change(&mut self, change: &MessageChange, touched: &mut Touched) {
        let message = change.clone().into_message();
        if self.index.contains_key(&message.id) {
            self.put(Row::Message(message), change.message.seq, touched);
        }
    }

    fn remove(&mut self, seq: Seq, touched: &mut Touched) {
        if let Some(stored) = self.rows.remove(&seq) {
            if let RowKey::Message(id) = stored.row.key() {
                self.index.remove(&id);
            }
            touched.removed.push(stored.row.key());
        }
    }

    /// Keeps the bound by forgetting the oldest rows, which can be loaded again.
    fn trim_oldest(&mut self, touched: &mut Touched) {
        while self.rows.len() > self.limit {
            let Some((seq, _)) = self.rows.first_key_value() else { break };
            let seq = *seq;
            self.remove(seq, touched);
            self.floor = seq + 1;
            self.has_more_before = true;
        }
    }

    /// Keeps the bound by forgetting the newest rows: the reader is at the other end.
    fn trim_newest(&mut self, touched: &mut Touched) {
        while self.rows.len() > self.limit {
            let Some((seq, _)) = self.rows.last_key_value() else { break };
            let seq = *seq;
            self.remove(seq, touched);
            self.ceiling = Some(seq.saturating_sub(1));
        }
    }
}
