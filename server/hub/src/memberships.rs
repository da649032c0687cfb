//! Tells all sockets of a user that the user has entered or left a group.
//!
//! Owns the memberships that have changed and were not told yet. Each is read again from the store before it is told,
//! one after the other, so that the last frame a socket gets is the true state. A membership that can't be read, or for
//! which a socket has no room, is put aside and tried again; it does not block the others. A change of a user who is
//! not connected here is forgotten, and repeated changes are looked up once. So there is never more work than
//! memberships of connected users.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caravana_protocol::{Event, GroupAdded, GroupId, GroupRemoved, ServerFrame, UserId};
use caravana_store::StoreError;
use caravana_telemetry::{Seldom, causes};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::Hub;
use super::peer::Peer;
use crate::frame::Outgoing;

/// How long until a membership that could not be told is tried again, and how long a database that did not answer is
/// left alone.
const RETRY: Duration = Duration::from_millis(250);

type Membership = (GroupId, UserId);

/// The memberships that have changed since they were last looked up.
#[derive(Default)]
pub(super) struct Memberships {
    changed: Mutex<BTreeSet<Membership>>,
    some: Notify,
}

impl Memberships {
    fn note(&self, membership: Membership) {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).insert(membership);
        self.some.notify_one();
    }

    fn take(&self) -> BTreeSet<Membership> {
        std::mem::take(&mut *self.changed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The sockets of its user on which a membership must still be told.
enum Sockets {
    All,
    /// The sockets that had no room when it was told on the others.
    Only(BTreeSet<u64>),
}

impl Sockets {
    fn have(&self, peer: &Peer) -> bool {
        match self {
            Self::All => true,
            Self::Only(keys) => keys.contains(&peer.key),
        }
    }
}

impl Hub {
    /// Notes that a user entered a group, left it, or has a new role in it.
    pub(super) fn membership_changed(&self, group: GroupId, user: UserId) {
        if self.registry.is_connected(user) {
            self.memberships.note((group, user));
        }
    }

    /// Notes the membership that an event of a log has changed.
    pub(super) fn member_event(&self, event: &Event) {
        match event {
            Event::MemberJoined(joined) => self.membership_changed(joined.group_id, joined.user_id),
            Event::MemberLeft(left) => self.membership_changed(left.group_id, left.user_id),
            Event::NewMessage(_)
            | Event::MessageEdited(_)
            | Event::MessageDeleted(_)
            | Event::GroupUpdated(_)
            | Event::ReactionChanged(_)
            | Event::MessagePinned(_)
            | Event::MessageUnpinned(_)
            | Event::Other(_) => {}
        }
    }

    /// Looks up a membership and tells it. Returns the sockets on which it must still be told.
    async fn tell(&self, (group_id, user): Membership, sockets: Sockets) -> Option<Sockets> {
        let mut peers = self.registry.of_user(user);
        peers.retain(|peer| sockets.have(peer));
        if peers.is_empty() {
            return None;
        }
        // No socket has room, so a read would be wasted.
        if !peers.iter().any(|peer| peer.mailbox.has_room_for_answers()) {
            return Some(sockets);
        }
        let frame = match self.log.membership(group_id, user).await {
            Ok(Some(group)) => Outgoing::server(&ServerFrame::GroupAdded(GroupAdded { group: Box::new(group) })),
            Ok(None) => Outgoing::server(&ServerFrame::GroupRemoved(GroupRemoved { group_id })),
            Err(error) => {
                static UNREAD: Seldom = Seldom::new();
                if let Some(times) = UNREAD.happened() {
                    tracing::warn!(
                        error = %causes(&error),
                        times,
                        "a membership could not be read yet"
                    );
                }
                // `Failed` may concern only this row. Any other error concerns the whole database, which is left alone
                // for a while.
                if !matches!(error, StoreError::Failed(_)) {
                    sleep(RETRY).await;
                }
                return Some(sockets);
            }
        };
        // The frame holds the group's last message, which may be as large as a third of a mailbox.
        let full: BTreeSet<u64> =
            peers.iter().filter(|peer| !peer.mailbox.try_answer(&frame)).map(|peer| peer.key).collect();
        (!full.is_empty()).then_some(Sockets::Only(full))
    }
}

/// Looks up changed memberships and tells them. New changes are told at once, even while others wait to be tried again.
pub(super) async fn tell_memberships(hub: Arc<Hub>) {
    let mut later: BTreeMap<Membership, Sockets> = BTreeMap::new();
    let mut retry_at = Instant::now();
    loop {
        let is_due = tokio::select! {
            biased;
            () = hub.shutdown.cancelled() => return,
            () = sleep_until(retry_at), if !later.is_empty() => true,
            () = hub.memberships.some.notified() => false,
        };
        let mut now: BTreeMap<_, _> =
            hub.memberships.take().into_iter().map(|membership| (membership, Sockets::All)).collect();
        later.retain(|membership, _| !now.contains_key(membership));
        if is_due || later.is_empty() {
            now.append(&mut later);
            retry_at = Instant::now() + RETRY;
        }
        for (membership, sockets) in now {
            if let Some(untold) = hub.tell(membership, sockets).await {
                later.insert(membership, untold);
            }
            if hub.shutdown.is_cancelled() {
                return;
            }
        }
    }
}
