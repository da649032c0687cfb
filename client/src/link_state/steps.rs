//! The table of the link: for every phase, what every event does. One function for each phase.

use caravana_protocol::{CloseReason, Retry};

use super::{
    CONNECT_TIMEOUT_MS, Ended, JOIN_TIMEOUT_MS, Link, LinkEffect, LinkEvent as E, PROBE_TIMEOUT_MS, Phase as P,
    SUSPECT_SILENCE_MS, SessionCheck, SocketId,
};
use crate::Instant;
use crate::backoff::STABLE_MS;
use crate::heartbeat::Watchdog;

impl Link {
    pub(super) fn next(&mut self, event: E, now: Instant) -> P {
        match self.phase {
            P::Idle => self.idle(event, now),
            P::Checking { .. } => self.checking(event, now),
            P::Opening { socket, .. } => self.opening(socket, event, now),
            P::Greeting { socket, .. } => self.greeting(socket, event, now),
            P::Joining { socket, asked_ms, .. } => self.joining(socket, asked_ms, event, now),
            P::Online { socket, since, asked_ms, .. } => self.online(socket, since, asked_ms, event, now),
            P::Waiting { check, .. } => self.waiting(check, event, now),
            P::Offline { check } => self.offline(check, event, now),
            P::Closed { .. } => self.closed(event, now),
        }
    }

    fn idle(&mut self, event: E, now: Instant) -> P {
        match event {
            E::Start => self.open(now),
            E::Stop
            | E::NetworkUp
            | E::NetworkDown
            | E::Visible
            | E::RetryNow
            | E::Opened
            | E::Hello
            | E::Settled
            | E::GoingAway(_)
            | E::Lost(_)
            | E::Sick
            | E::OtherUser
            | E::Checked(_)
            | E::Due => self.phase,
        }
    }

    fn checking(&mut self, event: E, now: Instant) -> P {
        match event {
            E::Stop => P::Idle,
            E::NetworkDown => P::Offline { check: true },
            E::Checked(SessionCheck::SignedIn) => self.open(now),
            E::Checked(SessionCheck::SignedOut) => P::Closed { reason: Ended::SignedOut },
            E::Checked(SessionCheck::Unreachable) | E::Due => self.wait(true, now),
            E::Start
            | E::NetworkUp
            | E::Visible
            | E::RetryNow
            | E::Opened
            | E::Hello
            | E::Settled
            | E::GoingAway(_)
            | E::Lost(_)
            | E::Sick
            | E::OtherUser => self.phase,
        }
    }

    fn opening(&mut self, socket: SocketId, event: E, now: Instant) -> P {
        match event {
            E::Opened => {
                self.watchdog = Watchdog::new(now);
                P::Greeting { socket, deadline: now.after(CONNECT_TIMEOUT_MS) }
            }
            // A browser can't read a refused handshake, so that the next attempt begins with a question.
            E::Lost(reason) => self.lost(reason, None, true, now),
            E::Due => self.give_up(socket, true, now),
            E::Stop | E::NetworkDown | E::OtherUser | E::Checked(SessionCheck::SignedOut) => self.leave(socket, event),
            E::Start
            | E::NetworkUp
            | E::Visible
            | E::RetryNow
            | E::Hello
            | E::Settled
            | E::GoingAway(_)
            | E::Sick
            | E::Checked(SessionCheck::SignedIn | SessionCheck::Unreachable) => self.phase,
        }
    }

    fn greeting(&mut self, socket: SocketId, event: E, now: Instant) -> P {
        match event {
            E::Hello => P::Joining { socket, deadline: now.after(JOIN_TIMEOUT_MS), asked_ms: None },
            E::Lost(reason) => self.lost(reason, None, false, now),
            E::Due | E::Sick => self.give_up(socket, false, now),
            E::Stop | E::NetworkDown | E::OtherUser | E::Checked(SessionCheck::SignedOut) => self.leave(socket, event),
            E::Start
            | E::NetworkUp
            | E::Visible
            | E::RetryNow
            | E::Opened
            | E::Settled
            | E::GoingAway(_)
            | E::Checked(SessionCheck::SignedIn | SessionCheck::Unreachable) => self.phase,
        }
    }

    fn joining(&mut self, socket: SocketId, asked_ms: Option<u64>, event: E, now: Instant) -> P {
        match event {
            E::Due if now >= self.watchdog.deadline() => self.give_up(socket, false, now),
            E::Settled | E::Due => P::Online { socket, since: now, asked_ms, probe: None },
            E::GoingAway(ms) => self.asked_to_go(ms),
            E::Lost(reason) => self.lost(reason, asked_ms, false, now),
            E::Sick => self.give_up(socket, false, now),
            E::Stop | E::NetworkDown | E::OtherUser | E::Checked(SessionCheck::SignedOut) => self.leave(socket, event),
            E::Start
            | E::NetworkUp
            | E::Visible
            | E::RetryNow
            | E::Opened
            | E::Hello
            | E::Checked(SessionCheck::SignedIn | SessionCheck::Unreachable) => self.phase,
        }
    }

    fn online(&mut self, socket: SocketId, since: Instant, asked_ms: Option<u64>, event: E, now: Instant) -> P {
        match event {
            E::GoingAway(ms) => self.asked_to_go(ms),
            E::Lost(reason) => {
                self.forgive(since, now);
                self.lost(reason, asked_ms, false, now)
            }
            E::Due | E::Sick => {
                self.forgive(since, now);
                self.give_up(socket, false, now)
            }
            // The network changed or the tab woke: the socket may be dead without knowing it.
            E::NetworkUp | E::Visible | E::RetryNow => self.suspect(now),
            E::Stop | E::NetworkDown | E::OtherUser | E::Checked(SessionCheck::SignedOut) => self.leave(socket, event),
            E::Start
            | E::Opened
            | E::Hello
            | E::Settled
            | E::Checked(SessionCheck::SignedIn | SessionCheck::Unreachable) => self.phase,
        }
    }

    fn waiting(&mut self, check: bool, event: E, now: Instant) -> P {
        match event {
            E::NetworkUp | E::Visible | E::RetryNow | E::Due => self.begin(check, now),
            E::NetworkDown => P::Offline { check },
            E::Stop => P::Idle,
            E::Checked(SessionCheck::SignedOut) => P::Closed { reason: Ended::SignedOut },
            E::Start
            | E::Opened
            | E::Hello
            | E::Settled
            | E::GoingAway(_)
            | E::Lost(_)
            | E::Sick
            | E::OtherUser
            | E::Checked(SessionCheck::SignedIn | SessionCheck::Unreachable) => self.phase,
        }
    }

    fn offline(&mut self, check: bool, event: E, now: Instant) -> P {
        match event {
            // A person may know better than the device.
            E::NetworkUp | E::RetryNow => self.begin(check, now),
            E::Stop => P::Idle,
            E::Checked(SessionCheck::SignedOut) => P::Closed { reason: Ended::SignedOut },
            E::Start
            | E::NetworkDown
            | E::Visible
            | E::Opened
            | E::Hello
            | E::Settled
            | E::GoingAway(_)
            | E::Lost(_)
            | E::Sick
            | E::OtherUser
            | E::Checked(SessionCheck::SignedIn | SessionCheck::Unreachable)
            | E::Due => self.phase,
        }
    }

    fn closed(&mut self, event: E, now: Instant) -> P {
        match event {
            // A person asks again, or has signed in: the answer decides.
            E::Start | E::RetryNow => self.begin(true, now),
            E::Stop => P::Idle,
            E::NetworkUp
            | E::NetworkDown
            | E::Visible
            | E::Opened
            | E::Hello
            | E::Settled
            | E::GoingAway(_)
            | E::Lost(_)
            | E::Sick
            | E::OtherUser
            | E::Checked(_)
            | E::Due => self.phase,
        }
    }
}

/// What the rows of the table have in common.
impl Link {
    fn begin(&mut self, check: bool, now: Instant) -> P {
        if check {
            self.effects.push(LinkEffect::Check);
            P::Checking { deadline: now.after(CONNECT_TIMEOUT_MS) }
        } else {
            self.open(now)
        }
    }

    fn open(&mut self, now: Instant) -> P {
        self.sockets += 1;
        let socket = SocketId(self.sockets);
        self.effects.push(LinkEffect::Open(socket));
        P::Opening { socket, deadline: now.after(CONNECT_TIMEOUT_MS) }
    }

    /// Closes the socket because it is not wanted.
    fn leave(&mut self, socket: SocketId, event: E) -> P {
        self.effects.push(LinkEffect::Close(socket));
        match event {
            E::NetworkDown => P::Offline { check: false },
            E::OtherUser => P::Closed { reason: Ended::OtherUser },
            E::Checked(_) => P::Closed { reason: Ended::SignedOut },
            E::Start
            | E::Stop
            | E::NetworkUp
            | E::Visible
            | E::RetryNow
            | E::Opened
            | E::Hello
            | E::Settled
            | E::GoingAway(_)
            | E::Lost(_)
            | E::Sick
            | E::Due => P::Idle,
        }
    }

    /// Closes the socket because it is of no use, and tries another one later.
    fn give_up(&mut self, socket: SocketId, check: bool, now: Instant) -> P {
        self.effects.push(LinkEffect::Close(socket));
        self.wait(check, now)
    }

    fn wait(&mut self, check: bool, now: Instant) -> P {
        P::Waiting { retry_at: now.after(self.backoff.fail()), check }
    }

    fn forgive(&mut self, since: Instant, now: Instant) {
        if now.since(since) >= STABLE_MS {
            self.backoff.reset();
        }
    }

    fn asked_to_go(&self, ms: u64) -> P {
        let mut phase = self.phase;
        if let P::Joining { asked_ms, .. } | P::Online { asked_ms, .. } = &mut phase {
            *asked_ms = Some(ms);
        }
        phase
    }

    fn suspect(&mut self, now: Instant) -> P {
        let mut phase = self.phase;
        if let P::Online { probe: probe @ None, .. } = &mut phase
            && self.watchdog.silent_for(now) > SUSPECT_SILENCE_MS
        {
            self.effects.push(LinkEffect::Probe);
            *probe = Some(now.after(PROBE_TIMEOUT_MS));
        }
        phase
    }

    fn lost(&mut self, reason: CloseReason, asked_ms: Option<u64>, check: bool, now: Instant) -> P {
        match (reason.retry(), asked_ms) {
            (Retry::Never, _) => P::Closed { reason: Ended::ByServer(reason) },
            (Retry::Now | Retry::Backoff, Some(ms)) => {
                P::Waiting { retry_at: now.after(self.backoff.fail_after(ms)), check }
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
