//! Soft state and revocations, here and between instances.
//!
//! [`Hub::signal`] is the single way in: it carries a signal out on this instance and tells the others. What they tell
//! is carried out in the same way. Members on the same instance never wait for the broker, and nothing depends on it
//! alone: logs are swept, presence is repeated and expires, sign-ins are looked up.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use caravana_protocol::limits::TYPING_EXPIRY_MS;
use caravana_protocol::{CloseReason, UserId};
use caravana_store::{Proof, SecretHash};
use futures::StreamExt as _;
use tokio::time::{Instant, sleep};

use super::broker::{Delivered, InstanceId, Revoked, Signal};
use super::group::Group;
use super::{Hub, feed};

/// How long `typing` counts.
const TYPING_COUNTS: Duration = Duration::from_millis(TYPING_EXPIRY_MS);
/// How long presence on another instance counts. An instance that dies is forgotten after this time.
pub(super) const PRESENCE_COUNTS: Duration = Duration::from_secs(50);
/// How often presence is repeated to other instances: two repetitions may be lost.
const PRESENCE_AGAIN: Duration = Duration::from_secs(15);

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
                let until = Instant::now() + TYPING_COUNTS;
                let is_news = self.registry.with(group_id, |state| {
                    if is_typing {
                        state.start_typing(user_id, group_id, until)
                    } else {
                        state.stop_typing(user_id, group_id)
                    }
                });
                return is_news == Some(true);
            }
            Signal::Presence { group_id, ref users } => {
                // The connections here are counted where they come and go.
                let Some(from) = from else { return true };
                let until = Instant::now() + PRESENCE_COUNTS;
                self.registry.with(group_id, |state| state.heard(group_id, from, users, until));
            }
            Signal::Read { group_id, user_id, seq } => {
                self.registry.with(group_id, |state| state.read(group_id, user_id, seq));
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
            Signal::Renamed(user, ref display_name) => self.renamed(user, display_name.clone()),
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
        let ends = |proof: &Proof| match revoked {
            Revoked::All(_) => true,
            Revoked::AllBut(kept) => !(proof.session == Some(kept) && proof.expires_at.is_none()),
            Revoked::SignIn(session) => proof.session == Some(session),
            Revoked::Proof(ended) => *proof == ended,
        };
        for peer in self.registry.of_user(user).iter().filter(|peer| ends(&peer.proof())) {
            peer.mailbox.close(reason);
        }
    }

    /// This does not apply to connections with a token or ticket that the sign-in asked for before.
    fn renew(&self, user: UserId, session: SecretHash, renewed: SecretHash) {
        for peer in self.registry.of_user(user) {
            let proof = peer.proof();
            if proof.session == Some(session) && proof.expires_at.is_none() {
                peer.rest_on(Proof { session: Some(renewed), ..proof });
            }
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
            Some(Delivered::Lost) => feed::look_at(&hub, &hub.registry.followed()).await,
            None => return,
        }
    }
}

/// Repeats to other instances who is online here.
pub(super) async fn repeat_presence(hub: Arc<Hub>) {
    loop {
        tokio::select! {
            biased;
            () = hub.shutdown.cancelled() => return,
            () = sleep(PRESENCE_AGAIN) => {}
        }
        if !hub.broker.has_others() {
            continue;
        }
        for group in hub.registry.followed() {
            hub.registry.with(group, Group::tell_presence_again);
        }
    }
}
