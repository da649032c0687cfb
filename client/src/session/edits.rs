//! Edits and deletions that the server has not answered yet.
//!
//! They are not queued like messages: what they change may look different by the time a link is back, so that the person
//! is told and decides.

use std::collections::BTreeMap;

use caravana_protocol::{ClientFrame, ErrorCode, GroupId, MessageId};

use super::RefusedReason;
use super::output::Change;
use super::reference::Reference;
use super::shared::Shared;
use crate::Instant;

/// Edits and deletions that may wait for an answer together.
const OPEN_EDITS: usize = 32;
/// How long one may stay without an answer.
const ANSWER_TIMEOUT_MS: u64 = 10_000;

/// The open edits and deletions, by message.
#[derive(Debug, Default)]
pub(super) struct Edits(BTreeMap<MessageId, Open>);

#[derive(Debug, Clone, Copy)]
struct Open {
    group: GroupId,
    deadline: Instant,
}

impl Edits {
    /// Says an edit or a deletion, or that it can't be said.
    pub(super) fn say(
        &mut self,
        group: GroupId,
        id: MessageId,
        frame: &ClientFrame,
        reference: Reference,
        shared: &mut Shared,
        now: Instant,
    ) {
        if self.0.len() < OPEN_EDITS && shared.say(frame, Some(reference)) {
            self.0.insert(id, Open { group, deadline: now.after(ANSWER_TIMEOUT_MS) });
        } else {
            shared.out.change(Change::Refused { group, id, reason: RefusedReason::NotOnline });
        }
    }

    /// The event came.
    pub(super) fn done(&mut self, id: MessageId) {
        self.0.remove(&id);
    }

    /// The server refused.
    pub(super) fn refused(&mut self, id: MessageId, code: Option<ErrorCode>, shared: &mut Shared) {
        if let Some(open) = self.0.remove(&id) {
            let reason = RefusedReason::ByServer(code);
            shared.out.change(Change::Refused { group: open.group, id, reason });
        }
    }

    /// The socket is lost, and with it the answers.
    pub(super) fn lose(&mut self, shared: &mut Shared) {
        for (id, open) in std::mem::take(&mut self.0) {
            shared.out.change(Change::Refused { group: open.group, id, reason: RefusedReason::NoAnswer });
        }
    }

    pub(super) fn tick(&mut self, shared: &mut Shared, now: Instant) {
        self.0.retain(|id, open| {
            let waits = now < open.deadline;
            if !waits {
                let reason = RefusedReason::NoAnswer;
                shared.out.change(Change::Refused { group: open.group, id: *id, reason });
            }
            waits
        });
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.values().map(|open| open.deadline).min()
    }
}
