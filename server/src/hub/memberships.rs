//! That a user is in a group or no longer, told to all of the user's sockets.
//!
//! Owns the memberships that have changed and were not told yet. Each is read once more from the store before anything
//! is said, one after the other, so that what a socket hears last is what is true. What can't be read, or has no room on a
//! socket, waits aside and is tried again, and holds up no other. What does not matter to anybody who is connected here is
//! forgotten, and what comes again before it was looked up is looked up once: there is never more to do than there are
//! memberships of connected users.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caravana_protocol::rest::User;
use caravana_protocol::{AccountChanged, Event, GroupAdded, GroupId, GroupRemoved, ServerFrame, UserId};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::Hub;
use super::peer::Peer;
use crate::frame::Outgoing;
use crate::store::StoreError;
use crate::telemetry::{Seldom, causes};

/// After how long what could not be told is tried again, and how long a database that did not answer is left alone.
const RETRY: Duration = Duration::from_millis(250);

type Membership = (GroupId, UserId);

/// What has changed since it was looked up last.
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

/// On which sockets of its user a membership has yet to be told.
enum Sockets {
    All,
    /// Those that had no room when it was told on the others.
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
    /// A user entered a group, left it, or has another role there.
    pub(super) fn membership_changed(&self, group: GroupId, user: UserId) {
        if self.registry.is_connected(user) {
            self.memberships.note((group, user));
        }
    }

    /// The memberships that an event of a log has changed.
    pub(super) fn member_event(&self, event: &Event) {
        match event {
            Event::MemberJoined(joined) => self.membership_changed(joined.group_id, joined.user_id),
            Event::MemberLeft(left) => self.membership_changed(left.group_id, left.user_id),
            Event::NewMessage(_)
            | Event::MessageEdited(_)
            | Event::MessageDeleted(_)
            | Event::GroupUpdated(_)
            | Event::Other(_) => {}
        }
    }

    /// A user has another name. The frame is short, and tells what happened.
    pub(super) fn renamed(&self, id: UserId, display_name: String) {
        let user = User { id, display_name, email: None };
        let frame = Outgoing::server(&ServerFrame::AccountChanged(AccountChanged { user }));
        for peer in self.registry.of_user(id) {
            peer.mailbox.push(&frame);
        }
    }

    /// Looks a membership up and tells it. Answers on which sockets it has yet to be told.
    async fn tell(&self, (group_id, user): Membership, sockets: Sockets) -> Option<Sockets> {
        let mut peers = self.registry.of_user(user);
        peers.retain(|peer| sockets.have(peer));
        if peers.is_empty() {
            return None;
        }
        // Nobody could be told what was read.
        if !peers.iter().any(|peer| peer.mailbox.has_room_for_answers()) {
            return Some(sockets);
        }
        let frame = match self.log.membership(group_id, user).await {
            Ok(Some(group)) => Outgoing::server(&ServerFrame::GroupAdded(GroupAdded { group })),
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
                // A failure may be of this one row; all else is the database's.
                if !matches!(error, StoreError::Failed(_)) {
                    sleep(RETRY).await;
                }
                return Some(sockets);
            }
        };
        // A group comes with its last message, which may be as large as a third of a mailbox.
        let full: BTreeSet<u64> =
            peers.iter().filter(|peer| !peer.mailbox.try_answer(&frame)).map(|peer| peer.key).collect();
        (!full.is_empty()).then_some(Sockets::Only(full))
    }
}

/// Looks up what has changed, and tells it. What is new is told at once, whatever waits to be tried again.
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
