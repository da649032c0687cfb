//! What is known to be missing.
//!
//! A gap begins when an event comes too early, or when the server names a head above the cursor, and ends when the cursor
//! has passed it. It outlives the stream in which it was found, so that a screen can show it until it is filled.

use caravana_protocol::Seq;

use super::Timeline;

impl Timeline {
    /// Whether something is missing between the cursor and an event that came already on this stream.
    #[must_use]
    pub fn has_gap(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether something behind the cursor has happened that should have come and did not, on this stream or on an
    /// earlier one. Rows above the cursor, if there are any, stand above that hole.
    #[must_use]
    pub const fn is_missing_some(&self) -> bool {
        self.missing.is_some()
    }

    /// Something up to this seq has happened and is not here.
    pub(crate) fn expect(&mut self, seq: Seq) {
        self.missing = self.missing.max(Some(seq));
    }

    /// A new stream begins at the cursor; what was held of the old one comes again.
    pub(crate) fn forget_held(&mut self) {
        self.held.clear();
    }

    /// The server has sent all there is: what was named beyond it is not in its log.
    pub(crate) fn forget_missing(&mut self) {
        self.missing = None;
    }

    /// Ends the gap once the cursor has passed it.
    pub(super) fn close_gap(&mut self) {
        self.missing = self.missing.filter(|missing| self.cursor.is_none_or(|cursor| cursor.seq < *missing));
    }
}
