//! Turns the state of the session's link into what the screen shows about it (UX "Connection").
//!
//! Owns the delays before the screen mentions a state: five seconds for a lost socket, one second for a first
//! connection. Pure: the present moment is an argument. Called by [`super::bridge`].

use caravana_client::{Ended, Instant, LinkState};
use caravana_protocol::CloseReason;

use super::store::LinkView;

/// A first connection is mentioned after this time.
const CONNECTING_AFTER_MS: u64 = 1_000;
/// A lost socket is mentioned after this time.
const LOST_AFTER_MS: u64 = 5_000;
/// If the loss is reported within this time after the page became visible again, the socket was lost while the page was
/// hidden. Such a loss is mentioned sooner than a short interruption.
const WOKEN_MS: u64 = 5_000;
/// After this time the server counts as unreachable.
const UNREACHABLE_AFTER_MS: u64 = 60_000;
/// How long the screen says that the connection is back.
const RESTORED_MS: u64 = 3_000;

/// What is remembered between two calls of [`LinkMemory::view`].
#[derive(Debug, Clone, Default)]
pub(super) struct LinkMemory {
    /// When the first attempt began, or when the link was lost.
    away_since: Option<Instant>,
    was_online: bool,
    /// When the page last became visible again.
    woken_at: Option<Instant>,
    /// The screen has mentioned a loss, so it will also mention that the loss is over.
    told: bool,
    restored_until: Option<Instant>,
    /// The text will change with time alone.
    moving: bool,
}

impl LinkMemory {
    /// Whether the text changes with time alone.
    #[must_use]
    pub(super) const fn is_moving(&self) -> bool {
        self.moving
    }

    /// The page became visible again; the device may have slept.
    pub(super) fn woken(&mut self, now: Instant) {
        self.woken_at = Some(now);
    }

    /// What the screen says now.
    pub(super) fn view(&mut self, state: LinkState, filling: bool, now: Instant) -> LinkView {
        let view = self.decide(state, filling, now);
        let settled = matches!(view, LinkView::Online | LinkView::NoInternet | LinkView::Ended | LinkView::Stopped);
        self.moving = !settled || state != LinkState::Online && view == LinkView::Online;
        match view {
            LinkView::Reconnecting(_) | LinkView::Unreachable(_) | LinkView::NoInternet => self.told = true,
            LinkView::Quiet
            | LinkView::Connecting
            | LinkView::Online
            | LinkView::CatchingUp
            | LinkView::Restored
            | LinkView::Ended
            | LinkView::Stopped => {}
        }
        view
    }

    fn decide(&mut self, state: LinkState, filling: bool, now: Instant) -> LinkView {
        match state {
            LinkState::Online if filling && self.told => LinkView::CatchingUp,
            LinkState::Online => self.online(now),
            LinkState::Joining if self.told => LinkView::CatchingUp,
            LinkState::Offline => {
                self.away_since.get_or_insert(now);
                LinkView::NoInternet
            }
            LinkState::Closed { reason: Ended::SignedOut | Ended::OtherUser } => LinkView::Ended,
            LinkState::Closed { reason: Ended::ByServer(CloseReason::BadToken | CloseReason::SessionRevoked) } => {
                LinkView::Ended
            }
            LinkState::Closed { reason: Ended::ByServer(_) } => LinkView::Stopped,
            LinkState::Waiting { retry_at, .. } => self.away(Some(retry_at), now),
            LinkState::Idle | LinkState::Connecting { .. } | LinkState::Joining => self.away(None, now),
        }
    }

    fn online(&mut self, now: Instant) -> LinkView {
        self.away_since = None;
        if std::mem::take(&mut self.told) && self.was_online {
            self.restored_until = Some(now.after(RESTORED_MS));
        }
        self.was_online = true;
        match self.restored_until {
            Some(until) if now < until => LinkView::Restored,
            Some(_) | None => LinkView::Online,
        }
    }

    fn away(&mut self, retry_at: Option<Instant>, now: Instant) -> LinkView {
        self.restored_until = None;
        let away_since = *self.away_since.get_or_insert(now);
        let away = now.since(away_since);
        let is_old = self.woken_at.is_some_and(|woken| away_since >= woken && away_since.since(woken) < WOKEN_MS);
        let seconds = retry_at.map(|at| at.since(now).div_ceil(1_000));
        match away {
            UNREACHABLE_AFTER_MS.. => LinkView::Unreachable(seconds),
            LOST_AFTER_MS.. if self.was_online || retry_at.is_some() => LinkView::Reconnecting(seconds),
            _ if self.was_online && !is_old => LinkView::Online,
            CONNECTING_AFTER_MS.. => LinkView::Connecting,
            _ => LinkView::Quiet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    const WAITING: LinkState = LinkState::Waiting { attempt: 1, retry_at: at(9_000) };
    const CONNECTING: LinkState = LinkState::Connecting { attempt: 0 };

    #[test]
    fn the_first_second_of_a_connection_is_quiet() {
        let mut memory = LinkMemory::default();
        assert_eq!(memory.view(CONNECTING, false, at(0)), LinkView::Quiet);
        assert_eq!(memory.view(LinkState::Joining, false, at(999)), LinkView::Quiet);
        assert_eq!(memory.view(LinkState::Joining, false, at(1_000)), LinkView::Connecting);
        assert_eq!(memory.view(LinkState::Online, true, at(1_200)), LinkView::Online);
        assert!(!memory.is_moving());
    }

    #[test]
    fn a_lost_socket_is_mentioned_after_five_seconds_with_the_time_to_the_next_attempt() {
        let mut memory = LinkMemory::default();
        memory.view(LinkState::Online, false, at(0));
        assert_eq!(memory.view(WAITING, false, at(1_000)), LinkView::Online);
        assert!(memory.is_moving());
        assert_eq!(memory.view(WAITING, false, at(6_500)), LinkView::Reconnecting(Some(3)));
        assert_eq!(memory.view(CONNECTING, false, at(9_100)), LinkView::Reconnecting(None));
        assert_eq!(memory.view(CONNECTING, false, at(61_000)), LinkView::Unreachable(None));
        assert_eq!(memory.view(LinkState::Joining, true, at(62_000)), LinkView::CatchingUp);
        assert_eq!(memory.view(LinkState::Online, false, at(62_100)), LinkView::Restored);
        assert_eq!(memory.view(LinkState::Online, false, at(65_100)), LinkView::Online);
    }

    #[test]
    fn a_short_loss_is_never_mentioned() {
        let mut memory = LinkMemory::default();
        memory.view(LinkState::Online, false, at(0));
        for (state, ms) in [(WAITING, 100), (CONNECTING, 900), (LinkState::Joining, 1_000), (LinkState::Online, 1_100)]
        {
            assert_eq!(memory.view(state, true, at(ms)), LinkView::Online);
        }
    }

    /// Once, a page that came back from the browser's page cache without its socket said «Conectado» for five more
    /// seconds.
    #[test]
    fn a_loss_that_is_told_when_the_page_wakes_is_mentioned_at_once() {
        let mut memory = LinkMemory::default();
        memory.view(LinkState::Online, false, at(0));
        memory.woken(at(60_000));
        assert_eq!(memory.view(LinkState::Online, false, at(60_000)), LinkView::Online);
        assert_eq!(memory.view(WAITING, false, at(60_100)), LinkView::Quiet);
        assert_eq!(memory.view(CONNECTING, false, at(61_100)), LinkView::Connecting);
        assert_eq!(memory.view(LinkState::Online, false, at(61_200)), LinkView::Online);
        // A later loss is again kept quiet at first.
        assert_eq!(memory.view(WAITING, false, at(70_000)), LinkView::Online);
    }

    #[test]
    fn no_network_and_an_ended_session_show_at_once() {
        let mut memory = LinkMemory::default();
        memory.view(LinkState::Online, false, at(0));
        assert_eq!(memory.view(LinkState::Offline, false, at(1)), LinkView::NoInternet);
        assert_eq!(memory.view(LinkState::Closed { reason: Ended::SignedOut }, false, at(2)), LinkView::Ended);
        let full = Ended::ByServer(CloseReason::TooManyConnections);
        assert_eq!(memory.view(LinkState::Closed { reason: full }, false, at(3)), LinkView::Stopped);
    }
}
