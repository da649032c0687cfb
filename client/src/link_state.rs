//! The link to the server: one socket at a time, for as long as somebody wants one.
//!
//! Owns the state of the connection, the numbering of sockets, the waits between attempts and the watchdog. Promises
//! that at most one socket is wanted at any time, that terminal closes are never retried by themselves, and that a
//! socket which could not be opened is followed by a question about the sign-in before the next attempt. Never looks
//! into groups or messages. Called by [`crate::Session`] only.

use caravana_protocol::{CloseReason, Retry};

use crate::Instant;
use crate::backoff::{Backoff, STABLE_MS};
use crate::heartbeat::Watchdog;

/// How long a socket may take from opening to `hello`, and a session check to its answer.
pub const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// How long the link waits for its groups to catch up before it counts as online without them. A group that is slow must
/// not keep the others from sending.
pub const JOIN_TIMEOUT_MS: u64 = 10_000;
/// After a sign that the network changed or the tab woke, a socket that was silent for longer than this is asked for a
/// sign of life.
const SUSPECT_SILENCE_MS: u64 = 2_000;
/// How long a suspected socket has for that sign.
const PROBE_TIMEOUT_MS: u64 = 5_000;

/// One socket's number. Events that name another socket than the present one are stale and mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub(crate) u64);

/// What the screen says about the connection.
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
    /// Everything flows.
    Online,
    /// The next attempt comes by itself.
    Waiting {
        /// Attempts that failed, since the link was last healthy.
        attempt: u32,
        /// When.
        retry_at: Instant,
    },
    /// The device has no network. Nothing is tried until it has.
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
    /// Nobody is signed in any more: sign in.
    SignedOut,
    /// Somebody else is signed in by now (in another tab). Nothing of this user may be sent in that name.
    OtherUser,
    /// The server closed for good.
    ByServer(CloseReason),
}

/// What `GET /api/v1/session` said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionCheck {
    /// 200: somebody is signed in.
    SignedIn,
    /// 401: nobody is.
    SignedOut,
    /// No answer, or another one.
    Unreachable,
}

/// What the link is told.
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
    /// The session found the socket to be of no use.
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
    /// Ask the server for any frame.
    Probe,
}

/// The state with all that belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Checking { deadline: Instant },
    Opening { socket: SocketId, deadline: Instant },
    Greeting { socket: SocketId, deadline: Instant },
    Joining { socket: SocketId, deadline: Instant, asked_ms: Option<u64> },
    Online { socket: SocketId, since: Instant, asked_ms: Option<u64>, probe: Option<Instant> },
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
    sockets: u64,
    effects: Vec<LinkEffect>,
}

impl Link {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            phase: Phase::Idle,
            backoff: Backoff::new(seed),
            watchdog: Watchdog::new(Instant::default()),
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

    /// The socket over which the server has said `hello`: the only one to say something to.
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

    /// Something came over the present socket.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.watchdog.heard(now);
        if let Phase::Online { probe, .. } = &mut self.phase {
            *probe = None;
        }
    }

    /// The server's own figure for a silence that is too long.
    pub(crate) fn allow_silence(&mut self, ms: u64) {
        self.watchdog.allow(ms);
    }

    /// When [`LinkEvent::Due`] is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Checking { deadline } | Phase::Opening { deadline, .. } | Phase::Greeting { deadline, .. } => {
                Some(deadline)
            }
            Phase::Joining { deadline, .. } => Some(deadline.min(self.watchdog.deadline())),
            Phase::Online { probe, .. } => {
                Some(probe.map_or(self.watchdog.deadline(), |probe| probe.min(self.watchdog.deadline())))
            }
            Phase::Waiting { retry_at, .. } => Some(retry_at),
            Phase::Idle | Phase::Offline { .. } | Phase::Closed { .. } => None,
        }
    }

    /// Takes one step and says what has to be done.
    pub(crate) fn step(&mut self, event: LinkEvent, now: Instant) -> Vec<LinkEffect> {
        self.phase = self.next(event, now);
        std::mem::take(&mut self.effects)
    }

    fn next(&mut self, event: LinkEvent, now: Instant) -> Phase {
        use {LinkEvent as E, Phase as P};
        let phase = self.phase;
        match (phase, event) {
            (P::Idle, E::Start) | (P::Waiting { check: false, .. } | P::Offline { check: false }, E::RetryNow) => {
                self.open(now)
            }
            (P::Offline { check: false }, E::NetworkUp)
            | (P::Waiting { check: false, .. }, E::NetworkUp | E::Visible | E::Due) => self.open(now),
            // A person asks again, or just signed in: the answer decides.
            (P::Closed { .. }, E::Start | E::RetryNow)
            | (P::Waiting { check: true, .. }, E::RetryNow | E::NetworkUp | E::Visible | E::Due)
            | (P::Offline { check: true }, E::RetryNow | E::NetworkUp) => self.check(now),

            (_, E::Stop) => self.leave(P::Idle),
            (P::Closed { .. } | P::Idle, E::NetworkDown) => phase,
            (P::Waiting { check, .. } | P::Offline { check }, E::NetworkDown) => P::Offline { check },
            (P::Checking { .. }, E::NetworkDown) => P::Offline { check: true },
            (P::Opening { .. } | P::Greeting { .. } | P::Joining { .. } | P::Online { .. }, E::NetworkDown) => {
                self.leave(P::Offline { check: false })
            }

            (P::Opening { socket, .. }, E::Opened) => {
                self.watchdog = Watchdog::new(now);
                P::Greeting { socket, deadline: now.after(CONNECT_TIMEOUT_MS) }
            }
            (P::Greeting { socket, .. }, E::Hello) => {
                P::Joining { socket, deadline: now.after(JOIN_TIMEOUT_MS), asked_ms: None }
            }
            (P::Joining { socket, asked_ms, .. }, E::Settled) => {
                P::Online { socket, since: now, asked_ms, probe: None }
            }
            (P::Joining { socket, deadline, .. }, E::GoingAway(ms)) => {
                P::Joining { socket, deadline, asked_ms: Some(ms) }
            }
            (P::Online { socket, since, probe, .. }, E::GoingAway(ms)) => {
                P::Online { socket, since, asked_ms: Some(ms), probe }
            }
            (P::Opening { .. } | P::Greeting { .. } | P::Joining { .. } | P::Online { .. }, E::OtherUser) => {
                self.leave(P::Closed { reason: Ended::OtherUser })
            }

            (P::Checking { .. }, E::Checked(SessionCheck::SignedIn)) => self.open(now),
            (P::Checking { .. }, E::Checked(SessionCheck::Unreachable) | E::Due) => self.wait(true, now),
            (_, E::Checked(SessionCheck::SignedOut)) => self.leave(P::Closed { reason: Ended::SignedOut }),

            (P::Opening { .. }, E::Lost(reason)) => self.lost(reason, None, true, now),
            (P::Greeting { .. }, E::Lost(reason)) => self.lost(reason, None, false, now),
            (P::Joining { asked_ms, .. }, E::Lost(reason)) => self.lost(reason, asked_ms, false, now),
            (P::Online { since, asked_ms, .. }, E::Lost(reason)) => {
                self.forgive(since, now);
                self.lost(reason, asked_ms, false, now)
            }

            (P::Opening { socket, .. }, E::Due) => {
                self.effects.push(LinkEffect::Close(socket));
                self.wait(true, now)
            }
            (P::Greeting { socket, .. }, E::Due | E::Sick) | (P::Joining { socket, .. }, E::Sick) => {
                self.effects.push(LinkEffect::Close(socket));
                self.wait(false, now)
            }
            (P::Joining { socket, asked_ms, .. }, E::Due) => {
                if now >= self.watchdog.deadline() {
                    self.effects.push(LinkEffect::Close(socket));
                    self.wait(false, now)
                } else {
                    P::Online { socket, since: now, asked_ms, probe: None }
                }
            }
            (P::Online { socket, since, .. }, E::Due | E::Sick) => {
                self.forgive(since, now);
                self.effects.push(LinkEffect::Close(socket));
                self.wait(false, now)
            }
            // The network changed or the tab woke. The socket may be dead without knowing it.
            (P::Online { socket, since, asked_ms, probe: None }, E::NetworkUp | E::Visible | E::RetryNow)
                if self.watchdog.silent_for(now) > SUSPECT_SILENCE_MS =>
            {
                self.effects.push(LinkEffect::Probe);
                P::Online { socket, since, asked_ms, probe: Some(now.after(PROBE_TIMEOUT_MS)) }
            }

            (
                P::Checking { .. }
                | P::Opening { .. }
                | P::Greeting { .. }
                | P::Joining { .. }
                | P::Online { .. }
                | P::Waiting { .. }
                | P::Offline { .. },
                E::Start,
            )
            | (
                P::Idle
                | P::Checking { .. }
                | P::Opening { .. }
                | P::Greeting { .. }
                | P::Joining { .. }
                | P::Online { .. },
                E::NetworkUp | E::Visible | E::RetryNow,
            )
            | (P::Offline { .. }, E::Visible)
            | (P::Closed { .. }, E::NetworkUp | E::Visible)
            | (
                P::Idle
                | P::Checking { .. }
                | P::Greeting { .. }
                | P::Joining { .. }
                | P::Online { .. }
                | P::Waiting { .. }
                | P::Offline { .. }
                | P::Closed { .. },
                E::Opened,
            )
            | (
                P::Idle
                | P::Checking { .. }
                | P::Opening { .. }
                | P::Joining { .. }
                | P::Online { .. }
                | P::Waiting { .. }
                | P::Offline { .. }
                | P::Closed { .. },
                E::Hello,
            )
            | (
                P::Idle
                | P::Checking { .. }
                | P::Opening { .. }
                | P::Greeting { .. }
                | P::Online { .. }
                | P::Waiting { .. }
                | P::Offline { .. }
                | P::Closed { .. },
                E::Settled,
            )
            | (
                P::Idle
                | P::Checking { .. }
                | P::Opening { .. }
                | P::Greeting { .. }
                | P::Waiting { .. }
                | P::Offline { .. }
                | P::Closed { .. },
                E::GoingAway(_),
            )
            | (
                P::Idle | P::Checking { .. } | P::Waiting { .. } | P::Offline { .. } | P::Closed { .. },
                E::Lost(_) | E::OtherUser | E::Sick,
            )
            | (P::Opening { .. }, E::Sick)
            | (P::Idle | P::Offline { .. } | P::Closed { .. }, E::Due)
            | (
                P::Idle
                | P::Opening { .. }
                | P::Greeting { .. }
                | P::Joining { .. }
                | P::Online { .. }
                | P::Waiting { .. }
                | P::Offline { .. }
                | P::Closed { .. },
                E::Checked(SessionCheck::SignedIn | SessionCheck::Unreachable),
            ) => phase,
        }
    }

    fn open(&mut self, now: Instant) -> Phase {
        self.sockets += 1;
        let socket = SocketId(self.sockets);
        self.effects.push(LinkEffect::Open(socket));
        Phase::Opening { socket, deadline: now.after(CONNECT_TIMEOUT_MS) }
    }

    fn check(&mut self, now: Instant) -> Phase {
        self.effects.push(LinkEffect::Check);
        Phase::Checking { deadline: now.after(CONNECT_TIMEOUT_MS) }
    }

    /// Goes to a state without a socket.
    fn leave(&mut self, to: Phase) -> Phase {
        self.effects.extend(self.socket().map(LinkEffect::Close));
        to
    }

    fn wait(&mut self, check: bool, now: Instant) -> Phase {
        Phase::Waiting { retry_at: now.after(self.backoff.fail()), check }
    }

    fn forgive(&mut self, since: Instant, now: Instant) {
        if now.since(since) >= STABLE_MS {
            self.backoff.reset();
        }
    }

    fn lost(&mut self, reason: CloseReason, asked_ms: Option<u64>, check: bool, now: Instant) -> Phase {
        match (reason.retry(), asked_ms) {
            (Retry::Never, _) => Phase::Closed { reason: Ended::ByServer(reason) },
            (Retry::Now | Retry::Backoff, Some(ms)) => {
                Phase::Waiting { retry_at: now.after(self.backoff.fail_after(ms)), check }
            }
            // At once, but only the first time: a server that says so again and again must not make a loop.
            (Retry::Now, None) if self.backoff.failures() == 0 => {
                self.backoff.fail();
                self.open(now)
            }
            (Retry::Now | Retry::Backoff, None) => self.wait(check, now),
        }
    }
}
