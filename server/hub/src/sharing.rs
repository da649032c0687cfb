//! What the users share of themselves, as it is on this instance: with their connections, and for a while after a change.
//!
//! Also tells a user's sockets of the user's account, where they have room.
//!
//! A connection knows what its user shares from its handshake, and a group from the store. Both may have been read just
//! before a change and be registered just after it. So a change is remembered longer than either takes, and overrides what
//! they have read.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use caravana_protocol::rest::{Sharing, User};
use caravana_protocol::{AccountChanged, ServerFrame, UserId};
use caravana_store::GroupState;
use tokio::time::Instant;

use super::Hub;
use super::peer::Peer;
use crate::frame::Outgoing;

/// Longer than a handshake and a read of the store take.
const REMEMBERED: Duration = Duration::from_mins(2);

/// The latest changes of what users share.
#[derive(Default)]
pub(super) struct Changes(Mutex<BTreeMap<UserId, (Sharing, Instant)>>);

impl Changes {
    /// The budget of changes bounds how many are remembered.
    fn note(&self, user: UserId, sharing: Sharing) {
        let now = Instant::now();
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changes.retain(|_, (_, at)| now.duration_since(*at) < REMEMBERED);
        changes.insert(user, (sharing, now));
    }

    /// What a user shares, if that changed lately.
    pub(super) fn of(&self, user: UserId) -> Option<Sharing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&user).map(|(sharing, _)| *sharing)
    }

    /// Puts the changes into the state of a group that was read from the store. Call it under the group's lock.
    pub(super) fn put_into(&self, mut state: GroupState) -> GroupState {
        let changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (user, (sharing, _)) in changes.iter().filter(|(user, _)| state.members.contains(*user)) {
            if sharing.share_reads {
                state.hidden.remove(user);
            } else {
                state.hidden.insert(*user);
            }
        }
        state
    }
}

/// The latest frame about an account, and the sockets of its user that had no room for it. With a thousand blocked people
/// it has 40 kB, and a user may block many in a minute. An earlier frame that still waits is replaced, so there is at most
/// one for each user with a full socket.
#[derive(Default)]
pub(super) struct UntoldAccounts(Mutex<BTreeMap<UserId, (Outgoing, BTreeSet<u64>)>>);

impl UntoldAccounts {
    fn all(&self) -> MutexGuard<'_, BTreeMap<UserId, (Outgoing, BTreeSet<u64>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells these sockets. Returns those without room.
fn tell<'p>(peers: impl Iterator<Item = &'p Arc<Peer>>, frame: &Outgoing) -> BTreeSet<u64> {
    peers.filter(|peer| !peer.mailbox.try_answer(frame)).map(|peer| peer.key).collect()
}

impl Hub {
    /// Tells a user's sockets that the user has another name, shares something else or has blocked others, and acts on what
    /// is shared now.
    pub(super) fn account_changed(&self, user: &User) {
        let (id, sharing) = (user.id, user.sharing);
        // Noted first: whoever registers from here on reads it.
        self.sharing_changes.note(id, sharing);
        let frame = Outgoing::server(&ServerFrame::AccountChanged(AccountChanged { user: user.clone() }));
        let peers = self.registry.of_user(id);
        for peer in &peers {
            peer.share(sharing);
        }
        // Held while the frame is put in, so that an earlier one never comes after it.
        let mut untold = self.untold_accounts.all();
        untold.remove(&id);
        let full = tell(peers.iter(), &frame);
        if !full.is_empty() {
            untold.insert(id, (frame, full));
        }
        drop(untold);
        for group in self.registry.followed() {
            self.registry.with(group, |state| {
                state.share_reads(group, id, sharing.share_reads);
                if !sharing.share_typing {
                    state.stop_typing(id, group);
                }
            });
        }
    }
    /// Tells the sockets that had no room. Those that are gone are forgotten.
    pub(super) fn tell_accounts_again(&self) {
        self.untold_accounts.all().retain(|user, (frame, keys)| {
            let peers = self.registry.of_user(*user);
            *keys = tell(peers.iter().filter(|peer| keys.contains(&peer.key)), frame);
            !keys.is_empty()
        });
    }
}
