//! The link to the server: one socket at a time, for as long as the page wants one.
//!
//! Owns the state of the connection, the numbering of sockets, the waits between attempts and the watchdog. Promises
//! that at most one socket is wanted at any time, that a terminal close is never retried without a person, and that the
//! sign-in is checked before the next attempt if a socket could not be opened. Never looks into groups or messages.
//! Called by [`crate::Session`] only.

use caravana_protocol::CloseReason;

use crate::Instant;
use crate::backoff::Backoff;
use crate::heartbeat::Watchdog;

mod acts;
mod steps;

/// How long a socket may take from opening to `hello`, and a session check to its answer.
pub const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// How long the link waits for its groups to catch up before it counts as online without them. A group that is slow must
/// not keep the others from sending.
pub const JOIN_TIMEOUT_MS: u64 = 10_000;
/// When the network changes or the tab wakes, a socket that was silent for longer than this is asked for a sign of
/// life.
const SUSPECT_SILENCE_MS: u64 = 2_000;
/// How long such a socket has to answer. Short, because a person looks at the page and waits.
const PROBE_TIMEOUT_MS: u64 = 3_000;
/// How long after a planned close a server is expected back at any moment.
const PLANNED_FOR_MS: u64 = 60_000;

/// One socket's number. Events of any socket but the current one are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub(crate) u64);

/// The state of the connection, for the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// Not started, or stopped.
    Idle,
    /// A socket is being opened, or the sign-in is being checked before one is.
    Connecting {
        /// Attempts that failed before this one, since the link was last healthy.
        attempt: u32,
    },
    /// The socket is open and the groups catch up.
    Joining,
    /// Messages are sent, and events arrive live.
    Online,
    /// The link waits, and then tries again by itself.
    Waiting {
        /// Attempts that failed, since the link was last healthy.
        attempt: u32,
        /// When.
        retry_at: Instant,
    },
    /// The device has no network. The link waits until it has one, or until the person asks.
    Offline,
    /// No attempt comes by itself; only a person can do something about it.
    Closed {
        /// Why.
        reason: Ended,
    },
}

/// Why a link has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The user is no longer signed in: sign in.
    SignedOut,
    /// Another user is signed in now (in another tab). Nothing of this user may be sent in that user's name.
    OtherUser,
    /// The server closed for good.
    ByServer(CloseReason),
}

/// What `GET /api/v1/session` said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionCheck {
    /// 200: a user is signed in.
    SignedIn,
    /// 401: no user is signed in.
    SignedOut,
    /// No answer, or another one.
    Unreachable,
}

/// What happens to the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkEvent {
    Start,
    Stop,
    NetworkUp,
    NetworkDown,
    Visible,
    RetryNow,
    Opened,
    Hello,
    /// Every group has caught up.
    Settled,
    GoingAway(u64),
    Lost(CloseReason),
    /// The session found that the socket is dead.
    Sick,
    OtherUser,
    Checked(SessionCheck),
    /// A deadline has passed.
    Due,
}

/// What the link wants to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkEffect {
    Check,
    Open(SocketId),
    Close(SocketId),
    /// Ask the server for a sign of life.
    Probe,
}

/// The state with its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Checking { deadline: Instant },
    Opening { socket: SocketId, deadline: Instant },
    Greeting { socket: SocketId, deadline: Instant },
    Joining { socket: SocketId, deadline: Instant, asked_ms: Option<u64> },
    Online { socket: SocketId, since: Instant, asked_ms: Option<u64> },
    Waiting { retry_at: Instant, check: bool },
    Offline { check: bool },
    Closed { reason: Ended },
}

/// The link.
#[derive(Debug)]
pub(crate) struct Link {
    phase: Phase,
    backoff: Backoff,
    watchdog: Watchdog,
    /// When to give up a socket or an attempt that was silent when the network changed or the tab woke. A frame that
    /// comes before that moment ends the doubt. A loss that is reported before happened earlier, so the link tries
    /// again at once.
    doubt: Option<Instant>,
    /// The server closed in order to restart. Until this moment the link tries often.
    planned_until: Option<Instant>,
    sockets: u64,
    effects: Vec<LinkEffect>,
}

impl Link {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            phase: Phase::Idle,
            backoff: Backoff::new(seed),
            watchdog: Watchdog::new(Instant::default()),
            doubt: None,
            planned_until: None,
            sockets: 0,
            effects: Vec::new(),
        }
    }

    /// What the screen shows.
    pub(crate) const fn state(&self) -> LinkState {
        let attempt = self.backoff.failures();
        match self.phase {
            Phase::Idle => LinkState::Idle,
            Phase::Checking { .. } | Phase::Opening { .. } | Phase::Greeting { .. } => {
                LinkState::Connecting { attempt }
            }
            Phase::Joining { .. } => LinkState::Joining,
            Phase::Online { .. } => LinkState::Online,
            Phase::Waiting { retry_at, .. } => LinkState::Waiting { attempt, retry_at },
            Phase::Offline { .. } => LinkState::Offline,
            Phase::Closed { reason } => LinkState::Closed { reason },
        }
    }

    /// The socket whose events count.
    pub(crate) const fn socket(&self) -> Option<SocketId> {
        match self.phase {
            Phase::Opening { socket, .. }
            | Phase::Greeting { socket, .. }
            | Phase::Joining { socket, .. }
            | Phase::Online { socket, .. } => Some(socket),
            Phase::Idle
            | Phase::Checking { .. }
            | Phase::Waiting { .. }
            | Phase::Offline { .. }
            | Phase::Closed { .. } => None,
        }
    }

    /// The socket over which the server has said `hello`. Frames are sent over this one only.
    pub(crate) const fn wire(&self) -> Option<SocketId> {
        match self.phase {
            Phase::Joining { socket, .. } | Phase::Online { socket, .. } => Some(socket),
            Phase::Idle
            | Phase::Checking { .. }
            | Phase::Opening { .. }
            | Phase::Greeting { .. }
            | Phase::Waiting { .. }
            | Phase::Offline { .. }
            | Phase::Closed { .. } => None,
        }
    }

    /// A frame came over the current socket.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.watchdog.heard(now);
        self.doubt = None;
    }

    /// Sets the longest silence, as the server's `hello` announces it.
    pub(crate) fn allow_silence(&mut self, ms: u64) {
        self.watchdog.allow(ms);
    }

    /// When to send [`LinkEvent::Due`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let doubted = |deadline: Instant| Some(self.doubt.map_or(deadline, |doubt| doubt.min(deadline)));
        match self.phase {
            Phase::Checking { deadline } | Phase::Opening { deadline, .. } | Phase::Greeting { deadline, .. } => {
                doubted(deadline)
            }
            Phase::Joining { deadline, .. } => doubted(deadline.min(self.watchdog.deadline())),
            Phase::Online { .. } => doubted(self.watchdog.deadline()),
            Phase::Waiting { retry_at, .. } => Some(retry_at),
            Phase::Idle | Phase::Offline { .. } | Phase::Closed { .. } => None,
        }
    }

    /// Takes one step and says what has to be done.
    pub(crate) fn step(&mut self, event: LinkEvent, now: Instant) -> Vec<LinkEffect> {
        self.phase = self.next(event, now);
        std::mem::take(&mut self.effects)
    }
}
