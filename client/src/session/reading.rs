//! How far the user has read, told to the server in as few words as possible.

use caravana_protocol::{ClientFrame, GroupId, Seq};

use super::reference::Reference;
use super::shared::Shared;
use crate::Instant;

/// While somebody scrolls, `mark_read` is said at most this often, with the furthest seq.
const COALESCE_MS: u64 = 1_000;
/// Without a confirmation it is said again after this time.
const CONFIRM_TIMEOUT_MS: u64 = 15_000;

/// The user's own reading of one group.
#[derive(Debug, Default)]
pub(super) struct Reading {
    seen: Seq,
    confirmed: Seq,
    /// What was said last on this socket, and when.
    said: Option<(Seq, Instant)>,
}

impl Reading {
    pub(super) fn known(&self) -> Seq {
        self.seen.max(self.confirmed)
    }

    /// The user has seen everything up to `seq`. Returns whether that is further than before.
    pub(super) fn see(&mut self, seq: Seq) -> bool {
        let further = seq > self.known();
        self.seen = self.seen.max(seq);
        further
    }

    /// The server says how far the user has read, from whatever device.
    pub(super) fn confirm(&mut self, seq: Seq) {
        self.confirmed = self.confirmed.max(seq);
    }

    /// The history was rebuilt: its seqs mean something else now.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    /// The server refused for good what was said. It is not said again.
    pub(super) fn give_up(&mut self) {
        self.seen = self.confirmed;
    }

    pub(super) fn lose(&mut self) {
        self.said = None;
    }

    pub(super) fn flush(&mut self, group: GroupId, shared: &mut Shared, now: Instant) {
        if self.seen <= self.confirmed || self.deadline().is_some_and(|deadline| now < deadline) {
            return;
        }
        let frame = ClientFrame::MarkRead { group_id: Some(group), seq: self.seen };
        if shared.say(&frame, Some(Reference::Read(group))) {
            self.said = Some((self.seen, now));
        }
    }

    /// When there is something to say again. What was never said on this socket is said without waiting.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let (said, at) = self.said.filter(|_| self.seen > self.confirmed)?;
        Some(at.after(if self.seen > said { COALESCE_MS } else { CONFIRM_TIMEOUT_MS }))
    }
}
