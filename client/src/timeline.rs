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

use caravana_protocol::{Cursor, Epoch, Event, Message, MessageId, Seq, UserId};

use crate::{Intent, Want};

mod gap;
mod history;
mod row;

pub use history::HistoryPage;
pub(crate) use history::Merged;
use row::Stored;
pub use row::{Row, RowKey};

/// Events that are held back while a gap is open. More are dropped: the answer to `sync` brings them again.
pub const HELD_EVENTS: usize = 256;
/// Changes of messages that are remembered for pages of history that were read before them.
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
    /// The last changes of messages that came. A page that was read before them brings an older state of their messages.
    passed: VecDeque<Event>,
    /// After this seq no change of a message is missing in `passed`.
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

    /// A message after its last change that came, also if the message is not loaded.
    #[must_use]
    pub fn changed(&self, id: MessageId) -> Option<Message> {
        self.passed.iter().rev().find_map(|event| match event {
            Event::MessageEdited(change) | Event::MessageDeleted(change) if change.message.id == id => {
                Some(change.clone().into_message())
            }
            Event::MessageEdited(_)
            | Event::MessageDeleted(_)
            | Event::ReactionChanged(_)
            | Event::MessagePinned(_)
            | Event::MessageUnpinned(_)
            | Event::NewMessage(_)
            | Event::MemberJoined(_)
            | Event::MemberLeft(_)
            | Event::GroupUpdated(_)
            | Event::Other(_) => None,
        })
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
    pub(crate) fn fulfil(&mut self, intent: &Intent, user: UserId, seq: Seq) -> Touched {
        let mut touched = Touched::default();
        let place = self.index.get(&intent.message);
        let stored = place.and_then(|place| self.rows.get(place)).filter(|stored| stored.version < seq);
        let message = stored.and_then(|stored| Some((stored.row.message()?.clone(), stored.version)));
        let (Some((mut message, version)), Some(cursor)) = (message, self.cursor) else { return touched };
        // The event of a reaction or a pin changes only that. Those before it, which may come later, are not in this state.
        let version = match &intent.want {
            Want::Send(_) | Want::Edit(_) | Want::Delete => seq,
            Want::React { .. } | Want::Pin { .. } => version,
        };
        if cursor.seq < seq && intent.want.apply(&mut message, user, intent.at) {
            self.put(Row::Message(message), version, &mut touched);
        }
        touched
    }

    fn commit(&mut self, event: Event, touched: &mut Touched) {
        let seq = event.seq();
        if let Some(cursor) = &mut self.cursor {
            cursor.seq = seq;
        }
        match &event {
            Event::NewMessage(message) => self.put(Row::Message(message.clone()), seq, touched),
            Event::MessageEdited(_)
            | Event::MessageDeleted(_)
            | Event::ReactionChanged(_)
            | Event::MessagePinned(_)
            | Event::MessageUnpinned(_) => {
                self.passed.push_back(event.clone());
                if self.passed.len() > PASSED_CHANGES
                    && let Some(forgotten) = self.passed.pop_front()
                {
                    self.passed_after = forgotten.seq();
                }
                self.change(&event, touched);
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

    /// Changes the loaded message that an event is about, and the replies that quote it. Other events change none.
    fn change(&mut self, event: &Event, touched: &mut Touched) {
        let seq = event.seq();
        match event {
            Event::MessageEdited(change) | Event::MessageDeleted(change) => {
                let message = change.clone().into_message();
                self.quote(&message, touched);
                if self.index.contains_key(&message.id) {
                    self.put(Row::Message(message), seq, touched);
                }
            }
            Event::ReactionChanged(change) => {
                self.mark(change.message_id, seq, touched, |message| change.apply(&mut message.reactions));
            }
            Event::MessagePinned(change) => self.mark(change.message_id, seq, touched, |message| message.pinned = true),
            Event::MessageUnpinned(change) => {
                self.mark(change.message_id, seq, touched, |message| message.pinned = false);
            }
            Event::NewMessage(_)
            | Event::MemberJoined(_)
            | Event::MemberLeft(_)
            | Event::GroupUpdated(_)
            | Event::Other(_) => {}
        }
    }

    /// Shows the present text of a message in the loaded replies to it.
    fn quote(&mut self, original: &Message, touched: &mut Touched) {
        let quote = original.quote();
        for stored in self.rows.values_mut() {
            let Row::Message(message) = &mut stored.row else { continue };
            if message.content.reply_to == Some(original.id) && message.reply.as_ref() != Some(&quote) {
                message.reply = Some(quote.clone());
                touched.updated.push(RowKey::Message(message.id));
            }
        }
    }

    /// Changes what others added to a loaded message. A deleted message has nothing of that.
    fn mark(&mut self, id: MessageId, version: Seq, touched: &mut Touched, change: impl FnOnce(&mut Message)) {
        let row = self.index.get(&id).and_then(|place| self.rows.get(place)).map(|stored| &stored.row);
        let Some(mut message) = row.and_then(Row::message).filter(|message| message.status).cloned() else { return };
        change(&mut message);
        self.put(Row::Message(message), version, touched);
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
