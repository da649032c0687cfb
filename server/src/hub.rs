//! The hub: from a client's frames to the log, and from the log to everybody who follows.
//!
//! Owns all open connections of this process and the groups they follow. Promises: an acknowledgement and a delivery
//! come after the commit (idea 3); every follower sees a group's events in seq order, without a hole or a repeat
//! (G3, G5); whoever stops reading changes nothing for the others (G7); nothing here waits for a socket. Knows nothing
//! of HTTP, of any database or of how bytes reach a socket: it is given a [`SharedLog`] and hands out
//! [`Connection`]s, which the socket drives.

mod answers;
mod catch_up;
mod command;
mod connection;
mod feed;
mod group;
mod mailbox;
mod memberships;
mod peer;
mod registry;
#[cfg(test)]
mod samples;
mod typing_taken;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use caravana_protocol::limits::TYPING_ACCEPT_MS;
use caravana_protocol::{CloseReason, ConnectionId, Cursor, GoingAway, GroupId, ServerFrame, UserId};
use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

pub use connection::Connection;
pub use mailbox::{Mailbox, Next};
pub use peer::Peer;
pub use writes::{Posted, WriteRefused};

use crate::budgets::{Buckets, BudgetSettings, Budgets, Rate};
use crate::frame::Outgoing;
use crate::store::{Proof, SecretHash, SharedLog};
use answers::Pace;
use memberships::Memberships;
use registry::Registry;

/// Streams whose beginnings read the database at the same time.
const REPLAYS: usize = 4;
/// Sends over the limit that are looked up at the same time: whether they are repetitions.
const LOOKUPS: usize = 2;
/// How often somebody may stop typing and begin again within the time in which one `typing` is taken: who answers in short messages does.
const TYPING_STARTS: u32 = 3;
/// What `going_away` tells clients to wait, at least.
const RETURN_AFTER: Duration = Duration::from_millis(500);

/// The hub. Shared by everything that has to do with connections.
pub struct Hub {
    log: SharedLog,
    registry: Registry,
    settings: HubSettings,
    budgets: Budgets,
    /// Beginnings of typing that follow each other too fast, by connection and group.
    typing_starts: Buckets<(u64, GroupId)>,
    memberships: Memberships,
    /// Turns for what the beginnings of streams read.
    replays: Semaphore,
    /// Turns for looking up whether a send over the limit is a repetition.
    lookups: Semaphore,
    next_key: AtomicU64,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

/// What an operator decides about the hub.
#[derive(Clone)]
pub struct HubSettings {
    /// How often somebody may do something.
    pub budgets: BudgetSettings,
    /// Open sockets of one user.
    pub connections_per_user: usize,
    /// How often the heads of all followed groups are compared with the database, give or take a fifth.
    pub sweep: Duration,
    /// Decides about jitter only; any number that differs between servers will do.
    pub seed: u64,
    /// This build, for `hello`.
    pub build: String,
    /// Checks a token that comes in an `auth` frame.
    pub verify: VerifyToken,
}

/// Checks a token: whose it is and until when. May take some seconds, when keys have to be fetched.
pub type VerifyToken = Arc<dyn Fn(String) -> BoxFuture<'static, Result<Identity, Unverified>> + Send + Sync>;

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unverified {
    /// It is not good.
    Refused,
    /// It can't be told now.
    Later,
}

/// Who opens a connection, as the upgrade has found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Who.
    pub user_id: UserId,
    /// With what the connection ends.
    pub proof: Proof,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The endpoint of one group: joined at once, live from its head or from the cursor. The upgrade has checked that
    /// the user is a member.
    Group(GroupId, Option<Cursor>),
    /// The endpoint of many groups.
    Many,
}

impl Hub {
    /// Starts the hub and its tasks. They end when `shutdown` is cancelled, and `tasks` can be waited for.
    #[must_use]
    pub fn start(log: SharedLog, settings: HubSettings, tasks: TaskTracker, shutdown: CancellationToken) -> Arc<Self> {
        let hub = Arc::new(Self {
            registry: Registry::new(),
            budgets: Budgets::new(&settings.budgets),
            typing_starts: Buckets::new(Rate::every(Duration::from_millis(TYPING_ACCEPT_MS), TYPING_STARTS)),
            memberships: Memberships::default(),
            replays: Semaphore::new(REPLAYS),
            lookups: Semaphore::new(LOOKUPS),
            next_key: AtomicU64::new(0),
            log,
            settings,
            tasks,
            shutdown,
        });
        if let Some(commits) = hub.log.take_commits() {
            hub.tasks.spawn(feed::follow_commits(Arc::clone(&hub), commits));
        }
        hub.tasks.spawn(feed::sweep(Arc::clone(&hub)));
        hub.tasks.spawn(feed::expire_typing(Arc::clone(&hub)));
        hub.tasks.spawn(memberships::tell_memberships(Arc::clone(&hub)));
        if !hub.log.tells_removals() {
            hub.tasks.spawn(feed::watch_members(Arc::clone(&hub)));
        }
        hub
    }

    /// Opens a connection: its first frame waits in the mailbox already, and on the endpoint of one group it is
    /// subscribed. A user with too many connections gets one that only closes, because a browser can't read a refused
    /// handshake.
    #[must_use]
    pub fn connect(self: &Arc<Self>, identity: &Identity, scope: Scope) -> Connection {
        let peer = Arc::new(Peer {
            key: self.next_key.fetch_add(1, Ordering::Relaxed),
            id: ConnectionId::new(Uuid::new_v4()),
            user: identity.user_id,
            proof: Mutex::new(identity.proof),
            only: match scope {
                Scope::Group(group, _) => Some(group),
                Scope::Many => None,
            },
            mailbox: Mailbox::default(),
            pace: Pace::default(),
        });
        let fits = self.registry.add(Arc::clone(&peer), self.settings.connections_per_user);
        let mut connection = Connection::new(Arc::clone(self), peer, identity.proof.expires_at);
        if fits {
            connection.greet(scope);
        } else {
            connection.mailbox().close(CloseReason::TooManyConnections);
        }
        connection
    }

    /// How often somebody may do something, by whatever way they come.
    #[must_use]
    pub fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    /// The users who are connected to a group here, and how many connections each has.
    #[must_use]
    pub fn online(&self, group: GroupId) -> BTreeMap<UserId, u32> {
        self.registry.with(group, |state| state.online()).unwrap_or_default()
    }

    /// Closes all connections of a user.
    pub fn close_user(&self, user: UserId, reason: CloseReason) {
        self.close_where(user, reason, |_| true);
    }

    /// Closes all connections of a user but those of this sign-in itself: a token that it asked for goes, too.
    pub fn close_others(&self, user: UserId, kept: SecretHash) {
        let is_kept = |proof: &Proof| proof.session == Some(kept) && proof.expires_at.is_none();
        self.close_where(user, CloseReason::SessionRevoked, |proof| !is_kept(proof));
    }

    /// Closes the connections that one sign-in has opened, by its cookie or by a ticket or token that it asked for.
    pub fn close_session(&self, user: UserId, session: SecretHash) {
        self.close_where(user, CloseReason::SessionRevoked, |proof| proof.session == Some(session));
    }

    /// The sign-in has another secret now: connections that rest on it rest on that. A token or ticket that it asked for
    /// before is none of them.
    pub fn renew_session(&self, user: UserId, session: SecretHash, renewed: SecretHash) {
        for peer in self.registry.of_user(user) {
            let proof = peer.proof();
            if proof.session == Some(session) && proof.expires_at.is_none() {
                peer.rest_on(Proof { session: Some(renewed), ..proof });
            }
        }
    }

    /// Closes the connections that rest on this.
    pub fn close_proof(&self, user: UserId, ended: Proof) {
        self.close_where(user, CloseReason::SessionRevoked, |proof| *proof == ended);
    }

    fn close_where(&self, user: UserId, reason: CloseReason, ends: impl Fn(&Proof) -> bool) {
        for peer in self.registry.of_user(user).iter().filter(|peer| ends(&peer.proof())) {
            peer.mailbox.close(reason);
        }
    }

    /// The sign-ins by cookie that a user's open connections rest on.
    #[must_use]
    pub fn sessions_of(&self, user: UserId) -> BTreeSet<SecretHash> {
        self.registry.of_user(user).iter().filter_map(|peer| peer.proof().session).collect()
    }

    /// What the open connections rest on, each once.
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

    /// Tells all connections that the server restarts and closes them, spread over `window` so that they do not all
    /// come back at once.
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
