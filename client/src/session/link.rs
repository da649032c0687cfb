//! The session's side of the link: carries out the link's effects, and tells the groups when a socket is ready or lost.

use caravana_protocol::ClientFrame;

use super::{Output, Session};
use crate::link_state::{LinkEffect, LinkEvent};
use crate::{Instant, LinkState};

impl Session {
    /// Passes an event to the link and carries out the effects.
    pub(super) fn step(&mut self, event: LinkEvent, now: Instant) {
        let wire = self.link.wire();
        for effect in self.link.step(event, now) {
            match effect {
                LinkEffect::Check => self.shared.out.push(Output::CheckSession),
                LinkEffect::Open(socket) => self.shared.out.push(Output::Open { socket }),
                LinkEffect::Close(socket) => self.shared.out.push(Output::Close { socket }),
                LinkEffect::Probe => self.probe(),
            }
        }
        self.shared.wire = self.link.wire();
        self.shared.online = self.link.state() == LinkState::Online;
        self.shared.trying = match self.link.state() {
            LinkState::Connecting { .. } | LinkState::Joining | LinkState::Online | LinkState::Waiting { .. } => true,
            LinkState::Idle | LinkState::Offline | LinkState::Closed { .. } => false,
        };
        if wire.is_some() && self.shared.wire != wire {
            for group in self.groups.values_mut() {
                group.lose(&mut self.shared);
            }
        }
        if wire.is_none() && self.shared.wire.is_some() {
            for group in self.groups.values_mut() {
                group.greet(&mut self.shared, now);
            }
        }
    }

    /// The link is online once every group has caught up.
    pub(super) fn settle(&mut self, now: Instant) {
        if self.link.state() == LinkState::Joining && self.groups.values().all(|group| !group.is_joining()) {
            self.step(LinkEvent::Settled, now);
        }
    }

    /// Asks the server for a sign of life: sends any frame that the server must answer.
    fn probe(&mut self) {
        let mut live = self.groups.values_mut().filter(|group| group.is_live());
        let known = live.find_map(|group| group.timeline.cursor().map(|cursor| (group, cursor)));
        if let Some((group, cursor)) = known {
            group.stream.probe(group.id, cursor, &mut self.shared);
        } else {
            // No group is live, so the content of the answer does not matter. Even an answer about an unknown group is
            // a sign of life.
            let nowhere = caravana_protocol::GroupId::new(uuid::Uuid::nil());
            self.shared.say(&ClientFrame::Unsubscribe { group_id: nowhere }, None);
        }
    }

    /// Handles passed deadlines.
    pub(super) fn tick(&mut self, now: Instant) {
        if self.link.deadline().is_some_and(|deadline| now >= deadline) {
            self.step(LinkEvent::Due, now);
        }
        let mut sick = false;
        for group in self.groups.values_mut() {
            sick |= group.tick(&mut self.shared, now);
        }
        if sick {
            self.step(LinkEvent::Sick, now);
        }
    }
}
