//! Whether the other side is still there (G8).
//!
//! Owns the moment at which a frame last came. A socket that lost its peer reports nothing for minutes, and a tab that
//! slept reports nothing either. The server sends `heartbeat` at a fixed period, so a long silence means a dead socket.
//! Called by the link only.

use caravana_protocol::limits;

use crate::Instant;

/// The shortest silence that a server may announce. A smaller figure would make every client reconnect for ever.
const SHORTEST_SILENCE_MS: u64 = 5_000;

/// Gives a socket up when nothing was heard for too long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watchdog {
    heard_at: Instant,
    silence_ms: u64,
}

impl Watchdog {
    /// A socket that opened now.
    pub(crate) const fn new(now: Instant) -> Self {
        Self { heard_at: now, silence_ms: limits::SILENCE_MS }
    }

    /// What the server announced in `hello`.
    pub(crate) fn allow(&mut self, silence_ms: u64) {
        self.silence_ms = silence_ms.max(SHORTEST_SILENCE_MS);
    }

    /// Any frame came, known or not.
    pub(crate) const fn heard(&mut self, now: Instant) {
        self.heard_at = now;
    }

    /// How long it has been silent, in milliseconds.
    pub(crate) const fn silent_for(&self, now: Instant) -> u64 {
        now.since(self.heard_at)
    }

    /// When the socket is given up.
    pub(crate) const fn deadline(&self) -> Instant {
        self.heard_at.after(self.silence_ms)
    }
}
