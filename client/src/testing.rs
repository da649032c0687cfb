//! A session in a simulated environment: a scripted server, a network that can be broken, a storage, and time that moves
//! only when the test says so.
//!
//! Everything goes through the real codec, so that a test sees what the wire would carry. The clock of
//! [`Simulation::pass`] stops at every moment at which the session or the server has something to do.

#![expect(clippy::missing_panics_doc, reason = "a simulation that can't go on fails its test, as it should")]

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use caravana_protocol::{ClientFrame, CloseReason, Content, Emoji, MessageBody, MessageId, ServerFrame, UserId, codec};
use uuid::Uuid;

mod ids;
mod server;

pub use ids::{ana, group, id, me, numbers};
pub use server::{Answer, Server};

use crate::{
    Change, Config, Group, HistoryError, Input, Instant, Intent, IntentId, Item, LinkState, Output, Row, SavedIntent,
    Secret, SendState, Session, SessionCheck, SocketId, Want,
};

/// Steps without progress of time after which a session counts as looping for ever.
const CIRCLES: u32 = 10_000;

/// Whether sockets open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Sockets open.
    Open,
    /// Sockets are refused.
    Refused,
    /// Nothing answers.
    Dead,
}

/// One session in its simulated environment.
#[derive(Debug)]
pub struct Simulation {
    /// The session under test.
    pub session: Session,
    /// The server.
    pub server: Server,
    /// The present moment.
    pub now: Instant,
    /// Whether sockets open.
    pub door: Door,
    /// What `GET /api/v1/session` says.
    pub sign: SessionCheck,
    /// Whether REST answers.
    pub rest: bool,
    /// How many pages of history were requested.
    pub pages: usize,
    /// While this is set, requests for history are held here and not answered.
    pub hold_pages: bool,
    /// What the client sends is lost, and so is what the server sends: a half-open socket.
    pub cut: bool,
    /// What the storage has saved.
    pub stored: BTreeMap<IntentId, SavedIntent>,
    /// All changes that the session reported.
    pub changes: Vec<Change>,
    /// All frames that the client sent, with their moments.
    pub said: Vec<(Instant, ClientFrame)>,
    /// The `ref` of the last frame that the client sent.
    pub last_reference: Option<String>,
    /// The moments at which sockets were asked for.
    pub opened_at: Vec<Instant>,
    /// How often the sign-in was asked for.
    pub checks: usize,
    /// How often a fresh token was asked for.
    pub refreshes: usize,
    /// The socket that is open.
    pub socket: Option<SocketId>,
    minted: u128,
    incoming: VecDeque<Input>,
    held_pages: VecDeque<Input>,
}

impl Default for Simulation {
    fn default() -> Self {
        Self::new(1)
    }
}

impl Simulation {
    /// Everything works and nothing has begun.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            session: Session::new(Config::new(me()), seed),
            server: Server::default(),
            now: Instant::from_millis(1_000_000),
            door: Door::Open,
            sign: SessionCheck::SignedIn,
            rest: true,
            pages: 0,
            hold_pages: false,
            cut: false,
            stored: BTreeMap::new(),
            changes: Vec::new(),
            said: Vec::new(),
            last_reference: None,
            opened_at: Vec::new(),
            checks: 0,
            refreshes: 0,
            socket: None,
            minted: 0xeeee_0000,
            incoming: VecDeque::new(),
            held_pages: VecDeque::new(),
        }
    }

    /// A simulation in which the group is open and events arrive live.
    #[must_use]
    pub fn online() -> Self {
        let mut sim = Self::default();
        sim.give(Input::Start);
        sim.give(Input::OpenGroup { group: group(), page: None, last_read: None });
        assert_eq!(sim.session.link(), LinkState::Online);
        sim
    }

    /// Ana posts these numbers, one message each.
    pub fn post_numbers(&mut self, posted: Range<usize>) {
        for text in numbers(posted) {
            self.server.post(ana(), &text);
        }
        self.work();
    }

    /// Gives an input to the session, and does all that follows without any time passing.
    pub fn give(&mut self, input: Input) {
        self.session.handle(input, self.now);
        self.work();
    }

    /// The person sends a message.
    pub fn send(&mut self, id: MessageId, text: &str) {
        let body = MessageBody::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        let at = caravana_protocol::Timestamp::from_unix_micros(0);
        self.give(Input::Send { group: group(), id, content: Content::text(body), at });
    }

    /// The person changes the text of their own message.
    pub fn edit(&mut self, id: MessageId, text: &str) {
        self.edit_mentioning(id, text, None);
    }

    /// The same, with the members whom the new text mentions.
    pub fn edit_mentioning(&mut self, id: MessageId, text: &str, mentions: Option<Vec<UserId>>) {
        let body = MessageBody::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        let at = caravana_protocol::Timestamp::from_unix_micros(0);
        let intent = self.fresh();
        self.give(Input::Edit { group: group(), intent, id, body, mentions, at });
    }

    /// The person deletes a message.
    pub fn delete(&mut self, id: MessageId) {
        let at = caravana_protocol::Timestamp::from_unix_micros(0);
        let intent = self.fresh();
        self.give(Input::Delete { group: group(), intent, id, at });
    }

    /// The person reacts to a message, or takes the reaction back.
    pub fn react(&mut self, id: MessageId, emoji: &str, on: bool) {
        let at = caravana_protocol::Timestamp::from_unix_micros(0);
        let emoji = Emoji::parse(emoji).unwrap_or_else(|error| panic!("{emoji:?}: {error}"));
        let intent = self.fresh();
        self.give(Input::React { group: group(), intent, id, emoji, on, at });
    }

    /// The person pins a message, or takes its pin off.
    pub fn pin(&mut self, id: MessageId, on: bool) {
        let at = caravana_protocol::Timestamp::from_unix_micros(0);
        let intent = self.fresh();
        self.give(Input::Pin { group: group(), intent, id, on, at });
    }

    fn fresh(&mut self) -> IntentId {
        self.minted += 1;
        IntentId::new(Uuid::from_u128(self.minted))
    }

    /// Carries out the session's outputs and delivers the server's frames, until nothing is left.
    pub fn work(&mut self) {
        for _ in 0..CIRCLES {
            while let Some(output) = self.session.poll_output() {
                self.carry_out(output);
            }
            for frame in self.server.take_said() {
                if let Some(socket) = self.socket.filter(|_| !self.cut) {
                    self.incoming.push_back(Input::Text { socket, text: Secret(codec::encode_server(&frame)) });
                }
            }
            let Some(input) = self.incoming.pop_front() else { return };
            self.session.handle(input, self.now);
        }
        panic!("the session runs in circles");
    }

    /// Lets time pass. Everything that becomes due on the way is done at its moment.
    pub fn pass(&mut self, ms: u64) {
        let until = self.now.after(ms);
        let mut steps = 0;
        loop {
            let due = self.session.poll_timeout();
            let beat = self.socket.map(|_| self.server.next_beat);
            let Some(next) = due.into_iter().chain(beat).min().filter(|next| *next <= until) else { break };
            steps = if next > self.now { 0 } else { steps + 1 };
            assert!(steps < CIRCLES, "the session wants a tick again and again at {next:?}");
            self.now = self.now.max(next);
            if self.socket.is_some() && self.server.next_beat <= self.now {
                self.server.beat(self.now);
            }
            if due.is_some_and(|due| due <= self.now) {
                self.session.handle(Input::Tick, self.now);
            }
            self.work();
        }
        self.now = until;
    }

    /// The socket closes.
    pub fn close(&mut self, reason: CloseReason) {
        if let Some(socket) = self.socket.take() {
            self.server.hang_up();
            self.give(Input::Closed { socket, reason });
        }
    }

    /// The server sends a frame on its own.
    pub fn hear(&mut self, frame: ServerFrame) {
        self.server.say(frame);
        self.work();
    }

    /// Answers the requests for history that were held.
    pub fn release_pages(&mut self) {
        self.hold_pages = false;
        self.incoming.append(&mut self.held_pages);
        self.work();
    }

    /// The page is reloaded: a new session with what the storage has saved.
    pub fn reload(&mut self) {
        self.server.hang_up();
        self.socket = None;
        self.incoming.clear();
        self.held_pages.clear();
        self.session = Session::new(Config::new(me()), 99);
        self.session.restore(self.stored.values().cloned().collect());
        self.work();
    }

    /// The group as the session knows it.
    #[must_use]
    pub fn group(&self) -> &Group {
        self.session.group(group()).unwrap_or_else(|| panic!("the group is not open"))
    }

    /// The texts on the screen, in order, as the person wants them. A `?` marks an unacknowledged message, a `!` a
    /// refused one; `-` stands for a message that is to be deleted.
    #[must_use]
    pub fn screen(&self) -> Vec<String> {
        let group = self.group();
        let change_of = |id| group.changes_of(id).rfind(|change| matches!(change.want, Want::Edit(_) | Want::Delete));
        let wanted = |waits: &Intent, change: Option<&Intent>| {
            let text = match change {
                Some(change) if change.want == Want::Delete => "-",
                Some(change) => change.text(),
                None => waits.text(),
            };
            match waits.state {
                SendState::Queued | SendState::Sending => format!("{text}?"),
                SendState::Failed { .. } => format!("{text}!"),
            }
        };
        let line = |item: Item<'_>| match item {
            Item::Row(Row::Message(message)) => match change_of(message.id) {
                Some(change) => wanted(change, Some(change)),
                None => message.content.body.clone(),
            },
            Item::Row(_) => "·".to_owned(),
            Item::Pending(pending) => wanted(pending, change_of(pending.message)),
        };
        group.items().map(line).collect()
    }

    /// How often the client sent a frame of this type.
    #[must_use]
    pub fn said(&self, kind: &str) -> usize {
        self.said.iter().filter(|(_, frame)| frame.kind() == kind).count()
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Open { socket } => {
                self.opened_at.push(self.now);
                match self.door {
                    Door::Open => {
                        self.socket = Some(socket);
                        self.cut = false;
                        self.incoming.push_back(Input::Opened { socket });
                        self.server.pick_up(self.now);
                    }
                    Door::Refused => {
                        self.incoming.push_back(Input::Closed { socket, reason: CloseReason::Abnormal });
                    }
                    Door::Dead => {}
                }
            }
            Output::Close { socket } => {
                if self.socket.take_if(|open| *open == socket).is_some() {
                    self.server.hang_up();
                }
            }
            Output::Transmit { socket, text } => {
                assert_eq!(self.socket, Some(socket), "something is said over a socket that is not open");
                match codec::decode_client(&text.0) {
                    Ok(incoming) => {
                        self.said.push((self.now, incoming.frame.clone()));
                        self.last_reference.clone_from(&incoming.reference);
                        if !self.cut {
                            self.server.hear(incoming);
                        }
                    }
                    Err(error) => panic!("the session says what no server understands: {error}"),
                }
            }
            Output::CheckSession => {
                self.checks += 1;
                self.incoming.push_back(Input::SessionChecked(self.sign));
            }
            Output::RefreshToken => self.refreshes += 1,
            Output::LoadHistory { request, group, page, limit } => {
                self.pages += 1;
                let result =
                    if self.rest { self.server.page(group, page, limit) } else { Err(HistoryError::Unavailable) };
                let answer = Input::HistoryLoaded { request, result };
                if self.hold_pages { self.held_pages.push_back(answer) } else { self.incoming.push_back(answer) }
            }
            Output::Save(message) => {
                self.stored.insert(message.id, message);
            }
            Output::Forget(id) => {
                self.stored.remove(&id);
            }
            Output::Changed(change) => self.changes.push(change),
        }
    }
}
