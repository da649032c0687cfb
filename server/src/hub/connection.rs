//! One open socket, as far as the protocol goes.
//!
//! Owns what a connection is: its greeting, the groups it follows, its strikes, its token's end. The socket feeds it
//! with what the client says ([`Connection::receive`]) and with time ([`Connection::tick`]), and writes out what lies
//! in its [`Mailbox`]. Dropping it leaves all groups. It never touches the socket and never waits for the client.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use caravana_protocol::codec::DecodeError;
use caravana_protocol::limits::{HEARTBEAT_MS, SUBPROTOCOL};
use caravana_protocol::{
    AuthExpiring, CloseReason, Cursor, ErrorCode, GroupId, Heartbeat, Hello, Incoming, LeftReason, Limits, ServerFrame,
    Timestamp, WireError,
};
use futures::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::answers::Answers;
use super::catch_up::CatchUp;
use super::mailbox::Mailbox;
use super::peer::Peer;
use super::typing_taken::TypingTaken;
use super::{Hub, Scope};
use crate::frame::Outgoing;
use crate::metrics;
use crate::store::{LAST_SECOND, Proof};

/// Frames that can't be read or carried out which a connection may send in [`STRIKES_WINDOW`].
const STRIKES: usize = 10;
const STRIKES_WINDOW: Duration = Duration::from_mins(1);
/// How long before a token's end the client is told.
const EXPIRY_WARNING: Duration = Duration::from_mins(1);
/// How long after a token's end it is still good, for clocks that differ.
const EXPIRY_LEEWAY: Duration = Duration::from_secs(30);
/// An end further away than this is none: no socket lives for a year, and monotonic time ends before a token's may.
const EXPIRY_WATCHED: Duration = Duration::from_hours(366 * 24);
/// Period of `heartbeat` frames.
const HEARTBEAT: Duration = Duration::from_millis(HEARTBEAT_MS);

/// One open socket.
pub struct Connection {
    pub(super) hub: Arc<Hub>,
    pub(super) peer: Arc<Peer>,
    /// The followed groups, and which stream of each is the present one.
    pub(super) groups: BTreeMap<GroupId, u64>,
    next_stream: u64,
    /// The stream that was asked for last, until it has begun.
    beginning: Option<oneshot::Receiver<()>>,
    answers: Answers,
    strikes: VecDeque<Instant>,
    pub(super) typing_taken: TypingTaken,
    next_heartbeat: Instant,
    expiry: Option<Expiry>,
}

/// The end of a token.
struct Expiry {
    warn_at: Instant,
    close_at: Instant,
    shown: Timestamp,
    warned: bool,
}

impl Connection {
    pub(super) fn new(hub: Arc<Hub>, peer: Arc<Peer>, expires_at: Option<i64>) -> Self {
        metrics::opened();
        Self {
            hub,
            peer,
            groups: BTreeMap::new(),
            next_stream: 0,
            beginning: None,
            answers: Answers::new(),
            strikes: VecDeque::new(),
            typing_taken: TypingTaken::default(),
            next_heartbeat: Instant::now() + HEARTBEAT,
            expiry: expires_at.map(Expiry::new),
        }
    }

    /// Says hello, and on the endpoint of one group joins it.
    pub(super) fn greet(&mut self, scope: Scope) {
        self.push(&ServerFrame::Hello(Hello {
            protocol: SUBPROTOCOL.into(),
            connection_id: self.peer.id,
            user_id: self.peer.user,
            server_time: now(),
            heartbeat_ms: HEARTBEAT_MS,
            limits: Limits::default(),
            build: self.hub.settings.build.clone(),
        }));
        if let Scope::Group(group, cursor) = scope {
            self.follow(group, cursor, None);
        }
    }

    /// The mailbox, for the loop that writes while this connection is being read for.
    #[must_use]
    pub fn peer(&self) -> Arc<Peer> {
        Arc::clone(&self.peer)
    }

    /// Where its frames wait to be written.
    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.peer.mailbox
    }

    /// Waits until the next message of the client may be carried out, or the connection ends: the stream that was asked for
    /// has begun, there is room for answers, not too much is under way, and not too much was said in too short a time. Until
    /// then it is better left unread, where it holds up nobody but its sender. Cancel safe.
    pub async fn is_ready(&mut self) {
        if let Some(beginning) = &mut self.beginning {
            // The sender is dropped, never used.
            let _ = beginning.await;
            self.beginning = None;
        }
        self.answers.have_a_place().await;
        self.peer.mailbox.takes_answers().await;
        self.peer.pace.allows().await;
    }

    /// Carries out one frame of the client, when it is ready to. What its transport could not read as one is refused with its
    /// own word. Answers go into the mailbox.
    pub async fn receive(&mut self, frame: Result<Incoming, DecodeError>) {
        self.is_ready().await;
        metrics::received();
        self.peer.pace.charge(Instant::now());
        match frame {
            Ok(Incoming { frame, own_reference, reference }) => {
                if let Err(error) = self.carry_out(frame, own_reference, reference.as_deref()).await {
                    self.refuse(WireError { reference, ..error });
                }
            }
            Err(error) => self.refuse(error.into()),
        }
    }

    /// Answers with an error; who sends broken frames again and again is closed.
    fn refuse(&mut self, error: WireError) {
        let strikes = matches!(error.code, Some(ErrorCode::BadJson | ErrorCode::BadRequest));
        self.answer(Box::pin(std::future::ready(ServerFrame::Error(error))));
        if strikes {
            let now = Instant::now();
            self.strikes.retain(|at| now.duration_since(*at) < STRIKES_WINDOW);
            self.strikes.push_back(now);
            if self.strikes.len() >= STRIKES {
                self.mailbox().close(CloseReason::Policy);
            }
        }
    }

    /// Gives an answer behind those to the frames before.
    pub(super) fn answer(&mut self, answer: BoxFuture<'static, ServerFrame>) {
        self.answers.give(&self.peer, &self.hub.tasks, answer);
    }

    fn push(&self, frame: &ServerFrame) {
        self.peer.mailbox.push(&Outgoing::server(frame));
    }

    /// Begins a stream of a group, afresh if there is one already.
    ///
    /// Frames behind a `subscribe` wait until `joined` or the refusal is in the mailbox, so that a client may send the next one
    /// at once and finds it carried out in the group.
    pub(super) fn follow(&mut self, group: GroupId, cursor: Option<Cursor>, reference: Option<String>) {
        self.next_stream += 1;
        let stream = self.next_stream;
        self.groups.insert(group, stream);
        self.hub.registry.enter(group, |state| state.enter(&self.peer, stream));
        let (hub, peer) = (Arc::clone(&self.hub), Arc::clone(&self.peer));
        let (begun, waiting) = oneshot::channel();
        self.beginning = Some(waiting);
        let begun = Mutex::new(Some(begun));
        self.hub.tasks.spawn(CatchUp { hub, peer, group, stream, cursor, reference, begun }.run());
    }

    /// Ends a stream because the client asked for it.
    pub(super) fn unfollow(&mut self, group: GroupId) {
        self.groups.remove(&group);
        self.hub.registry.with(group, |state| state.leave(self.peer.key, group));
        // Not behind the answers to earlier sends: it must come before the `joined` of a frame behind this one.
        self.peer.say_left(group, LeftReason::Asked);
    }

    /// Takes over a fresh token of the same user.
    pub(super) fn refresh(&mut self, proof: Proof) {
        self.expiry = proof.expires_at.map(Expiry::new);
        self.peer.rest_on(proof);
    }

    /// Does what is due at this moment and tells when it wants to be called again.
    pub fn tick(&mut self, now: Instant) -> Instant {
        if now >= self.next_heartbeat {
            self.next_heartbeat = now + HEARTBEAT;
            self.typing_taken.forget(now);
            self.heartbeat();
        }
        let mut due = self.next_heartbeat;
        if let Some(expiry) = &mut self.expiry {
            if now >= expiry.close_at {
                self.peer.mailbox.close(CloseReason::TokenExpired);
            } else if now >= expiry.warn_at && !expiry.warned {
                expiry.warned = true;
                let frame = ServerFrame::AuthExpiring(AuthExpiring { expires_at: expiry.shown });
                self.peer.mailbox.push(&Outgoing::server(&frame));
            }
            due = due.min(if expiry.warned { expiry.close_at } else { expiry.warn_at });
        }
        due
    }

    /// How far each followed group is. The transport asks its peer for a sign of life beside it, where it has a way to.
    fn heartbeat(&mut self) {
        let (registry, key) = (&self.hub.registry, self.peer.key);
        // Groups that this user was removed from are forgotten here.
        self.groups.retain(|group, stream| registry.with(*group, |state| state.has_stream(key, *stream)) == Some(true));
        let heads: BTreeMap<GroupId, u64> = self
            .groups
            .iter()
            .filter_map(|(group, stream)| {
                Some((*group, registry.with(*group, |state| state.live_head(key, *stream))??))
            })
            .collect();
        self.push(&ServerFrame::Heartbeat(Heartbeat { t: self::now(), heads }));
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        metrics::closed(self.peer.mailbox.closing().unwrap_or(CloseReason::Abnormal));
        self.peer.mailbox.abandon();
        for group in self.groups.keys() {
            self.hub.registry.with(*group, |state| state.leave(self.peer.key, *group));
        }
        self.hub.registry.remove(&self.peer);
    }
}

impl Expiry {
    /// Counted from the wall clock once, here: the token's own clock is another machine's wall clock.
    fn new(expires_at: i64) -> Self {
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(expires_at.clamp(0, LAST_SECOND).unsigned_abs());
        let (now, today) = (Instant::now(), SystemTime::now());
        let until = |moment: SystemTime| now + moment.duration_since(today).unwrap_or_default().min(EXPIRY_WATCHED);
        let shown = Timestamp::from_unix_micros(expires_at.clamp(0, LAST_SECOND) * 1_000_000);
        // A token that has ended lives on its leeway, and on no more of it than is left.
        Self { warn_at: until(end - EXPIRY_WARNING), close_at: until(end + EXPIRY_LEEWAY), shown, warned: false }
    }
}

/// The server's clock, for people to read.
pub(super) fn now() -> Timestamp {
    let micros = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros();
    Timestamp::from_unix_micros(i64::try_from(micros).unwrap_or(0))
}
