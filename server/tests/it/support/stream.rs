//! The judge of what one connection hears: PROTOCOL's «order on one connection», as a machine.
//!
//! Owns the rule and nothing else: no I/O, no clock. Give it what the client says ([`StreamJudge::said`]) and what it
//! hears ([`StreamJudge::heard`]), in the order of the socket; the first breach is an error in words. From each `joined`
//! on, a group's events must come in seq order without a hole or a repeat, beginning right after the cursor that was
//! asked for (or after `joined.head` without one); `caught_up` must name the last event before it and not come before
//! `joined.head`; nothing may come of a group that is not followed; no `heartbeat` may name a head beyond what came.
//!
//! What a client says and what it hears cross on the way: an event of the old stream may still come after a new
//! `subscribe`, and a removal may fall before or after it. So the judge keeps every state that fits what was heard, and
//! it is a breach when none is left.

// With their paths, because the model check in the server's sources takes this file in too.
#[path = "stream/state.rs"]
mod state;
#[cfg(test)]
#[path = "stream/tests.rs"]
mod tests;

use std::collections::BTreeMap;

use caravana_protocol::{ClientFrame, Cursor, GroupId, Seq, ServerFrame};

use state::{Asked, State, Subscription};

/// Judges what one connection hears.
#[derive(Debug, Clone, Default)]
pub(crate) struct StreamJudge {
    /// The group of an endpoint of one group, whose frames need not name it.
    only: Option<GroupId>,
    /// For each group that was ever followed, all states that it may be in.
    groups: BTreeMap<GroupId, Vec<State>>,
}

impl StreamJudge {
    /// A connection of the endpoint of many groups.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A connection of the endpoint of one group, which subscribes by itself.
    pub(crate) fn of_group(group: GroupId, cursor: Option<Cursor>) -> Self {
        let mut judge = Self { only: Some(group), groups: BTreeMap::new() };
        judge.asked(group, &Asked::Subscribe(Subscription { cursor, reference: None }));
        judge
    }

    /// Takes note of what the client says, before it goes out.
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

    /// Judges the next frame.
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

    /// Whether a group is followed and everything that was replayed has come.
    pub(crate) fn is_live(&self, group: GroupId) -> bool {
        self.groups.get(&group).is_some_and(|states| states.iter().all(State::is_live))
    }

    /// Whether anything may still come of a group: it is live or being replayed.
    pub(crate) fn is_following(&self, group: GroupId) -> bool {
        self.groups.get(&group).is_some_and(|states| states.iter().any(State::is_following))
    }

    /// Whether all that was asked about a group was answered.
    pub(crate) fn is_answered(&self, group: GroupId) -> bool {
        self.groups.get(&group).is_none_or(|states| states.iter().all(State::is_answered))
    }

    /// The last event that a followed group must have got by now; `None` while that is not certain.
    pub(crate) fn position(&self, group: GroupId) -> Option<Seq> {
        let states = self.groups.get(&group)?;
        let first = states.first()?.position()?;
        states.iter().all(|state| state.position() == Some(first)).then_some(first)
    }

    /// Moves every possible state of the group; those that the frame contradicts fall away.
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
