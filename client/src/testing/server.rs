//! A server of one group, as simple as the protocol allows.

use std::collections::{BTreeMap, VecDeque};

use caravana_protocol::{
    ClientFrame, ConnectionId, Content, Done, Epoch, ErrorCode, Event, Heartbeat, Hello, Incoming, Left, LeftReason,
    Limits, MemberJoined, Message, MessageChange, MessageId, MessageSent, PinChanged, ReactionChanged, Read, Role, Seq,
    ServerFrame, Timestamp, UserId, WireError, limits,
};
use uuid::Uuid;

use super::ids::{group, me};
use crate::Instant;

mod catch_up;

/// What becomes of a send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is stored, and both the answer and the event are lost.
    Lost,
    /// It is stored and told to the group, and its own answer is lost.
    Unanswered,
    /// It never arrives.
    Swallowed,
    /// It is refused with this code, and maybe a time to wait.
    Refused(ErrorCode, Option<u64>),
}

/// A server of one group.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fault that a test switches on by itself")]
pub struct Server {
    /// The group's log.
    pub log: Vec<Event>,
    /// The log's history.
    pub epoch: Epoch,
    /// Events that are replayed; with more missed it is `resync`.
    pub depth: Seq,
    /// What becomes of the next sends. Sends after these are stored.
    pub answers: VecDeque<Answer>,
    /// What becomes of the next changes of messages. Changes after these are made.
    pub change_answers: VecDeque<Answer>,
    /// How many changes of messages have arrived.
    pub changes: usize,
    /// The server's build does not know `done`.
    pub knows_no_done: bool,
    /// So many live events are lost on their way.
    pub lose_events: usize,
    /// An event that no client understands, however often it is sent.
    pub unreadable: Option<Seq>,
    /// `subscribe` and `sync` are not answered.
    pub ignores_subscribes: bool,
    /// `subscribe` and `sync` are refused with this.
    pub refuses_subscribes: Option<ErrorCode>,
    /// `mark_read` is not answered.
    pub ignores_reads: bool,
    /// The user that `hello` names.
    pub user: UserId,
    /// How far members have read.
    pub reads: BTreeMap<UserId, Seq>,
    /// When the next heartbeat is.
    pub next_beat: Instant,
    /// For each stored message, how often its send arrived.
    pub arrivals: BTreeMap<MessageId, usize>,
    messages: BTreeMap<MessageId, Message>,
    open: bool,
    following: bool,
    said: Vec<ServerFrame>,
    epochs: u128,
    minted: u128,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            log: Vec::new(),
            epoch: Epoch::new(Uuid::from_u128(1)),
            depth: 100,
            answers: VecDeque::new(),
            change_answers: VecDeque::new(),
            changes: 0,
            knows_no_done: false,
            lose_events: 0,
            unreadable: None,
            ignores_subscribes: false,
            refuses_subscribes: None,
            ignores_reads: false,
            user: me(),
            reads: BTreeMap::new(),
            next_beat: Instant::default(),
            arrivals: BTreeMap::new(),
            messages: BTreeMap::new(),
            open: false,
            following: false,
            said: Vec::new(),
            epochs: 1,
            minted: 0xffff_0000,
        }
    }
}

impl Server {
    /// The last event's seq.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.log.len() as Seq
    }

    /// The texts of all messages, in their order, as they are now.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let mut messages: Vec<&Message> = self.messages.values().collect();
        messages.sort_by_key(|message| message.seq);
        messages.into_iter().map(|message| message.content.body.clone()).collect()
    }

    /// A member writes a message.
    pub fn post(&mut self, user: UserId, text: &str) -> MessageId {
        self.minted += 1;
        let id = MessageId::new(Uuid::from_u128(self.minted));
        self.store(id, user, text);
        id
    }

    /// A message is changed by its author.
    pub fn edit(&mut self, id: MessageId, text: &str) {
        self.change(id, text, None, true);
    }

    /// A message is deleted.
    pub fn delete(&mut self, id: MessageId) {
        self.change(id, "", None, false);
    }

    /// A user becomes a member.
    pub fn admit(&mut self, user: UserId) {
        let (seq, at) = (self.head() + 1, Timestamp::from_unix_micros(0));
        let display_name = "Ana".to_owned();
        let joined = MemberJoined { group_id: group(), seq, user_id: user, display_name, role: Role::Member, at };
        self.append(Event::MemberJoined(joined));
    }

    /// The history is restored from an older copy: the last events are gone, and the epoch is another.
    pub fn restore(&mut self, lost: usize) {
        self.log.truncate(self.log.len().saturating_sub(lost));
        let head = self.head();
        self.messages.retain(|_, message| message.seq <= head);
        self.epochs += 1;
        self.epoch = Epoch::new(Uuid::from_u128(self.epochs));
        self.following = false;
    }

    /// Sends a frame.
    pub fn say(&mut self, frame: ServerFrame) {
        if self.open {
            self.said.push(frame);
        }
    }

    /// Takes the frames that wait for the client.
    pub fn take_said(&mut self) -> Vec<ServerFrame> {
        std::mem::take(&mut self.said)
    }

    /// A socket opens: `hello`.
    pub fn pick_up(&mut self, now: Instant) {
        (self.open, self.following) = (true, false);
        self.next_beat = now.after(limits::HEARTBEAT_MS);
        self.say(ServerFrame::Hello(Hello {
            protocol: limits::SUBPROTOCOL.to_owned(),
            connection_id: ConnectionId::new(Uuid::from_u128(7)),
            user_id: self.user,
            server_time: Timestamp::from_unix_micros(0),
            heartbeat_ms: limits::HEARTBEAT_MS,
            limits: Limits::default(),
            build: "test".to_owned(),
        }));
    }

    /// The socket is gone.
    pub fn hang_up(&mut self) {
        (self.open, self.following) = (false, false);
        self.said.clear();
    }

    /// Sends `heartbeat`.
    pub fn beat(&mut self, now: Instant) {
        self.next_beat = now.after(limits::HEARTBEAT_MS);
        let heads = if self.following { BTreeMap::from([(group(), self.head())]) } else { BTreeMap::new() };
        self.say(ServerFrame::Heartbeat(Heartbeat { t: Timestamp::from_unix_micros(0), heads }));
    }

    /// A frame of the client arrived.
    pub fn hear(&mut self, incoming: Incoming) {
        let reference = incoming.reference;
        match incoming.frame {
            ClientFrame::SendMessage { content, id, .. } => {
                if let Some(id) = id {
                    self.send(id, &content.body, reference);
                }
            }
            ClientFrame::EditMessage { id, message, mentions } => {
                self.change_own(id, &message, mentions, true, reference);
            }
            ClientFrame::DeleteMessage { id } => self.change_own(id, "", None, false, reference),
            ClientFrame::MarkRead { seq, .. } if !self.ignores_reads => {
                let read = self.reads.entry(self.user).or_default();
                *read = seq.max(*read);
                let read = Read { group_id: group(), user_id: self.user, seq: *read, hidden: false };
                self.say(ServerFrame::Read(read));
            }
            ClientFrame::Subscribe { cursor, .. } => self.follow(cursor, reference),
            ClientFrame::Sync { cursor, .. } => self.follow(Some(cursor), reference),
            ClientFrame::Unsubscribe { group_id } => {
                self.following = false;
                self.say(ServerFrame::Left(Left { group_id, reason: LeftReason::Asked }));
            }
            ClientFrame::React { id, emoji, on } => self.mark_own(id, reference, |server| server.react(id, &emoji, on)),
            ClientFrame::PinMessage { id, on } => self.mark_own(id, reference, |server| server.pin(id, on)),
            ClientFrame::MarkRead { .. }
            | ClientFrame::Typing { .. }
            | ClientFrame::StopTyping { .. }
            | ClientFrame::Auth { .. } => {}
        }
    }

    fn send(&mut self, id: MessageId, text: &str, reference: Option<String>) {
        let answer = self.answers.pop_front();
        if answer == Some(Answer::Swallowed) {
            return;
        }
        *self.arrivals.entry(id).or_default() += 1;
        let duplicate = self.messages.contains_key(&id);
        if let Some(Answer::Refused(code, wait)) = answer {
            let mut error = WireError::new(code, "refused", reference);
            error.retry_after_ms = wait;
            return self.say(ServerFrame::Error(error));
        }
        self.lose_events += usize::from(answer == Some(Answer::Lost) && !duplicate);
        if !duplicate {
            self.store(id, self.user, text);
        }
        if answer.is_none()
            && let Some(message) = self.messages.get(&id)
        {
            let sent = MessageSent { message: message.clone(), duplicate };
            self.say(ServerFrame::MessageSent(sent));
        }
    }

    fn store(&mut self, id: MessageId, user: UserId, text: &str) {
        let message = Message {
            id,
            user_id: Some(user),
            group_id: group(),
            content: Content::text(text.to_owned()),
            created_at: Timestamp::from_unix_micros(0),
            status: true,
            seq: self.head() + 1,
            edited_at: None,
            reply: None,
            reactions: Vec::new(),
            pinned: false,
        };
        self.messages.insert(id, message.clone());
        self.append(Event::NewMessage(message));
    }

    /// Carries out a reaction or a pin that the client asked for. `mark` does nothing if nothing has to change.
    fn mark_own(&mut self, id: MessageId, reference: Option<String>, mark: impl FnOnce(&mut Self)) {
        let answer = self.change_answers.pop_front();
        if answer == Some(Answer::Swallowed) {
            return;
        }
        self.changes += 1;
        let refused = match (&answer, self.messages.get(&id)) {
            (Some(Answer::Refused(code, _)), _) => Some(*code),
            (_, None) => Some(ErrorCode::NotFound),
            (_, Some(message)) if !message.status => Some(ErrorCode::Gone),
            (_, Some(_)) => None,
        };
        if let Some(code) = refused {
            return self.say(ServerFrame::Error(WireError::new(code, "refused", reference)));
        }
        self.lose_events += usize::from(answer == Some(Answer::Lost));
        mark(self);
        if let Some(reference) = reference.filter(|_| answer.is_none() && !self.knows_no_done) {
            self.say(ServerFrame::Done(Done { reference, group_id: group(), seq: self.head() }));
        }
    }

    fn react(&mut self, id: MessageId, emoji: &str, on: bool) {
        self.react_as(self.user, id, emoji, on);
    }

    /// A member reacts to a message, or takes the reaction back.
    pub fn react_as(&mut self, user_id: UserId, id: MessageId, emoji: &str, on: bool) {
        let (seq, at) = (self.head() + 1, Timestamp::from_unix_micros(0));
        let Some(message) = self.messages.get_mut(&id) else { return };
        let known = message.reactions.iter().find(|known| known.emoji == emoji);
        if known.is_some_and(|known| known.users.contains(&user_id)) == on {
            return;
        }
        let before = known.map_or(0, |known| known.count);
        let count = if on { before + 1 } else { before - 1 };
        let (message_seq, emoji) = (message.seq, emoji.to_owned());
        let change =
            ReactionChanged { group_id: group(), seq, message_id: id, message_seq, user_id, emoji, on, count, at };
        change.apply(&mut message.reactions);
        self.append(Event::ReactionChanged(change));
    }

    /// Somebody pins a message, or takes its pin off.
    pub fn pin(&mut self, id: MessageId, on: bool) {
        let (seq, at) = (self.head() + 1, Timestamp::from_unix_micros(0));
        let Some(message) = self.messages.get_mut(&id).filter(|message| message.pinned != on) else { return };
        message.pinned = on;
        let message_seq = message.seq;
        let change = PinChanged { group_id: group(), seq, message_id: id, message_seq, user_id: self.user, at };
        self.append(if on { Event::MessagePinned(change) } else { Event::MessageUnpinned(change) });
    }

    fn change_own(
        &mut self,
        id: MessageId,
        text: &str,
        mentions: Option<Vec<UserId>>,
        status: bool,
        reference: Option<String>,
    ) {
        let answer = self.change_answers.pop_front();
        if answer == Some(Answer::Swallowed) {
            return;
        }
        self.changes += 1;
        if let Some(Answer::Refused(code, wait)) = answer {
            let mut error = WireError::new(code, "refused", reference);
            error.retry_after_ms = wait;
            return self.say(ServerFrame::Error(error));
        }
        let refused = match self.messages.get(&id) {
            None => Some(ErrorCode::NotFound),
            Some(message) if message.user_id != Some(self.user) => Some(ErrorCode::Forbidden),
            Some(message) if status && !message.status => Some(ErrorCode::Gone),
            Some(_) => None,
        };
        if let Some(code) = refused {
            return self.say(ServerFrame::Error(WireError::new(code, "refused", reference)));
        }
        let mentions_are =
            |message: &Message| mentions.as_ref().is_none_or(|wanted| *wanted == message.content.mentions);
        let text_is = |message: &Message| message.content.body == text && mentions_are(message);
        let is_so = |message: &Message| message.status == status && (text_is(message) || !status);
        if !self.messages.get(&id).is_some_and(is_so) {
            self.lose_events += usize::from(answer == Some(Answer::Lost));
            self.change(id, text, mentions, status);
        }
        if let Some(reference) = reference.filter(|_| answer.is_none() && !self.knows_no_done) {
            self.say(ServerFrame::Done(Done { reference, group_id: group(), seq: self.head() }));
        }
    }

    fn change(&mut self, id: MessageId, text: &str, mentions: Option<Vec<UserId>>, status: bool) {
        let seq = self.head() + 1;
        let Some(message) = self.messages.get_mut(&id) else { return };
        text.clone_into(&mut message.content.body);
        if let Some(mentions) = mentions {
            message.content.mentions = mentions;
        }
        message.status = status;
        let change = MessageChange { message_seq: message.seq, message: Message { seq, ..message.clone() } };
        self.append(if status { Event::MessageEdited(change) } else { Event::MessageDeleted(change) });
    }

    /// Commits an event, and sends it to the client if it follows the group.
    pub fn append(&mut self, event: Event) {
        self.log.push(event.clone());
        if self.lose_events > 0 {
            self.lose_events -= 1;
        } else if self.following && self.unreadable != Some(event.seq()) {
            self.say(ServerFrame::Event(event));
        }
    }
}
