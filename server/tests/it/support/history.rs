//! What happened in a fault test: the log that the database holds at the end, and what each client did and saw.
//!
//! Each client writes its part through a [`Recorder`], which stands between the network and the session. The recorder
//! sees every frame before the session does, and reads the session's cursor afterwards. The checker reads the whole
//! history.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use caravana_protocol::{ClientFrame, Cursor, Epoch, Event, GroupId, MessageId, Seq, ServerFrame, UserId};

use super::stream::StreamJudge;

/// The history of one group.
#[derive(Debug, Clone)]
pub(crate) struct History {
    /// The epoch of the log at the end.
    pub(crate) epoch: Epoch,
    /// The group's head at the end, as the group's row says.
    pub(crate) head: Seq,
    /// The log at the end, in seq order.
    pub(crate) log: Vec<Entry>,
    /// All clients of the test.
    pub(crate) clients: Vec<Client>,
    /// Messages that other programs wrote into the database, by id.
    pub(crate) foreign: BTreeMap<MessageId, String>,
}

/// One event of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) seq: Seq,
    pub(crate) what: What,
}

/// What an event is about, as far as the checker compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// A user wrote a message.
    Message { id: MessageId, author: Option<UserId>, text: String },
    /// A message was edited, deleted, reacted to or pinned.
    Change(MessageId),
    /// A user became a member or got another role.
    Joined(UserId),
    /// A user is no longer a member.
    Left(UserId),
    /// The group's properties changed, or the event has an unknown type.
    Updated,
}

impl From<&Event> for What {
    fn from(event: &Event) -> Self {
        match event {
            Event::NewMessage(message) => {
                Self::Message { id: message.id, author: message.user_id, text: message.content.body.clone() }
            }
            Event::MessageEdited(change) | Event::MessageDeleted(change) => Self::Change(change.message.id),
            Event::ReactionChanged(change) => Self::Change(change.message_id),
            Event::MessagePinned(change) | Event::MessageUnpinned(change) => Self::Change(change.message_id),
            Event::MemberJoined(joined) => Self::Joined(joined.user_id),
            Event::MemberLeft(left) => Self::Left(left.user_id),
            Event::GroupUpdated(_) | Event::Other(_) => Self::Updated,
        }
    }
}

impl From<&Event> for Entry {
    fn from(event: &Event) -> Self {
        Self { seq: event.seq(), what: event.into() }
    }
}

/// A number that orders what one process saw. It is no clock: it only says what was before and what after.
pub(crate) type Moment = u64;

/// Gives out moments. All recorders of a test share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moments(Arc<AtomicU64>);

impl Moments {
    fn next(&self) -> Moment {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// One client's part of a history.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) user: UserId,
    /// Every message it wrote, in order.
    pub(crate) sends: Vec<Sent>,
    /// How its view grew.
    pub(crate) applied: Vec<Applied>,
    /// Violations of the frame order on one of its connections.
    pub(crate) broken_streams: Vec<String>,
    /// Its cursor at the end.
    pub(crate) cursor: Option<Cursor>,
    /// The messages on its screen at the end, with all pages loaded. `None` if the test did not read the screen.
    pub(crate) screen: Option<Vec<MessageId>>,
    /// How long after the healing of the faults the client had every event and nothing left to send. `None` if it never
    /// reached that state.
    pub(crate) settled: Option<Duration>,
}

/// A message that a client wrote.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) id: MessageId,
    pub(crate) text: String,
    pub(crate) at: Moment,
    pub(crate) outcome: Outcome,
    /// How often the client sent it to the server.
    pub(crate) attempts: usize,
}

/// What a client knows about its send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server said that the message is stored.
    Acknowledged { seq: Seq, at: Moment },
    /// The server said that the message is refused and a retry is useless.
    Refused,
    /// The server said neither.
    Unknown,
}

/// A step of a client's view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It applied an event.
    Event { epoch: Epoch, seq: Seq, what: What },
    /// Its cursor passed this seq, but the client never received the event.
    Unheard { epoch: Epoch, seq: Seq },
    /// It reset its view to this cursor, because it had none yet or because the server told it to.
    Restart(Cursor),
    /// It reset its view to this cursor although the server did not tell it to.
    Skip(Cursor),
}

/// Records what one client does and sees in one group.
#[derive(Debug)]
pub(crate) struct Recorder {
    group: GroupId,
    moments: Moments,
    client: Client,
    heard: BTreeMap<(Epoch, Seq), What>,
    /// The epoch of the current stream.
    epoch: Option<Epoch>,
    /// The server told the client to reset its view.
    told_to_restart: bool,
    stream: StreamJudge,
}

impl Client {
    /// Adds the results from the end of the test.
    pub(crate) fn ended(self, settled: Option<Duration>, screen: Option<Vec<MessageId>>) -> Self {
        Self { screen, settled, ..self }
    }
}

impl Recorder {
    pub(crate) fn new(user: UserId, group: GroupId, moments: &Moments) -> Self {
        let client = Client {
            user,
            sends: Vec::new(),
            applied: Vec::new(),
            broken_streams: Vec::new(),
            cursor: None,
            screen: None,
            settled: None,
        };
        Self {
            group,
            moments: moments.clone(),
            client,
            heard: BTreeMap::new(),
            epoch: None,
            told_to_restart: false,
            stream: StreamJudge::default(),
        }
    }

    /// The user wrote a message.
    pub(crate) fn wrote(&mut self, id: MessageId, text: &str) {
        let at = self.moments.next();
        self.client.sends.push(Sent { id, text: text.to_owned(), at, outcome: Outcome::Unknown, attempts: 0 });
    }

    /// A new socket is open: the frame order is judged from the beginning.
    pub(crate) fn connected(&mut self) {
        self.stream = StreamJudge::default();
    }

    /// The session sends a frame.
    pub(crate) fn said(&mut self, frame: &ClientFrame, reference: Option<&str>) {
        self.stream.said(frame, reference);
        if let ClientFrame::SendMessage { id: Some(id), .. } = frame
            && let Some(sent) = self.sent(*id)
        {
            sent.attempts += 1;
        }
    }

    fn sent(&mut self, id: MessageId) -> Option<&mut Sent> {
        self.client.sends.iter_mut().find(|sent| sent.id == id)
    }

    /// A frame has arrived. Called before the session sees it.
    pub(crate) fn heard(&mut self, frame: &ServerFrame) {
        if let Err(error) = self.stream.heard(frame) {
            self.client.broken_streams.push(error);
        }
        match frame {
            ServerFrame::Joined(joined) if joined.group_id == self.group => self.epoch = Some(joined.epoch),
            ServerFrame::Resync(resync) if resync.group_id == self.group => {
                self.epoch = Some(resync.epoch);
                self.told_to_restart = true;
            }
            ServerFrame::MessageSent(sent) if sent.message.group_id == self.group => {
                self.acknowledged(sent.message.id, sent.message.seq);
            }
            ServerFrame::Event(event) if event.group_id() == self.group => {
                if let Some(epoch) = self.epoch {
                    self.heard.insert((epoch, event.seq()), event.into());
                }
                if let Event::NewMessage(message) = event {
                    self.acknowledged(message.id, message.seq);
                }
            }
            ServerFrame::Error(error) if !error.retryable => {
                // A refusal is certain only for the first attempt: an earlier attempt may have been stored.
                let id = error.reference.as_ref().and_then(|reference| reference.parse().ok());
                let sent = id.and_then(|id| self.sent(id)).filter(|sent| sent.attempts == 1);
                if let Some(sent) = sent.filter(|sent| sent.outcome == Outcome::Unknown) {
                    sent.outcome = Outcome::Refused;
                }
            }
            ServerFrame::Hello(_)
            | ServerFrame::Joined(_)
            | ServerFrame::Left(_)
            | ServerFrame::Event(_)
            | ServerFrame::MessageSent(_)
            | ServerFrame::Done(_)
            | ServerFrame::UserTyping(_)
            | ServerFrame::UserStopTyping(_)
            | ServerFrame::Presence(_)
            | ServerFrame::Read(_)
            | ServerFrame::CaughtUp(_)
            | ServerFrame::Resync(_)
            | ServerFrame::Heartbeat(_)
            | ServerFrame::AuthExpiring(_)
            | ServerFrame::GoingAway(_)
            | ServerFrame::GroupAdded(_)
            | ServerFrame::GroupRemoved(_)
            | ServerFrame::AccountChanged(_)
            | ServerFrame::Error(_) => {}
        }
    }

    fn acknowledged(&mut self, id: MessageId, seq: Seq) {
        let at = self.moments.next();
        if let Some(sent) = self.sent(id).filter(|sent| sent.outcome == Outcome::Unknown) {
            sent.outcome = Outcome::Acknowledged { seq, at };
        }
    }

    /// Reads the session's cursor after an input. `reset`: the session said that it reset its timeline.
    pub(crate) fn looked(&mut self, cursor: Option<Cursor>, reset: bool) {
        let before = std::mem::replace(&mut self.client.cursor, cursor);
        let Some(now) = cursor else { return };
        match before {
            Some(before) if before == now && !reset => {}
            Some(before) if before.epoch == now.epoch && before.seq <= now.seq && !reset => {
                for seq in before.seq + 1..=now.seq {
                    let epoch = now.epoch;
                    self.client.applied.push(match self.heard.get(&(epoch, seq)) {
                        Some(what) => Applied::Event { epoch, seq, what: what.clone() },
                        None => Applied::Unheard { epoch, seq },
                    });
                }
            }
            Some(_) if !std::mem::take(&mut self.told_to_restart) => self.client.applied.push(Applied::Skip(now)),
            Some(_) | None => self.client.applied.push(Applied::Restart(now)),
        }
    }

    /// The newest page of history has arrived, so the timeline may be reset to it.
    pub(crate) fn loaded_latest(&mut self) {
        self.told_to_restart = true;
    }

    /// The page was reloaded: its view is lost, but the written messages are kept.
    pub(crate) fn reloaded(&mut self) {
        self.client.cursor = None;
        self.epoch = None;
        self.told_to_restart = false;
    }

    /// What was recorded so far.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }
}
