//! What the users share of themselves, as it is on this instance: with their connections, and for a while after a change.
//!
//! A connection knows what its user shares from its handshake, and a group from the store. Both may have been read just
//! before a change and be registered just after it. So a change is remembered longer than either takes, and overrides what
//! they have read.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use caravana_protocol::rest::{Sharing, User};
use caravana_protocol::{AccountChanged, ServerFrame, UserId};
use caravana_store::GroupState;
use tokio::time::Instant;

use super::Hub;
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

impl Hub {
    /// Tells a user's sockets that the user has another name or shares something else, and acts on what is shared now. The
    /// frame is short, so it does not wait for room.
    pub(super) fn account_changed(&self, user: &User) {
        let (id, sharing) = (user.id, user.sharing);
        // Noted first: whoever registers from here on reads it.
        self.sharing_changes.note(id, sharing);
        let frame = Outgoing::server(&ServerFrame::AccountChanged(AccountChanged { user: user.clone() }));
        for peer in self.registry.of_user(id) {
            peer.share(sharing);
            peer.mailbox.push(&frame);
        }
        for group in self.registry.followed() {
            self.registry.with(group, |state| {
                state.share_reads(group, id, sharing.share_reads);
                if !sharing.share_typing {
                    state.stop_typing(id, group);
                }
            });
        }
    }
}
