//! One open connection at the protocol level.
//!
//! Owns the state of a connection: its greeting, the groups it follows, its strikes, the expiry of its token. The
//! socket passes the client's frames to [`Connection::receive`], calls [`Connection::tick`] as time passes, and writes
//! out the frames in its [`Mailbox`]. Dropping the connection leaves all groups. It never touches the socket and never
//! waits for the client.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use caravana_protocol::codec::DecodeError;
use caravana_protocol::limits::{HEARTBEAT_MS, SUBPROTOCOL};
use caravana_protocol::{
    AuthExpiring, CloseReason, Cursor, ErrorCode, GroupId, Heartbeat, Hello, Incoming, LeftReason, Limits, ServerFrame,
    Timestamp, WireError,
};
use caravana_store::{LAST_SECOND, Proof};
use caravana_telemetry::metrics;
use futures::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::answers::Answers;
use super::catch_up::CatchUp;
use super::clock::wall_clock;
use super::mailbox::Mailbox;
use super::peer::Peer;
use super::typing_taken::TypingTaken;
use super::{Hub, Scope};
use crate::frame::Outgoing;

/// How many frames that can't be read or carried out a connection may send in [`STRIKES_WINDOW`].
const STRIKES: usize = 10;
const STRIKES_WINDOW: Duration = Duration::from_mins(1);
/// How long before the token expires the client is warned.
const EXPIRY_WARNING: Duration = Duration::from_mins(1);
/// How long after its expiry a token still counts as valid, because clocks differ.
const EXPIRY_LEEWAY: Duration = Duration::from_secs(30);
/// A longer expiry is cut to this. No socket lives for a year, and a token may name a time that monotonic time can't
/// represent.
const EXPIRY_WATCHED: Duration = Duration::from_hours(366 * 24);
/// Period of `heartbeat` frames.
const HEARTBEAT: Duration = Duration::from_millis(HEARTBEAT_MS);

/// One open socket.
pub struct Connection {
    pub(super) hub: Arc<Hub>,
    pub(super) peer: Arc<Peer>,
    /// The followed groups, each with the number of its current stream.
    pub(super) groups: BTreeMap<GroupId, u64>,
    next_stream: u64,
    /// Set while the stream that was requested last has not yet begun.
    beginning: Option<oneshot::Receiver<()>>,
    answers: Answers,
    strikes: VecDeque<Instant>,
    pub(super) typing_taken: TypingTaken,
    next_heartbeat: Instant,
    expiry: Option<Expiry>,
}

/// The expiry of a token.
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

    /// Sends `hello`, and joins the group on the endpoint of one group.
    pub(super) fn greet(&mut self, scope: Scope) {
        self.push(&ServerFrame::Hello(Hello {
            protocol: SUBPROTOCOL.into(),
            connection_id: self.peer.id,
            user_id: self.peer.user,
            server_time: wall_clock(),
            heartbeat_ms: HEARTBEAT_MS,
            limits: Limits::default(),
            build: self.hub.settings.build.clone(),
        }));
        if let Scope::Group(group, cursor) = scope {
            self.follow(group, cursor, None);
        }
    }

    /// The peer, which holds the mailbox: the loop that writes needs it while another loop reads for this connection.
    #[must_use]
    pub fn peer(&self) -> Arc<Peer> {
        Arc::clone(&self.peer)
    }

    /// The queue of frames that wait to be written.
    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.peer.mailbox
    }

    /// Waits until the next message of the client may be carried out, or the connection ends. Four conditions must
    /// hold: the stream that was requested last has begun, the mailbox has room for answers, not too many answers are
    /// pending, and the client is within its frame rate. Until then the message should stay unread in the socket, where
    /// it blocks only its sender. Cancel safe.
    pub async fn is_ready(&mut self) {
        if let Some(beginning) = &mut self.beginning {
            // The sender is only ever dropped; it never sends a value.
            let _ = beginning.await;
            self.beginning = None;
        }
        self.answers.have_a_place().await;
        self.peer.mailbox.takes_answers().await;
        self.peer.pace.allows().await;
    }

    /// Carries out one frame of the client as soon as [`Connection::is_ready`] returns. A frame that the transport
    /// could not decode is refused with the decoder's error. Answers go into the mailbox.
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

    /// Answers with an error. A client that repeatedly sends broken frames is disconnected.
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

    /// Queues an answer behind the answers to earlier frames.
    pub(super) fn answer(&mut self, answer: BoxFuture<'static, ServerFrame>) {
        self.answers.give(&self.peer, &self.hub.tasks, answer);
    }

    fn push(&self, frame: &ServerFrame) {
        self.peer.mailbox.push(&Outgoing::server(frame));
    }

    /// Begins a stream of a group. An existing stream of the same group is replaced.
    ///
    /// Frames after a `subscribe` wait until `joined` or the refusal is in the mailbox. So a client may send the next
    /// frame at once, and the server carries it out when the group is joined.
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
        // This does not wait for the answers to earlier sends: `left` must come before the `joined` of a later frame.
        self.peer.say_left(group, LeftReason::Asked);
    }

    /// Uses a new token of the same user.
    pub(super) fn refresh(&mut self, proof: Proof) {
        self.expiry = proof.expires_at.map(Expiry::new);
        self.peer.rest_on(proof);
    }

    /// Does what is due now, and returns when it wants to be called again.
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

    /// Sends the head of each followed group. A transport that has its own way to ask its peer for a sign of life does
    /// so with the same frame.
    fn heartbeat(&mut self) {
        let (registry, key) = (&self.hub.registry, self.peer.key);
        // Forgets the groups from which this user was removed.
        self.groups.retain(|group, stream| registry.with(*group, |state| state.has_stream(key, *stream)) == Some(true));
        let heads: BTreeMap<GroupId, u64> = self
            .groups
            .iter()
            .filter_map(|(group, stream)| {
                Some((*group, registry.with(*group, |state| state.live_head(key, *stream))??))
            })
            .collect();
        self.push(&ServerFrame::Heartbeat(Heartbeat { t: wall_clock(), heads }));
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
    /// Reads the wall clock only once, here: the token's expiry comes from another machine's wall clock.
    fn new(expires_at: i64) -> Self {
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(expires_at.clamp(0, LAST_SECOND).unsigned_abs());
        let (now, today) = (Instant::now(), SystemTime::now());
        let until = |moment: SystemTime| now + moment.duration_since(today).unwrap_or_default().min(EXPIRY_WATCHED);
        let shown = Timestamp::from_unix_micros(expires_at.clamp(0, LAST_SECOND) * 1_000_000);
        // An expired token is valid only for the rest of its leeway.
        Self { warn_at: until(end - EXPIRY_WARNING), close_at: until(end + EXPIRY_LEEWAY), shown, warned: false }
    }
}
