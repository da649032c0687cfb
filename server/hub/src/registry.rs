//! All connections, and the groups that are followed on this server, with their locks.
//!
//! Groups are divided into shards by id, so that two groups rarely wait for each other. All operations on one group run
//! under its shard's lock, as one step, without waiting for anything else. A group is kept only while it has a
//! follower.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use caravana_protocol::{GroupId, UserId};

use super::broker::{Broker, Signal};
use super::group::Group;
use super::peer::Peer;

/// Enough shards that the cores of a machine rarely wait for the same one.
const SHARDS: usize = 64;

/// How many users are in one signal of presence.
const PRESENCE_USERS: usize = 1_000;

/// Everything that is connected.
pub(super) struct Registry {
    /// Gets the presence of connections here, for the other instances.
    broker: Arc<dyn Broker>,
    groups: Vec<Mutex<BTreeMap<GroupId, Group>>>,
    peers: Mutex<BTreeMap<UserId, Vec<Arc<Peer>>>>,
}

impl Registry {
    pub(super) fn new(broker: Arc<dyn Broker>) -> Self {
        let groups = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { broker, groups, peers: Mutex::default() }
    }

    fn shard(&self, group: GroupId) -> MutexGuard<'_, BTreeMap<GroupId, Group>> {
        let index = usize::try_from(group.uuid().as_u128() % SHARDS as u128).unwrap_or(0);
        self.groups[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `act` on a followed group, and forgets the group if it has no follower afterwards. If it has changed how many
    /// connections somebody has to the group here, the other instances are told.
    pub(super) fn with<T>(&self, group: GroupId, act: impl FnOnce(&mut Group) -> T) -> Option<T> {
        let mut shard = self.shard(group);
        let entry = shard.get_mut(&group)?;
        let result = act(entry);
        entry.tell_everyone_if_lively_again(group);
        // Under the lock, so that the others hear the numbers in the order in which they changed.
        let (untold, is_all) = entry.take_untold();
        if !untold.is_empty() && self.broker.has_others() {
            for users in untold.chunks(PRESENCE_USERS) {
                let is_complete = is_all && users.len() == untold.len();
                self.broker.publish(Signal::Presence { group_id: group, users: users.to_vec(), is_complete });
            }
        }
        if entry.is_empty() {
            shard.remove(&group);
        }
        Some(result)
    }

    /// Runs `act` on a group, and creates its state if it has no follower yet.
    pub(super) fn enter<T>(&self, group: GroupId, act: impl FnOnce(&mut Group) -> T) -> T {
        act(self.shard(group).entry(group).or_default())
    }

    /// The groups that are followed here.
    pub(super) fn followed(&self) -> Vec<GroupId> {
        let lock = |shard: &Mutex<BTreeMap<GroupId, Group>>| {
            shard.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect::<Vec<_>>()
        };
        self.groups.iter().flat_map(lock).collect()
    }

    fn peers(&self) -> MutexGuard<'_, BTreeMap<UserId, Vec<Arc<Peer>>>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection, unless its user already has `most`. Returns whether it was added.
    pub(super) fn add(&self, peer: Arc<Peer>, most: usize) -> bool {
        let mut peers = self.peers();
        let own = peers.entry(peer.user).or_default();
        let fits = own.len() < most;
        if fits {
            own.push(peer);
        }
        fits
    }

    /// Forgets a connection.
    pub(super) fn remove(&self, peer: &Peer) {
        let mut peers = self.peers();
        if let Some(own) = peers.get_mut(&peer.user) {
            own.retain(|other| other.key != peer.key);
            if own.is_empty() {
                peers.remove(&peer.user);
            }
        }
    }

    /// The connections of one user.
    pub(super) fn of_user(&self, user: UserId) -> Vec<Arc<Peer>> {
        self.peers().get(&user).cloned().unwrap_or_default()
    }

    /// Whether a user has a connection here.
    pub(super) fn is_connected(&self, user: UserId) -> bool {
        self.peers().contains_key(&user)
    }

    /// All connections.
    pub(super) fn all(&self) -> Vec<Arc<Peer>> {
        self.peers().values().flatten().cloned().collect()
    }
}
