//! Tells the server how far the user has read, with as few frames as possible.

use caravana_protocol::{ClientFrame, GroupId, Seq};

use super::reference::Reference;
use super::shared::Shared;
use crate::Instant;

/// While the user scrolls, `mark_read` is sent at most this often, with the furthest seq.
const COALESCE_MS: u64 = 1_000;
/// Without a confirmation `mark_read` is sent again after this time.
const CONFIRM_TIMEOUT_MS: u64 = 15_000;

/// The user's own reading of one group.
#[derive(Debug, Default)]
pub(super) struct Reading {
    seen: Seq,
    confirmed: Seq,
    /// The last seq that was sent on this socket, and when.
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

    /// The server says how far the user has read, on any device.
    pub(super) fn confirm(&mut self, seq: Seq) {
        self.confirmed = self.confirmed.max(seq);
    }

    /// The history was rebuilt: seqs of the old one mean nothing in the new one.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    /// The server refused `mark_read` for good. It is not sent again.
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

    /// When to send `mark_read` again. `None` if nothing is unconfirmed, or nothing was sent on this socket; then
    /// [`Reading::flush`] does not wait.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let (said, at) = self.said.filter(|_| self.seen > self.confirmed)?;
        Some(at.after(if self.seen > said { COALESCE_MS } else { CONFIRM_TIMEOUT_MS }))
    }
}
