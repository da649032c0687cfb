//! An in-memory database: the durable data of the simulated world.
//!
//! It owns one group's log and members, and keeps the store's promises: seqs without a hole, each id stored once, one
//! snapshot per query. It knows neither time nor failures. The store in front of it adds those.

use std::collections::{BTreeMap, BTreeSet};

use caravana_protocol::{
    Content, Epoch, Event, GroupId, MemberJoined, MemberLeft, Message, MessageChange, MessageId, Role, Seq, Timestamp,
    UserId, limits,
};
use caravana_store::{Anchor, Appended, Changed, Effects, GroupState, History, Marked, NewMessage, Page, StoreError};
use uuid::Uuid;

/// The only group.
pub(super) const GROUP: GroupId = GroupId::new(Uuid::from_u128(0x1));

/// The timestamp of every event. No test may depend on it.
const AT: i64 = 0;

/// The tables of one group.
#[derive(Debug, Clone)]
pub(super) struct SimDatabase {
    pub(super) epoch: Epoch,
    log: Vec<Event>,
    messages: BTreeMap<MessageId, Message>,
    members: BTreeSet<UserId>,
    reads: BTreeMap<UserId, Seq>,
    /// Messages that other programs wrote.
    pub(super) foreign: BTreeMap<MessageId, String>,
    /// A flaw that the checker must find: a repeated id is stored again.
    pub(super) forgets_ids: bool,
}

impl Default for SimDatabase {
    fn default() -> Self {
        Self {
            epoch: Epoch::new(Uuid::from_u128(0xe)),
            log: Vec::new(),
            messages: BTreeMap::new(),
            members: BTreeSet::new(),
            reads: BTreeMap::new(),
            foreign: BTreeMap::new(),
            forgets_ids: false,
        }
    }
}

impl SimDatabase {
    pub(super) fn head(&self) -> Seq {
        self.log.len() as Seq
    }

    /// A copy of the current state, for a rollback.
    pub(super) fn snapshot(&self) -> Self {
        self.clone()
    }

    fn next(&self) -> Seq {
        self.head() + 1
    }

    pub(super) fn is_member(&self, user: UserId) -> bool {
        self.members.contains(&user)
    }

    pub(super) fn admit(&mut self, user: UserId) {
        if self.members.insert(user) {
            self.log.push(Event::MemberJoined(MemberJoined {
                group_id: GROUP,
                seq: self.next(),
                user_id: user,
                display_name: "Ana".into(),
                role: Role::Member,
                at: Timestamp::from_unix_micros(AT),
            }));
        }
    }

    pub(super) fn remove(&mut self, user: UserId) {
        if self.members.remove(&user) {
            self.reads.remove(&user);
            self.log.push(Event::MemberLeft(MemberLeft {
                group_id: GROUP,
                seq: self.next(),
                user_id: user,
                display_name: "Ana".into(),
                at: Timestamp::from_unix_micros(AT),
            }));
        }
    }

    /// Stores a message. A repeated id is not stored again.
    pub(super) fn append(&mut self, new: &NewMessage) -> Result<Appended, StoreError> {
        if !self.is_member(new.user_id) || new.group_id != GROUP {
            return Err(StoreError::NotFound);
        }
        if let Some(stored) = self.messages.get(&new.id).filter(|_| !self.forgets_ids) {
            let same_text =
                stored.content.body == new.content.body.as_str() || stored.edited_at.is_some() || !stored.status;
            let same = stored.user_id == Some(new.user_id) && same_text;
            let message = stored.clone();
            return if same { Ok(Appended { message, duplicate: true }) } else { Err(StoreError::Conflict) };
        }
        let message = self.write(new.id, new.user_id, new.content.body.as_str());
        Ok(Appended { message, duplicate: false })
    }

    /// Another program inserts a row.
    pub(super) fn insert(&mut self, id: MessageId, user: UserId, text: &str) {
        self.foreign.insert(id, text.to_owned());
        self.write(id, user, text);
    }

    fn write(&mut self, id: MessageId, user: UserId, text: &str) -> Message {
        let message = Message {
            id,
            user_id: Some(user),
            group_id: GROUP,
            content: Content::text(text.to_owned()),
            created_at: Timestamp::from_unix_micros(AT),
            status: true,
            seq: self.next(),
            edited_at: None,
            reply: None,
            reactions: Vec::new(),
            pinned: false,
        };
        self.messages.insert(id, message.clone());
        self.log.push(Event::NewMessage(message.clone()));
        message
    }

    /// Edits (`Some`) or deletes (`None`) one of the actor's own messages.
    pub(super) fn change(
        &mut self,
        actor: UserId,
        id: MessageId,
        text: Option<&str>,
        effects: &mut Effects,
    ) -> Result<Changed, StoreError> {
        if !self.is_member(actor) {
            return Err(StoreError::NotFound);
        }
        let (head, seq) = (self.head(), self.next());
        let message = self.messages.get_mut(&id).ok_or(StoreError::NotFound)?;
        if message.user_id != Some(actor) {
            return Err(StoreError::Forbidden);
        }
        if !message.status {
            let unchanged = Changed { message: message.clone(), seq: head, is_new: false };
            return if text.is_some() { Err(StoreError::Gone) } else { Ok(unchanged) };
        }
        text.unwrap_or_default().clone_into(&mut message.content.body);
        message.status = text.is_some();
        message.edited_at = text.is_some().then_some(Timestamp::from_unix_micros(AT));
        let message = message.clone();
        let change = MessageChange { message_seq: message.seq, message: Message { seq, ..message.clone() } };
        let event = if text.is_some() { Event::MessageEdited(change) } else { Event::MessageDeleted(change) };
        self.log.push(event.clone());
        effects.event(event);
        Ok(Changed { message, seq, is_new: true })
    }

    pub(super) fn mark_read(&mut self, user: UserId, seq: Seq) -> Result<Marked, StoreError> {
        let head = self.head();
        if !self.is_member(user) {
            return Err(StoreError::NotFound);
        }
        let mark = self.reads.entry(user).or_insert(0);
        *mark = seq.min(head).max(*mark);
        Ok(Marked { seq: *mark, is_shared: true })
    }

    pub(super) fn stored(&self, id: MessageId) -> Option<Message> {
        self.messages.get(&id).cloned()
    }

    pub(super) fn group_state(&self) -> GroupState {
        GroupState {
            epoch: self.epoch,
            head: self.head(),
            members: self.members.clone(),
            reads: self.reads.clone(),
            hidden: BTreeSet::new(),
            is_closed: false,
        }
    }

    /// Events after the seq `after`, with each message in its current state.
    pub(super) fn page(&self, after: Seq) -> Page {
        let start = usize::try_from(after).unwrap_or(usize::MAX).min(self.log.len());
        let events = self.log[start..].iter().take(limits::REPLAY_PAGE_EVENTS).map(|event| self.today(event));
        Page { events: events.collect(), epoch: self.epoch, head: self.head() }
    }

    /// The whole log.
    pub(super) fn everything(&self) -> &[Event] {
        &self.log
    }

    fn today(&self, event: &Event) -> Event {
        match event {
            Event::NewMessage(message) => {
                // With `forgets_ids` an id has several seqs. Each event keeps its own.
                let now = self.messages.get(&message.id).unwrap_or(message);
                Event::NewMessage(Message { seq: message.seq, ..now.clone() })
            }
            other @ (Event::MessageEdited(_)
            | Event::MessageDeleted(_)
            | Event::MemberJoined(_)
            | Event::MemberLeft(_)
            | Event::GroupUpdated(_)
            | Event::ReactionChanged(_)
            | Event::MessagePinned(_)
            | Event::MessageUnpinned(_)
            | Event::Other(_)) => other.clone(),
        }
    }

    pub(super) fn history(&self, anchor: Anchor, limit: usize) -> History {
        let all: Vec<Message> = self
            .log
            .iter()
            .filter_map(|event| match self.today(event) {
                Event::NewMessage(message) => Some(message),
                Event::MessageEdited(_)
                | Event::MessageDeleted(_)
                | Event::MemberJoined(_)
                | Event::MemberLeft(_)
                | Event::GroupUpdated(_)
                | Event::ReactionChanged(_)
                | Event::MessagePinned(_)
                | Event::MessageUnpinned(_)
                | Event::Other(_) => None,
            })
            .collect();
        let (from, to) = match anchor {
            Anchor::End => (all.len().saturating_sub(limit), all.len()),
            Anchor::Before(seq) => {
                let end = all.partition_point(|message| message.seq < seq);
                (end.saturating_sub(limit), end)
            }
            Anchor::After(seq) => {
                let start = all.partition_point(|message| message.seq <= seq);
                (start, (start + limit).min(all.len()))
            }
            Anchor::Around(seq) => {
                let middle = all.partition_point(|message| message.seq < seq);
                (middle.saturating_sub(limit / 2), (middle + limit - limit / 2).min(all.len()))
            }
        };
        History {
            messages: all[from..to].to_vec(),
            events: Vec::new(),
            epoch: self.epoch,
            head: self.head(),
            has_more_before: from > 0,
            has_more_after: to < all.len(),
        }
    }
}
