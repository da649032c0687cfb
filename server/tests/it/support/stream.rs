//! The judge of what one connection receives: the section «order on one connection» of PROTOCOL as a state machine.
//!
//! It holds only this rule: no I/O and no clock. The caller passes what the client sends ([`StreamJudge::said`]) and
//! what it receives ([`StreamJudge::heard`]), in the order of the socket. The first violation is returned as an error
//! text. From each `joined` on, a group's events must come in seq order without a hole or a repeat. They begin right
//! after the cursor of the subscription (or after `joined.head` if it had none). `caught_up` must name the last event
//! before it and must not come before `joined.head`. No frame may come for a group that is not followed. No `heartbeat`
//! may name a head beyond the last event.
//!
//! Frames of the client and of the server cross on the way: an event of the old stream may still come after a new
//! `subscribe`, and a removal may happen before or after it. So the judge keeps every state that fits what was
//! received. It reports a violation when no state is left.

// The paths are explicit because the model check in the server's sources includes this file too.
#[path = "stream/state.rs"]
mod state;
#[cfg(test)]
#[path = "stream/tests.rs"]
mod tests;

use std::collections::BTreeMap;

use caravana_protocol::{ClientFrame, Cursor, GroupId, Seq, ServerFrame};

use state::{Asked, State, Subscription};

/// Judges what one connection receives.
#[derive(Debug, Clone, Default)]
pub(crate) struct StreamJudge {
    /// The group of an endpoint of one group. Its frames may leave out the group id.
    only: Option<GroupId>,
    /// For each group that was ever followed, all states that are possible.
    groups: BTreeMap<GroupId, Vec<State>>,
}

impl StreamJudge {
    /// A connection to the endpoint of many groups.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A connection to the endpoint of one group. The server subscribes it without a frame.
    pub(crate) fn of_group(group: GroupId, cursor: Option<Cursor>) -> Self {
        let mut judge = Self { only: Some(group), groups: BTreeMap::new() };
        judge.asked(group, &Asked::Subscribe(Subscription { cursor, reference: None }));
        judge
    }

    /// Records what the client sends, before it is sent.
    pub(crate) fn said(&mut self, frame: &ClientFrame, reference: Option<&str>) {
        let subscription = |cursor| Asked::Subscribe(Subscription { cursor, reference: reference.map(str::to_owned) });
        match frame {
            ClientFrame::Subscribe { group_id, cursor } => self.asked(*group_id, &subscription(*cursor)),
            ClientFrame::Sync { group_id, cursor } => {
                if let Some(group) = group_id.or(self.only) {
                    self.asked(group, &subscription(Some(*cursor)));
                }
            }
            ClientFrame::Unsubscribe { group_id } => self.asked(*group_id, &Asked::Unsubscribe),
            ClientFrame::SendMessage { .. }
            | ClientFrame::EditMessage { .. }
            | ClientFrame::DeleteMessage { .. }
            | ClientFrame::React { .. }
            | ClientFrame::PinMessage { .. }
            | ClientFrame::Typing { .. }
            | ClientFrame::StopTyping { .. }
            | ClientFrame::MarkRead { .. }
            | ClientFrame::Auth { .. } => {}
        }
    }

    fn asked(&mut self, group: GroupId, asked: &Asked) {
        for state in self.groups.entry(group).or_insert_with(|| vec![State::default()]) {
            state.ask(asked.clone());
        }
    }

    /// Judges the next received frame.
    pub(crate) fn heard(&mut self, frame: &ServerFrame) -> Result<(), String> {
        match frame {
            ServerFrame::Joined(joined) => self.judge(joined.group_id, |state| state.joined(joined)),
            ServerFrame::Left(left) => self.judge(left.group_id, |state| state.left(left.reason)),
            ServerFrame::Event(event) => self.judge(event.group_id(), |state| state.event(event.seq())),
            ServerFrame::CaughtUp(done) => self.judge(done.group_id, |state| state.caught_up(done)),
            ServerFrame::Resync(resync) => self.judge(resync.group_id, |state| state.resync(resync)),
            ServerFrame::UserTyping(typing) | ServerFrame::UserStopTyping(typing) => {
                self.judge(typing.group_id, State::soft)
            }
            ServerFrame::Presence(presence) => self.judge(presence.group_id, State::soft),
            ServerFrame::Read(read) => self.judge(read.group_id, State::soft),
            ServerFrame::Heartbeat(beat) => {
                beat.heads.iter().try_for_each(|(group, head)| self.judge(*group, |state| state.heartbeat(*head)))
            }
            ServerFrame::Error(error) => {
                for states in self.groups.values_mut() {
                    *states = distinct(states.iter().flat_map(|state| state.refused(error.reference.as_deref())));
                }
                Ok(())
            }
            ServerFrame::Hello(_)
            | ServerFrame::MessageSent(_)
            | ServerFrame::Done(_)
            | ServerFrame::AuthExpiring(_)
            | ServerFrame::GroupAdded(_)
            | ServerFrame::GroupRemoved(_)
            | ServerFrame::AccountChanged(_)
            | ServerFrame::GoingAway(_) => Ok(()),
        }
    }

    /// Whether the group is followed and its replay is complete.
    pub(crate) fn is_live(&self, group: GroupId) -> bool {
        self.groups.get(&group).is_some_and(|states| states.iter().all(State::is_live))
    }

    /// Whether frames of the group may still come: it is live or being replayed.
    pub(crate) fn is_following(&self, group: GroupId) -> bool {
        self.groups.get(&group).is_some_and(|states| states.iter().any(State::is_following))
    }

    /// Whether every request about the group was answered.
    pub(crate) fn is_answered(&self, group: GroupId) -> bool {
        self.groups.get(&group).is_none_or(|states| states.iter().all(State::is_answered))
    }

    /// The last event that the client must have received from a followed group. `None` while this is not certain.
    pub(crate) fn position(&self, group: GroupId) -> Option<Seq> {
        let states = self.groups.get(&group)?;
        let first = states.first()?.position()?;
        states.iter().all(|state| state.position() == Some(first)).then_some(first)
    }

    /// Applies a frame to every possible state of the group. States that contradict the frame are removed.
    fn judge(&mut self, group: GroupId, step: impl Fn(&State) -> Result<Vec<State>, String>) -> Result<(), String> {
        let states = self.groups.entry(group).or_insert_with(|| vec![State::default()]);
        let (mut next, mut breach) = (Vec::new(), None);
        for state in &*states {
            match step(state) {
                Ok(followers) => next.extend(followers),
                Err(reason) => breach = Some(format!("{group}: {reason}; before it: {state}")),
            }
        }
        let next = distinct(next);
        match breach {
            Some(breach) if next.is_empty() => Err(breach),
            _ => {
                *states = next;
                Ok(())
            }
        }
    }
}

fn distinct(states: impl IntoIterator<Item = State>) -> Vec<State> {
    let mut distinct: Vec<State> = Vec::new();
    for state in states {
        if !distinct.contains(&state) {
            distinct.push(state);
        }
    }
    distinct
}
