//! The checker that judges the results of all fault tests.
//!
//! It takes a [`History`] and returns the rules of RELIABILITY.md §2 that the history breaks, each with a description.
//! It knows nothing of servers, sockets or time, so the same rules apply to the simulated world and to real processes.
//! Its own tests make up a history for each kind of violation, because a checker that never fails proves nothing.

mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use caravana_protocol::{MessageId, Seq, UserId};

use super::Vitals;
use super::history::{Applied, Client, Entry, History, Outcome, What};

/// After the faults are healed and the clients are connected again, how long a client may take to have every event.
pub(crate) const CONVERGENCE: Duration = Duration::from_secs(10);

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// C1: every acknowledged message is stored.
    AcknowledgedIsStored,
    /// C2: no id is stored twice, and no refused message is stored.
    StoredOnce,
    /// C3: seqs are 1 … head.
    NoHole,
    /// C4: one (group, seq) has one id, in the log and in every view.
    OneIdPerSeq,
    /// C5: each client's view is the log in ascending order, without a hole or a repeat. The same holds for each
    /// connection's stream.
    ViewIsTheLog,
    /// C6: if a message was sent after another was acknowledged, it has the higher seq.
    AcknowledgedFirst,
    /// C7: no user sees an event from outside their membership.
    MembersOnly,
    /// C8: no client sees a message that was not sent.
    NothingInvented,
    /// C9: every client has every event soon after the faults are healed.
    Convergence,
    /// C10: after all clients have disconnected, a process holds no more resources than before they connected.
    LetsGo,
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) rule: Rule,
    pub(crate) what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}

/// Fails the test unless the history keeps every rule.
#[track_caller]
pub(crate) fn assert_sound(history: &History) {
    let violations = judge(history);
    let shown: Vec<String> = violations.iter().take(20).map(ToString::to_string).collect();
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), shown.join("\n"));
}

/// All rules that a history breaks.
pub(crate) fn judge(history: &History) -> Vec<Violation> {
    let mut judge = Judge { log: Index::new(history), history, violations: Vec::new() };
    judge.log();
    for client in &history.clients {
        judge.sends(client);
        judge.view(client);
        judge.settled(client);
    }
    judge.order();
    judge.violations
}

/// How many more descriptors and threads a process may hold for itself, for example readers of its pool or started
/// workers.
const OWN: usize = 16;
/// How much more memory the process may keep, in KiB. Most of it belongs to the allocator's arenas.
pub(crate) const KEPT: usize = 48 * 1024;

/// C10, which needs no history: compares what a process held before any client connected with what it holds after all
/// have disconnected.
pub(crate) fn lets_go(before: &Vitals, after: &Vitals) -> Vec<Violation> {
    let held = [
        ("descriptors", before.descriptors, after.descriptors, OWN),
        ("threads", before.threads, after.threads, OWN),
        ("KiB of memory", before.memory, after.memory, KEPT),
    ];
    held.into_iter()
        .filter(|(_, before, after, own)| after > &(before + own))
        .map(|(of, before, after, _)| Violation { rule: Rule::LetsGo, what: format!("{after} {of}, {before} before") })
        .collect()
}

struct Judge<'a> {
    history: &'a History,
    log: Index<'a>,
    violations: Vec<Violation>,
}

/// The log, indexed for the checks.
struct Index<'a> {
    by_seq: BTreeMap<Seq, &'a What>,
    /// The seqs of each message.
    messages: BTreeMap<MessageId, Vec<Seq>>,
    changed: BTreeSet<MessageId>,
}

impl<'a> Index<'a> {
    fn new(history: &'a History) -> Self {
        let mut index = Self { by_seq: BTreeMap::new(), messages: BTreeMap::new(), changed: BTreeSet::new() };
        for Entry { seq, what } in &history.log {
            index.by_seq.insert(*seq, what);
            match what {
                What::Message { id, .. } => index.messages.entry(*id).or_default().push(*seq),
                What::Change(id) => drop(index.changed.insert(*id)),
                What::Joined(_) | What::Left(_) | What::Updated => {}
            }
        }
        index
    }

    /// The last seq that the user is allowed to see. `None`: the user is a member and may see all of them.
    fn last_visible(&self, user: UserId) -> Option<Seq> {
        let last = self.by_seq.iter().rev().find_map(|(seq, what)| match what {
            What::Joined(who) if *who == user => Some(None),
            What::Left(who) if *who == user => Some(Some(*seq)),
            What::Message { .. } | What::Change(_) | What::Joined(_) | What::Left(_) | What::Updated => None,
        });
        last.flatten()
    }
}

impl Judge<'_> {
    fn broken(&mut self, rule: Rule, what: String) {
        self.violations.push(Violation { rule, what });
    }

    /// C2, C3 and C8 for the log itself.
    fn log(&mut self) {
        for (expected, entry) in (1..).zip(&self.history.log) {
            if entry.seq != expected {
                self.broken(Rule::NoHole, format!("the log has {} where {expected} is due", entry.seq));
                break;
            }
        }
        let last = self.history.log.last().map_or(0, |entry| entry.seq);
        if last != self.history.head {
            self.broken(Rule::NoHole, format!("the head is {} and the log ends at {last}", self.history.head));
        }
        let twice: Vec<String> = self
            .log
            .messages
            .iter()
            .filter(|(_, seqs)| seqs.len() > 1)
            .map(|(id, seqs)| format!("{id} is stored at {seqs:?}"))
            .collect();
        for what in twice {
            self.broken(Rule::StoredOnce, what);
        }
        let sent = self.everything_sent();
        let invented: Vec<String> = self
            .history
            .log
            .iter()
            .filter_map(|entry| match &entry.what {
                What::Message { id, text, .. } => match sent.get(id) {
                    None => Some(format!("{id} at {} was sent by nobody", entry.seq)),
                    Some(said) if *said != text && !self.log.changed.contains(id) => {
                        Some(format!("{id} at {} has another text than was sent", entry.seq))
                    }
                    Some(_) => None,
                },
                What::Change(_) | What::Joined(_) | What::Left(_) | What::Updated => None,
            })
            .collect();
        for what in invented {
            self.broken(Rule::NothingInvented, what);
        }
    }

    fn everything_sent(&self) -> BTreeMap<MessageId, &str> {
        let own = self.history.clients.iter().flat_map(|client| &client.sends);
        let own = own.map(|sent| (sent.id, sent.text.as_str()));
        own.chain(self.history.foreign.iter().map(|(id, text)| (*id, text.as_str()))).collect()
    }

    /// C1, C2 and C4 for what a client sent.
    fn sends(&mut self, client: &Client) {
        for sent in &client.sends {
            let stored = self.log.messages.get(&sent.id).and_then(|seqs| seqs.first()).copied();
            match (sent.outcome, stored) {
                (Outcome::Acknowledged { seq, .. }, None) => {
                    self.broken(Rule::AcknowledgedIsStored, format!("{} was acknowledged at {seq}", sent.id));
                }
                (Outcome::Acknowledged { seq, .. }, Some(stored)) if stored != seq => {
                    let what = format!("{} was acknowledged at {seq} and stands at {stored}", sent.id);
                    self.broken(Rule::OneIdPerSeq, what);
                }
                (Outcome::Refused, Some(stored)) => {
                    self.broken(Rule::StoredOnce, format!("{} was refused and stands at {stored}", sent.id));
                }
                (Outcome::Acknowledged { .. }, Some(_)) | (Outcome::Refused, None) | (Outcome::Unknown, _) => {}
            }
        }
    }

    /// C4, C5, C7 and C8 for what a client saw.
    fn view(&mut self, client: &Client) {
        for what in &client.broken_streams {
            self.broken(Rule::ViewIsTheLog, format!("{}: a connection's stream: {what}", client.user));
        }
        let last_visible = self.log.last_visible(client.user);
        let mut cursor: Option<(caravana_protocol::Epoch, Seq)> = None;
        for step in &client.applied {
            match step {
                Applied::Restart(now) => cursor = Some((now.epoch, now.seq)),
                Applied::Skip(now) => {
                    self.broken(Rule::ViewIsTheLog, format!("{} went from {cursor:?} to {now:?}", client.user));
                    cursor = Some((now.epoch, now.seq));
                }
                Applied::Unheard { epoch, seq } => {
                    self.broken(Rule::ViewIsTheLog, format!("{} passed {seq} without having heard it", client.user));
                    cursor = Some((*epoch, *seq));
                }
                Applied::Event { epoch, seq, what } => {
                    if cursor != Some((*epoch, seq - 1)) {
                        self.broken(Rule::ViewIsTheLog, format!("{} applied {seq} after {cursor:?}", client.user));
                    }
                    cursor = Some((*epoch, *seq));
                    if *epoch == self.history.epoch {
                        self.seen(client, *seq, what, last_visible);
                    }
                }
            }
        }
        // After a reload the client may have no cursor.
        let ends_at = client.cursor.map(|cursor| (cursor.epoch, cursor.seq));
        if ends_at.is_some() && ends_at != cursor {
            self.broken(Rule::ViewIsTheLog, format!("{} ends at {:?}, not at {cursor:?}", client.user, client.cursor));
        }
        self.screen(client);
    }

    /// Compares one event that a client saw with the log.
    fn seen(&mut self, client: &Client, seq: Seq, what: &What, last_visible: Option<Seq>) {
        if last_visible.is_some_and(|last| seq >= last) {
            self.broken(
                Rule::MembersOnly,
                format!("{} saw {seq} and was no member from {last_visible:?} on", client.user),
            );
        }
        match (self.log.by_seq.get(&seq), what) {
            (None, _) => self.broken(Rule::NothingInvented, format!("{} saw {seq}, which is not there", client.user)),
            (Some(What::Message { id: stored, .. }), What::Message { id, .. }) if stored != id => {
                let text = format!("at {seq} {} saw {id} and {stored} is stored", client.user);
                self.broken(Rule::OneIdPerSeq, text);
            }
            // An edit may have changed the text since.
            (Some(What::Message { .. }), What::Message { .. }) => {}
            (Some(stored), seen) if *stored != seen => {
                let text = format!("at {seq} {} saw {seen:?} and {stored:?} is stored", client.user);
                self.broken(Rule::OneIdPerSeq, text);
            }
            (Some(_), _) => {}
        }
    }

    /// Checks the screen at the end, if the test read it: all messages of the log, each once, in order.
    fn screen(&mut self, client: &Client) {
        let Some(screen) = &client.screen else { return };
        let stored = self.history.log.iter().filter_map(|entry| match entry.what {
            What::Message { id, .. } => Some(id),
            What::Change(_) | What::Joined(_) | What::Left(_) | What::Updated => None,
        });
        if !stored.eq(screen.iter().copied()) {
            let what = format!("the screen of {} shows {} messages, which are not the log", client.user, screen.len());
            self.broken(Rule::ViewIsTheLog, what);
        }
    }

    /// C9.
    fn settled(&mut self, client: &Client) {
        let here =
            client.cursor.is_some_and(|cursor| cursor.epoch == self.history.epoch && cursor.seq == self.history.head);
        let is_member = self.log.last_visible(client.user).is_none();
        if is_member && !here {
            let what = format!("{} is at {:?}, the head is {}", client.user, client.cursor, self.history.head);
            self.broken(Rule::Convergence, what);
        }
        if client.settled.is_none_or(|after| after > CONVERGENCE) {
            self.broken(Rule::Convergence, format!("{} settled after {:?}", client.user, client.settled));
        }
    }

    /// C6 for all clients together, in the order of moments.
    fn order(&mut self) {
        let sends = self.history.clients.iter().flat_map(|client| &client.sends);
        // An acknowledgement (`true`) raises the minimum seq. A message sent after it (`false`) must have a higher seq.
        let mut moments: BTreeMap<u64, (bool, MessageId, Seq)> = BTreeMap::new();
        for sent in sends {
            if let Some(seq) = self.log.messages.get(&sent.id).and_then(|seqs| seqs.first()) {
                moments.insert(sent.at, (false, sent.id, *seq));
                if let Outcome::Acknowledged { at, .. } = sent.outcome {
                    moments.insert(at, (true, sent.id, *seq));
                }
            }
        }
        let mut highest: Option<(Seq, MessageId)> = None;
        let mut late: Vec<String> = Vec::new();
        for (acknowledged, id, seq) in moments.into_values() {
            if acknowledged {
                highest = highest.max(Some((seq, id)));
            } else if let Some((bar, before)) = highest.filter(|(bar, _)| *bar >= seq) {
                late.push(format!("{id} was sent after {before} was acknowledged at {bar}, and stands at {seq}"));
            }
        }
        for what in late {
            self.broken(Rule::AcknowledgedFirst, what);
        }
    }
}
