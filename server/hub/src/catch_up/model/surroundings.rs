//! The surroundings of a beginning stream: a log, commits, hints, and the reading of gaps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use caravana_protocol::{
    ClientFrame, Cursor, Epoch, ErrorCode, Event, LeftReason, MemberLeft, Seq, ServerFrame, Timestamp, WireError, codec,
};
use caravana_store::{GroupState, Page};
use futures::FutureExt as _;
use shuttle::sync::{Mutex, mpsc};
use shuttle::thread::{self, JoinHandle};
use uuid::Uuid;

use super::super::{Refused, Stream, begin, give_up};
use super::stream::StreamJudge;
use super::wrong::{Early, Fault, Modelled};
use crate::broker::LocalBroker;
use crate::frame::Outgoing;
use crate::group::{Applied, Group, Step};
use crate::mailbox::Next;
use crate::peer::Peer;
use crate::registry::Registry;
use crate::samples::{GROUP, message, peer, user};

const EPOCH: Epoch = Epoch::new(Uuid::from_u128(2));
/// Events on a page: small, so that a resume has several.
const PAGE: usize = 2;
/// The key of the connection under test.
const KEY: u64 = 1;

/// What happens during a beginning.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    /// Events that are stored from the start.
    pub(super) stored: Seq,
    /// Whether another connection already follows the group.
    pub(super) followed: bool,
    /// The subscriptions of one connection, each sent after the previous one has begun.
    pub(super) cursors: Vec<Option<Seq>>,
    pub(super) commits: Vec<Commit>,
    pub(super) fault: Fault,
}

/// A commit, and how the hub learns of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commit {
    /// This server's own message: the hub receives its event.
    Told,
    /// A message of another program, or one whose hint was lost: only the sweep finds it.
    Lost,
    /// This server's own change that is not a message: the hub is told that the log moved.
    Moved,
    /// The removal of the client. The hub learns of it like of any change that is not a message.
    Removal,
}

/// What surrounds the stream in one run.
pub(super) struct Surroundings {
    /// The points where the scheduler may switch threads. Stands for the lock of the group's shard inside the registry.
    lock: Mutex<()>,
    registry: Registry,
    log: Mutex<Vec<Event>>,
    pub(super) peer: Arc<Peer>,
    pulls: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

/// Runs one order of one scenario.
pub(super) fn run(scenario: &Scenario) {
    let surroundings = Surroundings::new(scenario);
    let committing = thread::spawn({
        let (surroundings, commits) = (Arc::clone(&surroundings), scenario.commits.clone());
        move || commits.into_iter().for_each(|commit| surroundings.commit(commit))
    });
    let beginnings = surroundings.connection(scenario);
    committing.join().unwrap();
    for beginning in beginnings {
        beginning.join().unwrap();
    }
    surroundings.finish_pulls();
    if scenario.commits.contains(&Commit::Lost) {
        surroundings.sweep();
        surroundings.finish_pulls();
    }
    surroundings.judge(scenario);
}

impl Surroundings {
    fn new(scenario: &Scenario) -> Arc<Self> {
        let surroundings = Self {
            lock: Mutex::new(()),
            registry: Registry::new(Arc::new(LocalBroker::default())),
            log: Mutex::new((1..=scenario.stored).map(message).collect()),
            peer: peer(KEY),
            pulls: std::sync::Mutex::default(),
        };
        if scenario.followed {
            let other = peer(KEY + 1);
            let group_state = surroundings.group_state();
            surroundings.registry.enter(GROUP, |group| {
                group.enter(&other, 1);
                group.load(group_state);
                assert_eq!(group.join(GROUP, other.key, 1, 0, true), Step::Live);
            });
        }
        Arc::new(surroundings)
    }

    /// Does what a connection does with its client's frames: register, begin, and read the next frame when the stream
    /// has begun. The last beginning needs no thread of its own, which leaves fewer orders to check.
    fn connection(self: &Arc<Self>, scenario: &Scenario) -> Vec<JoinHandle<()>> {
        let mut beginnings = Vec::new();
        for (id, cursor) in (1..).zip(&scenario.cursors) {
            let mut early = Early::default();
            if scenario.fault == Fault::AskedBeforeRegistered {
                early.membership = Some(self.membership());
                early.page = Some(self.page(cursor.unwrap_or_default()));
            }
            self.enter(id);
            let (begun, waiting) = mpsc::channel();
            let (begun, early) = (std::sync::Mutex::new(Some(begun)), std::sync::Mutex::new(early));
            let steps = Modelled { surroundings: Arc::clone(self), begun, fault: scenario.fault, early };
            let cursor = cursor.map(at);
            if id == scenario.cursors.len() as u64 {
                steps.run(id, cursor);
            } else {
                beginnings.push(thread::spawn(move || steps.run(id, cursor)));
                // The sender is only ever dropped; it never sends a value.
                let _ = waiting.recv();
            }
        }
        beginnings
    }

    fn enter(&self, stream: u64) {
        let _guard = self.lock.lock().unwrap();
        self.registry.enter(GROUP, |group| group.enter(&self.peer, stream));
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Group) -> T) -> Option<T> {
        let _guard = self.lock.lock().unwrap();
        self.registry.with(GROUP, act)
    }

    pub(super) fn group_state(&self) -> GroupState {
        let head = self.log.lock().unwrap().len() as Seq;
        GroupState {
            epoch: EPOCH,
            head,
            members: BTreeSet::new(),
            reads: BTreeMap::new(),
            hidden: BTreeSet::new(),
            is_closed: false,
        }
    }

    pub(super) fn membership(&self) -> Result<(), Refused> {
        if is_member(&self.log.lock().unwrap()) { Ok(()) } else { Err(Refused::Stranger) }
    }

    /// Like one statement: the membership check, the events and the head come from the same moment.
    pub(super) fn page(&self, after: Seq) -> Result<Page, Refused> {
        let log = self.log.lock().unwrap();
        if is_member(&log) { Ok(page(&log, after)) } else { Err(Refused::Stranger) }
    }

    fn commit(self: &Arc<Self>, commit: Commit) {
        let event = {
            let mut log = self.log.lock().unwrap();
            let seq = log.len() as Seq + 1;
            log.push(if commit == Commit::Removal { removal(seq) } else { message(seq) });
            log.last().cloned().unwrap()
        };
        let behind = match commit {
            Commit::Lost => None,
            Commit::Told => self.with(|group| group.apply(&event, &Outgoing::event(&event)) == Applied::Gap),
            Commit::Moved | Commit::Removal => self.with(Group::nudge),
        };
        if behind == Some(true) {
            self.pull();
        }
    }

    fn sweep(self: &Arc<Self>) {
        let head = self.group_state().head;
        if self.with(|group| group.hint(head)) == Some(true) {
            self.pull();
        }
    }

    /// Like the feed.
    pub(super) fn pull(self: &Arc<Self>) {
        if self.with(Group::begin_pull) == Some(true) {
            let surroundings = Arc::clone(self);
            let pull = thread::spawn(move || surroundings.fill());
            self.pulls.lock().unwrap().push(pull);
        }
    }

    fn fill(&self) {
        while let Some(delivered) = self.with(Group::next_pull) {
            let page = page(&self.log.lock().unwrap(), delivered);
            if page.events.iter().all(|event| matches!(event, Event::NewMessage(_))) && page.events.len() == PAGE {
                let frames = Outgoing::page(&page.events);
                self.with(|group| group.apply_page(delivered + PAGE as Seq, &frames));
            } else {
                for event in &page.events {
                    self.with(|group| group.apply(event, &Outgoing::event(event)));
                }
            }
            if self.with(|group| group.end_pull(page.events.is_empty())) != Some(true) {
                return;
            }
        }
    }

    fn finish_pulls(&self) {
        loop {
            let Some(pull) = self.pulls.lock().unwrap().pop() else { return };
            pull.join().unwrap();
        }
    }

    /// Judges the frames that the client has received by the wire contract. At the end the client must be at the head,
    /// or removed.
    fn judge(&self, scenario: &Scenario) {
        let mut judge = StreamJudge::new();
        for (id, cursor) in (1..).zip(&scenario.cursors) {
            let frame = ClientFrame::Subscribe { group_id: GROUP, cursor: cursor.map(at) };
            judge.said(&frame, Some(&u64::to_string(&id)));
        }
        let log = self.log.lock().unwrap();
        let removed_at = log.iter().find(|event| matches!(event, Event::MemberLeft(_))).map(Event::seq);
        let mut heard = Vec::new();
        for frame in self.heard() {
            judge.heard(&frame).unwrap_or_else(|breach| panic!("{breach}; heard {frame:?} after {heard:?}"));
            if let (ServerFrame::Event(event), Some(removed_at)) = (&frame, removed_at) {
                assert!(event.seq() < removed_at, "{} was heard, removed at {removed_at}", event.seq());
            }
            heard.push(frame.kind().to_owned());
        }
        if removed_at.is_some() {
            assert!(!judge.is_following(GROUP), "still followed after the removal: {heard:?}");
        } else {
            assert!(judge.is_live(GROUP), "not live: {heard:?}");
            assert_eq!(judge.position(GROUP), Some(log.len() as Seq), "{heard:?}");
        }
    }

    /// All frames in the mailbox.
    fn heard(&self) -> Vec<ServerFrame> {
        assert_eq!(self.peer.mailbox.closing(), None);
        let Some(Next::Write(waiting)) = self.peer.mailbox.next().now_or_never() else { return Vec::new() };
        waiting
            .iter()
            .flat_map(Outgoing::frames)
            .map(|(_, text)| codec::decode_server(text).unwrap().unwrap())
            .collect()
    }
}

impl Modelled {
    /// Like [`super::super::CatchUp::run`].
    fn run(self, id: u64, cursor: Option<Cursor>) {
        let stream = Stream { group: GROUP, key: KEY, id };
        // A step here waits only for a lock, which the scheduler sees.
        let outcome = begin(&self, stream, cursor).now_or_never().expect("a step that waits");
        if outcome.is_err() && give_up(&self, stream) {
            let peer = &self.surroundings.peer;
            if self.begun.lock().unwrap().is_none() {
                peer.cut_off(GROUP, LeftReason::Removed);
            } else {
                let error = WireError::new(ErrorCode::NotFound, "no such group", Some(id.to_string()));
                peer.mailbox.push(&Outgoing::server(&ServerFrame::Error(error)));
            }
        }
    }
}

fn is_member(log: &[Event]) -> bool {
    !log.iter().any(|event| matches!(event, Event::MemberLeft(_)))
}

fn page(log: &[Event], after: Seq) -> Page {
    let events = log.iter().filter(|event| event.seq() > after).take(PAGE).cloned().collect();
    Page { events, epoch: EPOCH, head: log.len() as Seq }
}

fn at(seq: Seq) -> Cursor {
    Cursor { epoch: EPOCH, seq }
}

fn removal(seq: Seq) -> Event {
    let (display_name, at) = (String::new(), Timestamp::from_unix_micros(0));
    Event::MemberLeft(MemberLeft { group_id: GROUP, seq, user_id: user(KEY), display_name, at })
}
