//! That a user is in a group or no longer, told to all of the user's sockets.
//!
//! Owns the memberships that have changed and were not looked up yet. Each is read once more from the store before anything
//! is said, one after the other, so that what a socket hears last is what is true. What does not matter to anybody who is
//! connected here is forgotten at once, and what comes again before it was looked up is looked up once: there is never more
//! to do than there are memberships of connected users.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caravana_protocol::rest::User;
use caravana_protocol::{AccountChanged, Event, GroupAdded, GroupId, GroupRemoved, ServerFrame, UserId};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::Hub;
use crate::frame::Frame;

/// How long a database that did not answer is left alone.
const RETRY: Duration = Duration::from_millis(250);

/// What has changed and was not told yet.
#[derive(Default)]
pub(super) struct Memberships {
    changed: Mutex<BTreeSet<(GroupId, UserId)>>,
    some: Notify,
}

impl Memberships {
    fn note(&self, group: GroupId, user: UserId) {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).insert((group, user));
        self.some.notify_one();
    }

    fn take(&self) -> Option<(GroupId, UserId)> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).pop_first()
    }
}

impl Hub {
    /// A user entered a group, left it, or has another role there.
    pub(super) fn membership_changed(&self, group: GroupId, user: UserId) {
        if self.registry.is_connected(user) {
            self.memberships.note(group, user);
        }
    }

    /// The memberships that an event of a log has changed.
    pub(super) fn member_event(&self, event: &Event) {
        match event {
            Event::MemberJoined(joined) => self.membership_changed(joined.group_id, joined.user_id),
            Event::MemberLeft(left) => self.membership_changed(left.group_id, left.user_id),
            Event::NewMessage(_) | Event::MessageEdited(_) | Event::MessageDeleted(_) | Event::GroupUpdated(_) => {}
        }
    }

    /// A user has another name.
    pub(super) fn renamed(&self, id: UserId, display_name: String) {
        let user = User { id, display_name, email: None };
        self.tell(id, &ServerFrame::AccountChanged(AccountChanged { user }));
    }

    /// Says something on all sockets of a user.
    fn tell(&self, user: UserId, frame: &ServerFrame) {
        let frame = Frame::server(frame);
        for peer in self.registry.of_user(user) {
            peer.mailbox.push(&frame);
        }
    }
}

/// Looks up what has changed, and tells it.
pub(super) async fn tell_memberships(hub: Arc<Hub>) {
    loop {
        tokio::select! {
            biased;
            () = hub.shutdown.cancelled() => return,
            () = hub.memberships.some.notified() => {}
        }
        while let Some((group_id, user)) = hub.memberships.take() {
            match hub.log.membership(group_id, user).await {
                Ok(Some(group)) => hub.tell(user, &ServerFrame::GroupAdded(GroupAdded { group })),
                Ok(None) => hub.tell(user, &ServerFrame::GroupRemoved(GroupRemoved { group_id })),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a membership could not be read yet");
                    hub.membership_changed(group_id, user);
                    sleep(RETRY).await;
                    if hub.shutdown.is_cancelled() {
                        return;
                    }
                }
            }
        }
    }
}
