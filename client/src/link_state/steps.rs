//! The table of the link: for every phase, what every event does. One function for each phase.

use super::{CONNECT_TIMEOUT_MS, Ended, JOIN_TIMEOUT_MS, Link, LinkEvent as E, Phase as P, SessionCheck, SocketId};
use crate::Instant;
use crate::heartbeat::Watchdog;

impl Link {
    pub(super) fn next(&mut self, event: E, now: Instant) -> P {
        match self.phase {
            P::Idle => self.idle(event, now),
            P::Checking { .. } => self.checking(event, now),
            P::Opening { socket, .. } => self.opening(socket, event, now),
            P::Greeting { socket, .. } => self.greeting(socket, event, now),
            P::Joining { socket, asked_ms, .. } => self.joining(socket, asked_ms, event, now),
            P::Online { socket, since, asked_ms } => self.online(socket, since, asked_ms, event, now),
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
            // A check that was asked before the tab slept fails now, or is never answered.
            E::Checked(SessionCheck::Unreachable) | E::Due if self.doubt.is_some() => self.begin(true, now),
            E::Checked(SessionCheck::Unreachable) | E::Due => self.wait(true, now),
            E::NetworkUp | E::Visible | E::RetryNow => self.suspect(event, now),
            E::Start | E::Opened | E::Hello | E::Settled | E::GoingAway(_) | E::Lost(_) | E::Sick | E::OtherUser => {
                self.phase
            }
        }
    }

    fn opening(&mut self, socket: SocketId, event: E, now: Instant) -> P {
        match event {
            E::Opened => {
                self.watchdog = Watchdog::new(now);
                P::Greeting { socket, deadline: now.after(CONNECT_TIMEOUT_MS) }
            }
            // A browser can't read a refused handshake, so the next attempt begins with a check of the sign-in.
            E::Lost(reason) => self.lost(reason, None, true, now),
            E::Due => self.give_up(socket, true, now),
            E::NetworkUp | E::Visible | E::RetryNow => self.suspect(event, now),
            E::Stop | E::NetworkDown | E::OtherUser | E::Checked(SessionCheck::SignedOut) => self.leave(socket, event),
            E::Start
            | E::Hello
            | E::Settled
            | E::GoingAway(_)
            | E::Sick
            | E::Checked(SessionCheck::SignedIn | SessionCheck::Unreachable) => self.phase,
        }
    }

    fn greeting(&mut self, socket: SocketId, event: E, now: Instant) -> P {
        match event {
            E::Hello => {
                self.planned_until = None;
                P::Joining { socket, deadline: now.after(JOIN_TIMEOUT_MS), asked_ms: None }
            }
            E::Lost(reason) => self.lost(reason, None, false, now),
            E::Due | E::Sick => self.give_up(socket, false, now),
            E::NetworkUp | E::Visible | E::RetryNow => self.suspect(event, now),
            E::Stop | E::NetworkDown | E::OtherUser | E::Checked(SessionCheck::SignedOut) => self.leave(socket, event),
            E::Start
            | E::Opened
            | E::Settled
            | E::GoingAway(_)
            | E::Checked(SessionCheck::SignedIn | SessionCheck::Unreachable) => self.phase,
        }
    }

    fn joining(&mut self, socket: SocketId, asked_ms: Option<u64>, event: E, now: Instant) -> P {
        match event {
            E::Due if now >= self.watchdog.deadline() || self.is_overdue(now) => self.give_up(socket, false, now),
            E::Settled | E::Due => P::Online { socket, since: now, asked_ms },
            E::GoingAway(ms) => self.asked_to_go(ms),
            E::Lost(reason) => self.lost(reason, asked_ms, false, now),
            E::Sick => self.give_up(socket, false, now),
            E::NetworkUp | E::Visible | E::RetryNow => self.suspect(event, now),
            E::Stop | E::NetworkDown | E::OtherUser | E::Checked(SessionCheck::SignedOut) => self.leave(socket, event),
            E::Start | E::Opened | E::Hello | E::Checked(SessionCheck::SignedIn | SessionCheck::Unreachable) => {
                self.phase
            }
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
            // The network changed or the tab woke: the socket may be dead without a report.
            E::NetworkUp | E::Visible | E::RetryNow => self.suspect(event, now),
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
            E::NetworkUp | E::Visible => {
                self.backoff.ease();
                self.begin(check, now)
            }
            E::RetryNow | E::Due => self.begin(check, now),
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
            E::NetworkUp => {
                self.backoff.ease();
                self.begin(check, now)
            }
            // A person may know better than the device.
            E::RetryNow => self.begin(check, now),
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
            // A person asks again, or has signed in: the check of the sign-in decides.
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
