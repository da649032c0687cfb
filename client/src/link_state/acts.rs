//! What the rows of the link's table share: opening, waiting, doubting, losing.

use caravana_protocol::{CloseReason, Retry};

use super::{
    CONNECT_TIMEOUT_MS, Ended, Link, LinkEffect, LinkEvent as E, PLANNED_FOR_MS, PROBE_TIMEOUT_MS, Phase as P,
    SUSPECT_SILENCE_MS, SocketId,
};
use crate::Instant;
use crate::backoff::STABLE_MS;
use crate::heartbeat::Watchdog;

impl Link {
    pub(super) fn begin(&mut self, check: bool, now: Instant) -> P {
        self.doubt = None;
        if check {
            self.watchdog = Watchdog::new(now);
            self.effects.push(LinkEffect::Check);
            P::Checking { deadline: now.after(CONNECT_TIMEOUT_MS) }
        } else {
            self.open(now)
        }
    }

    pub(super) fn open(&mut self, now: Instant) -> P {
        self.doubt = None;
        self.watchdog = Watchdog::new(now);
        self.sockets += 1;
        let socket = SocketId(self.sockets);
        self.effects.push(LinkEffect::Open(socket));
        P::Opening { socket, deadline: now.after(CONNECT_TIMEOUT_MS) }
    }

    /// Closes the socket because it is not wanted.
    pub(super) fn leave(&mut self, socket: SocketId, event: E) -> P {
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

    /// Closes a dead socket and tries another one: at once if the socket was in doubt and did not answer in time,
    /// otherwise later.
    pub(super) fn give_up(&mut self, socket: SocketId, check: bool, now: Instant) -> P {
        self.effects.push(LinkEffect::Close(socket));
        if self.is_overdue(now) { self.begin(check, now) } else { self.wait(check, now) }
    }

    pub(super) fn wait(&mut self, check: bool, now: Instant) -> P {
        let is_planned = self.planned_until.is_some_and(|until| now < until);
        let wait = if is_planned { self.backoff.fail_planned() } else { self.backoff.fail() };
        P::Waiting { retry_at: now.after(wait), check }
    }

    pub(super) fn forgive(&mut self, since: Instant, now: Instant) {
        if now.since(since) >= STABLE_MS {
            self.backoff.reset();
        }
    }

    pub(super) fn asked_to_go(&self, ms: u64) -> P {
        let mut phase = self.phase;
        if let P::Joining { asked_ms, .. } | P::Online { asked_ms, .. } = &mut phase {
            *asked_ms = Some(ms);
        }
        phase
    }

    /// The network changed, the tab woke, or a person asks: the socket or the attempt may be dead without a report.
    pub(super) fn suspect(&mut self, event: E, now: Instant) -> P {
        if event != E::RetryNow {
            self.backoff.ease();
        }
        if self.doubt.is_none() && self.watchdog.silent_for(now) > SUSPECT_SILENCE_MS {
            self.doubt = Some(now.after(PROBE_TIMEOUT_MS));
            if self.wire().is_some() {
                self.effects.push(LinkEffect::Probe);
            }
        }
        self.phase
    }

    /// Whether a socket that was in doubt did not answer in time.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.doubt.is_some_and(|doubt| now >= doubt)
    }

    pub(super) fn lost(&mut self, reason: CloseReason, asked_ms: Option<u64>, check: bool, now: Instant) -> P {
        if asked_ms.is_some() || reason == CloseReason::Restart {
            self.planned_until = Some(now.after(PLANNED_FOR_MS));
        }
        match (reason.retry(), asked_ms) {
            (Retry::Never, _) => P::Closed { reason: Ended::ByServer(reason) },
            // The socket was lost while the tab slept or the network changed, and this is reported only now.
            (Retry::Now | Retry::Backoff, _) if self.doubt.is_some() => self.begin(check, now),
            (Retry::Now | Retry::Backoff, Some(ms)) => {
                P::Waiting { retry_at: now.after(self.backoff.fail_after(ms)), check }
            }
            // At once, but only the first time: a server that closes like this again and again must not cause a loop.
            (Retry::Now, None) if self.backoff.failures() == 0 => {
                self.backoff.fail();
                self.open(now)
            }
            (Retry::Now | Retry::Backoff, None) => self.wait(check, now),
        }
    }
}
