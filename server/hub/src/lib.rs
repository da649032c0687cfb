//! The hub: it carries frames from clients to the log, and events from the log to all followers.
//!
//! Owns all open connections of this process and the groups they follow. Promises: an acknowledgement and a delivery
//! come after the commit (idea 3); every follower sees a group's events in seq order, without a gap and without a
//! duplicate (G3, G5); a reader that stops reading does not affect the others (G7); nothing here waits for a socket.
//! The hub knows nothing about HTTP, databases or how bytes reach a socket. It receives a [`SharedLog`] and returns
//! [`Connection`]s, which the socket drives.

mod answers;
pub mod broker;
pub mod budgets;
mod catch_up;
mod clock;
mod command;
mod connection;
mod feed;
pub mod frame;
mod group;
mod mailbox;
mod memberships;
mod network;
mod pace;
mod peer;
mod registry;
#[cfg(test)]
mod samples;
mod sharing;
mod signals;
mod typing_taken;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use caravana_protocol::limits::TYPING_ACCEPT_MS;
use caravana_protocol::rest::Sharing;
use caravana_protocol::{CloseReason, ConnectionId, Cursor, GoingAway, GroupId, ServerFrame, UserId};
use caravana_store::{Proof, SecretHash, SharedLog};
use futures::future::BoxFuture;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

pub use connection::Connection;
pub use mailbox::{Mailbox, Next};
pub use network::Network;
pub use peer::Peer;
pub use writes::{Posted, WriteRefused};

use broker::Broker;
use budgets::{Buckets, BudgetSettings, Budgets, Rate};
use frame::Outgoing;
use memberships::Memberships;
use pace::Pace;
use registry::Registry;

/// How many streams may read the database at the same time while they begin.
const REPLAYS: usize = 4;
/// How many sends over the rate limit may be looked up at the same time, to find out whether they are repetitions.
const LOOKUPS: usize = 2;
/// How often a user may stop typing and start again within the time in which one `typing` is accepted. A user who
/// answers in short messages does this.
const TYPING_STARTS: u32 = 3;
/// The minimum time that `going_away` tells clients to wait before they reconnect.
const RETURN_AFTER: Duration = Duration::from_millis(500);

/// The hub. All code that deals with connections shares it.
pub struct Hub {
    log: SharedLog,
    broker: Arc<dyn Broker>,
    registry: Registry,
    settings: HubSettings,
    budgets: Budgets,
    /// Limits restarts of typing that follow each other too fast, by connection and group.
    typing_starts: Buckets<(u64, GroupId)>,
    memberships: Memberships,
    sharing_changes: sharing::Changes,
    untold_accounts: sharing::UntoldAccounts,
    /// Wakes the sweep, because signals of other instances may have been lost.
    lost_signals: Notify,
    /// Limits how many beginning streams read the database at once.
    replays: Semaphore,
    /// Limits how many lookups of possible repetitions run at once.
    lookups: Semaphore,
    next_key: AtomicU64,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

/// What an operator decides about the hub.
#[derive(Clone)]
pub struct HubSettings {
    /// Rate limits.
    pub budgets: BudgetSettings,
    /// Open sockets of one user.
    pub connections_per_user: usize,
    /// The period in which the heads of all followed groups are compared with the database, with a jitter of one fifth.
    pub sweep: Duration,
    /// Seeds the jitter only. Any number that differs between servers is fine.
    pub seed: u64,
    /// The name of this build, for `hello`.
    pub build: String,
    /// Checks a token from an `auth` frame.
    pub verify: VerifyToken,
}

/// Checks a token and returns its user and its expiry. May take some seconds when keys have to be fetched.
pub type VerifyToken = Arc<dyn Fn(String) -> BoxFuture<'static, Result<Caller, Unverified>> + Send + Sync>;

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unverified {
    /// The token is invalid.
    Refused,
    /// The token can't be checked at the moment.
    Later,
}

/// The user who opens a connection, as the upgrade has verified it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user_id: UserId,
    /// The credential that the connection depends on. The connection ends when the credential ends.
    pub proof: Proof,
    /// Whether the credential itself came with the request, and not a ticket that was made with it.
    pub is_direct: bool,
    /// What the user shares of themselves.
    pub sharing: Sharing,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The endpoint of one group. The connection joins the group at once, and is live from its head or from the cursor.
    /// The upgrade has checked that the user is a member.
    Group(GroupId, Option<Cursor>),
    /// The endpoint of many groups.
    Many,
}

impl Hub {
    /// Starts the hub and its tasks. The tasks end when `shutdown` is cancelled; the caller can wait for them with
    /// `tasks`.
    #[must_use]
    pub fn start(
        log: SharedLog,
        broker: Arc<dyn Broker>,
        settings: HubSettings,
        tasks: TaskTracker,
        shutdown: CancellationToken,
    ) -> Arc<Self> {
        let hub = Arc::new(Self {
            registry: Registry::new(Arc::clone(&broker)),
            broker,
            budgets: Budgets::new(&settings.budgets),
            typing_starts: Buckets::new(Rate::every(Duration::from_millis(TYPING_ACCEPT_MS), TYPING_STARTS)),
            memberships: Memberships::default(),
            sharing_changes: sharing::Changes::default(),
            untold_accounts: sharing::UntoldAccounts::default(),
            lost_signals: Notify::new(),
            replays: Semaphore::new(REPLAYS),
            lookups: Semaphore::new(LOOKUPS),
            next_key: AtomicU64::new(0),
            log,
            settings,
            tasks,
            shutdown,
        });
        hub.tasks.spawn(feed::follow_commits(Arc::clone(&hub), hub.log.commits()));
        hub.tasks.spawn(feed::sweep(Arc::clone(&hub)));
        hub.tasks.spawn(feed::expire_soft_state(Arc::clone(&hub)));
        hub.tasks.spawn(signals::follow_signals(Arc::clone(&hub)));
        hub.tasks.spawn(signals::repeat_presence(Arc::clone(&hub)));
        hub.tasks.spawn(memberships::tell_memberships(Arc::clone(&hub)));
        if !hub.log.tells_removals() {
            hub.tasks.spawn(feed::watch_members(Arc::clone(&hub)));
        }
        hub
    }

    /// Opens a connection. Its first frame is already in the mailbox, and on the endpoint of one group it is
    /// subscribed. A user with too many connections gets a connection that only closes, because a browser can't read a
    /// refused handshake.
    #[must_use]
    pub fn connect(self: &Arc<Self>, identity: &Caller, scope: Scope) -> Connection {
        let peer = Arc::new(Peer {
            key: self.next_key.fetch_add(1, Ordering::Relaxed),
            id: ConnectionId::new(Uuid::new_v4()),
            user: identity.user_id,
            proof: Mutex::new(identity.proof),
            is_direct: identity.is_direct,
            only: match scope {
                Scope::Group(group, _) => Some(group),
                Scope::Many => None,
            },
            sharing: Mutex::new(identity.sharing),
            mailbox: Mailbox::default(),
            pace: Pace::default(),
        });
        let fits = self.registry.add(Arc::clone(&peer), self.settings.connections_per_user);
        // It may have changed since the handshake read it.
        if let Some(sharing) = self.sharing_changes.of(peer.user) {
            peer.share(sharing);
        }
        let mut connection = Connection::new(Arc::clone(self), peer, identity.proof.expires_at);
        if fits {
            connection.greet(scope);
        } else {
            connection.mailbox().close(CloseReason::TooManyConnections);
        }
        connection
    }

    /// The rate limits, shared by sockets, requests and forms.
    #[must_use]
    pub fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    /// The users who are connected to a group, as a member sees it, and how many connections each of them has. Connections
    /// to other instances are known while the group is followed here.
    #[must_use]
    pub fn online(&self, group: GroupId, viewer: UserId) -> BTreeMap<UserId, u32> {
        self.registry.with(group, |state| state.online(viewer)).unwrap_or_default()
    }

    /// The cookie sign-ins that a user's open connections depend on.
    #[must_use]
    pub fn sessions_of(&self, user: UserId) -> BTreeSet<SecretHash> {
        self.registry.of_user(user).iter().filter_map(|peer| peer.proof().session).collect()
    }

    /// The credentials that the open connections depend on, without duplicates.
    #[must_use]
    pub fn proofs(&self) -> Vec<(UserId, Proof)> {
        let proofs: BTreeSet<_> = self.registry.all().iter().map(|peer| (peer.user, peer.proof())).collect();
        proofs.into_iter().collect()
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.registry.all().len()
    }

    /// Tells all connections that the server restarts, and closes them. The closes are spread over `window` so that the
    /// clients do not all reconnect at once.
    pub async fn drain(&self, window: Duration) {
        let peers = self.registry.all();
        let retry_after_ms = u64::try_from(RETURN_AFTER.as_millis()).unwrap_or(0);
        let frame = Outgoing::server(&ServerFrame::GoingAway(GoingAway { retry_after_ms }));
        for peer in &peers {
            peer.mailbox.push(&frame);
        }
        let start = tokio::time::Instant::now();
        let count = u32::try_from(peers.len()).unwrap_or(u32::MAX).max(1);
        for (index, peer) in (0..count).zip(&peers) {
            tokio::time::sleep_until(start + window * index / count).await;
            peer.mailbox.close(CloseReason::Restart);
        }
    }
}
