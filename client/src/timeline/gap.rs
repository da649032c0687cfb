//! What is known to be missing.
//!
//! A gap begins when an event comes too early, or when the server names a head above the cursor. It ends when the
//! cursor has passed it. It is kept when the stream in which it was found ends, so that a screen can show it until it
//! is filled.

use caravana_protocol::Seq;

use super::Timeline;

impl Timeline {
    /// Whether events are missing between the cursor and an event that has come on this stream.
    #[must_use]
    pub fn has_gap(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether an event after the cursor is known to exist and did not come, on this stream or on an earlier one. Rows
    /// above the cursor, if there are any, stand after that gap.
    #[must_use]
    pub const fn is_missing_some(&self) -> bool {
        self.missing.is_some()
    }

    /// Events up to this seq exist and are missing here.
    pub(crate) fn expect(&mut self, seq: Seq) {
        self.missing = self.missing.max(Some(seq));
    }

    /// Drops the held events: a new stream begins at the cursor and brings them again.
    pub(crate) fn forget_held(&mut self) {
        self.held.clear();
    }

    /// Ends the gap: the server has sent its whole log, and a seq beyond that is not in it.
    pub(crate) fn forget_missing(&mut self) {
        self.missing = None;
    }

    /// Ends the gap once the cursor has passed it.
    pub(super) fn close_gap(&mut self) {
        self.missing = self.missing.filter(|missing| self.cursor.is_none_or(|cursor| cursor.seq < *missing));
    }
}
