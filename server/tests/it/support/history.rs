//! What happened in a fault test: the log as the database has it in the end, and what each client did and saw.
//!
//! Clients write their part through a [`Recorder`], which stands between the network and the session: it hears every
//! frame before the session does, and looks at the session's cursor after it. The checker reads the whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use caravana_protocol::{ClientFrame, Cursor, Epoch, Event, GroupId, MessageId, Seq, ServerFrame, UserId};

use super::stream::StreamJudge;

/// One group's history, ready to be judged.
#[derive(Debug, Clone)]
pub(crate) struct History {
    /// The epoch of the log in the end.
    pub(crate) epoch: Epoch,
    /// The group's head in the end, as its own row says.
    pub(crate) head: Seq,
    /// The log in the end, in the order of its seqs.
    pub(crate) log: Vec<Entry>,
    /// Everybody who took part.
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
    /// Somebody wrote a message.
    Message { id: MessageId, author: Option<UserId>, text: String },
    /// A message was edited or deleted.
    Change(MessageId),
    /// Somebody became a member, or another role.
    Joined(UserId),
    /// Somebody is a member no longer.
    Left(UserId),
    /// The group's properties changed, or something that nobody here knows.
    Updated,
}

impl From<&Event> for What {
    fn from(event: &Event) -> Self {
        match event {
            Event::NewMessage(message) => {
                Self::Message { id: message.id, author: message.user_id, text: message.content.body.clone() }
            }
            Event::MessageEdited(change) | Event::MessageDeleted(change) => Self::Change(change.message.id),
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

/// A moment in the order of things as one process saw them. No clock: only before and after.
pub(crate) type Moment = u64;

/// Gives out moments; shared by all recorders of a test.
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
    /// Everything it wrote, in the order of writing.
    pub(crate) sends: Vec<Sent>,
    /// How its view grew.
    pub(crate) applied: Vec<Applied>,
    /// What was wrong with the order of frames on one of its connections.
    pub(crate) broken_streams: Vec<String>,
    /// Its cursor in the end.
    pub(crate) cursor: Option<Cursor>,
    /// Messages on its screen in the end, all pages loaded; `None` where nobody looked.
    pub(crate) screen: Option<Vec<MessageId>>,
    /// After the faults were healed, how long it took until it had everything and nothing waited to be sent; `None` when
    /// it never came to that.
    pub(crate) settled: Option<Duration>,
}

/// A message that a client wrote.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) id: MessageId,
    pub(crate) text: String,
    pub(crate) at: Moment,
    pub(crate) outcome: Outcome,
    /// How often it was said to the server.
    pub(crate) attempts: usize,
}

/// What a client knows about its send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server said that it is stored.
    Acknowledged { seq: Seq, at: Moment },
    /// The server said that it is not, for good.
    Refused,
    /// Neither.
    Unknown,
}

/// A step of a client's view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It applied an event.
    Event { epoch: Epoch, seq: Seq, what: What },
    /// Its cursor passed this seq, and no such event was ever heard.
    Unheard { epoch: Epoch, seq: Seq },
    /// It began afresh from here: at the beginning, or because the server said so.
    Restart(Cursor),
    /// It began afresh, and nobody had said so.
    Skip(Cursor),
}

/// Writes down what one client does and sees in one group.
#[derive(Debug)]
pub(crate) struct Recorder {
    group: GroupId,
    moments: Moments,
    client: Client,
    heard: BTreeMap<(Epoch, Seq), What>,
    /// The history that the present stream counts in.
    epoch: Option<Epoch>,
    /// The server said to begin afresh.
    told_to_restart: bool,
    stream: StreamJudge,
}

impl Client {
    /// With what was found in the end.
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

    /// The person has written a message.
    pub(crate) fn wrote(&mut self, id: MessageId, text: &str) {
        let at = self.moments.next();
        self.client.sends.push(Sent { id, text: text.to_owned(), at, outcome: Outcome::Unknown, attempts: 0 });
    }

    /// A new socket is open: a new connection's order begins.
    pub(crate) fn connected(&mut self) {
        self.stream = StreamJudge::default();
    }

    /// The session says a frame.
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

    /// A frame has come, before the session sees it.
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
                // Only of a first attempt is a refusal the whole truth: an earlier one may have been stored.
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

    /// Looks at the session after an input. `reset` where it said that it has begun its timeline afresh.
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

    /// The newest page of history has come: the timeline may begin afresh with it.
    pub(crate) fn loaded_latest(&mut self) {
        self.told_to_restart = true;
    }

    /// The page was loaded afresh: what was on it is gone, what was written is not.
    pub(crate) fn reloaded(&mut self) {
        self.client.cursor = None;
        self.epoch = None;
        self.told_to_restart = false;
    }

    /// What was written down so far.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }
}
