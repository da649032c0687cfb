//! Soft state and revocations, here and between instances.
//!
//! [`Hub::signal`] carries a signal out on this instance and tells the others. What they tell is carried out in the same
//! way. Two things are told without it, where they happen: the presence of connections here, under the lock of their
//! group, and commits whose event was already delivered. Members on the same instance never wait for the broker, and
//! nothing here waits for the database.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use caravana_protocol::limits::TYPING_EXPIRY_MS;
use caravana_protocol::{CloseReason, UserId};
use caravana_store::SecretHash;
use futures::StreamExt as _;
use tokio::time::{Instant, sleep};

use super::broker::{Delivered, InstanceId, Revoked, Signal};
use super::group::Group;
use super::peer::Peer;
use super::{Hub, feed};

/// How long `typing` counts.
const TYPING_COUNTS: Duration = Duration::from_millis(TYPING_EXPIRY_MS);
/// How long presence on another instance counts. An instance that dies is forgotten after this time.
pub(super) const PRESENCE_COUNTS: Duration = Duration::from_secs(50);
/// The time over which the presence in all groups is repeated to other instances. With the pause between two rounds, two
/// repetitions may be lost.
const PRESENCE_AGAIN: Duration = Duration::from_secs(10);
/// How many groups are repeated at once: far fewer than signals may wait in a broker.
const PRESENCE_GROUPS: usize = 64;

impl Hub {
    /// Carries out a signal, and passes it to the other instances if it is news.
    pub fn signal(self: &Arc<Self>, signal: Signal) {
        if self.carry_out(None, &signal) {
            self.tell_others(|| signal);
        }
    }

    /// Passes a signal to the other instances, for what was already carried out here.
    pub(super) fn tell_others(&self, signal: impl FnOnce() -> Signal) {
        if self.broker.has_others() {
            self.broker.publish(signal());
        }
    }

    /// Carries out a signal, of another instance or of this one (`None`). Returns whether the others must be told.
    fn carry_out(self: &Arc<Self>, from: Option<InstanceId>, signal: &Signal) -> bool {
        match *signal {
            Signal::Hint(group, Some(seq)) => feed::hint(self, group, seq),
            Signal::Hint(group, None) => feed::nudge(self, group),
            Signal::Typing { group_id, user_id, is_typing } => {
                // Told after the group's lock is released: start and stop on two connections of one user may arrive in
                // the other order. Typing expires within seconds.
                let is_news = self.registry.with(group_id, |state| {
                    if is_typing {
                        state.start_typing(user_id, group_id, Instant::now() + TYPING_COUNTS)
                    } else {
                        state.stop_typing(user_id, group_id)
                    }
                });
                return is_news == Some(true);
            }
            Signal::Presence { group_id, ref users, is_complete } => {
                // The connections here are counted where they come and go.
                let Some(from) = from else { return true };
                let until = Instant::now() + PRESENCE_COUNTS;
                self.registry.with(group_id, |state| state.heard(group_id, from, users, is_complete, until));
            }
            Signal::Read { group_id, user_id, seq, is_shared } => {
                // A change that was committed since then counts.
                let lately = self.sharing_changes.of(user_id).map(|sharing| sharing.share_reads);
                let is_shared = lately.unwrap_or(is_shared);
                self.registry.with(group_id, |state| state.read(group_id, user_id, seq, is_shared));
            }
            // If the group is followed here, its log reports the change too. But the followers may leave before the log
            // is read.
            Signal::Member(group, user) => self.membership_changed(group, user),
            Signal::GroupDeleted(group, ref members) => {
                self.registry.with(group, |state| state.delete(group));
                for user in members {
                    self.membership_changed(group, *user);
                }
            }
            Signal::Closed { group_id, is_closed, members } => {
                self.registry.with(group_id, |state| state.set_closed(group_id, is_closed));
                for user in members {
                    self.membership_changed(group_id, user);
                }
            }
            Signal::Account(ref user) => self.account_changed(user),
            Signal::Revoked(user, revoked) => self.revoke(user, revoked),
            Signal::Renewed { user_id, session, renewed } => self.renew(user_id, session, renewed),
        }
        true
    }

    fn revoke(&self, user: UserId, revoked: Revoked) {
        let reason = match revoked {
            Revoked::All(reason) => reason,
            Revoked::AllBut(_) | Revoked::SignIn(_) | Revoked::Proof(_) => CloseReason::SessionRevoked,
        };
        let ends = |peer: &Peer| match revoked {
            Revoked::All(_) => true,
            Revoked::AllBut(kept) => !peer.is_of_cookie(kept),
            Revoked::SignIn(session) => peer.proof().session == Some(session),
            Revoked::Proof(ended) => peer.proof() == ended,
        };
        for peer in self.registry.of_user(user).iter().filter(|peer| ends(peer)) {
            peer.mailbox.close(reason);
        }
    }

    fn renew(&self, user: UserId, session: SecretHash, renewed: SecretHash) {
        for peer in self.registry.of_user(user) {
            peer.renew(session, renewed);
        }
    }
}

/// Carries out the signals of other instances.
pub(super) async fn follow_signals(hub: Arc<Hub>) {
    let mut signals = hub.broker.signals();
    loop {
        let delivered = tokio::select! {
            biased;
            () = hub.shutdown.cancelled() => return,
            delivered = signals.next() => delivered,
        };
        match delivered {
            Some(Delivered::Signal(from, signal)) => {
                hub.carry_out(Some(from), &signal);
            }
            Some(Delivered::Lost) => hub.lost_signals.notify_one(),
            None => return,
        }
    }
}

/// Repeats to other instances who is online here.
pub(super) async fn repeat_presence(hub: Arc<Hub>) {
    let repeating = async {
        loop {
            sleep(PRESENCE_AGAIN / 2).await;
            if !hub.broker.has_others() {
                continue;
            }
            let groups = hub.registry.followed();
            let parts = u32::try_from(groups.len().div_ceil(PRESENCE_GROUPS)).unwrap_or(u32::MAX).max(1);
            for part in groups.chunks(PRESENCE_GROUPS) {
                for group in part {
                    hub.registry.with(*group, Group::tell_presence_again);
                }
                sleep(PRESENCE_AGAIN / parts).await;
            }
        }
    };
    // The end of the server must not wait for the rest of a repetition.
    let _: Option<()> = hub.shutdown.run_until_cancelled(repeating).await;
}
