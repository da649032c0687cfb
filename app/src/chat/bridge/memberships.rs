//! Memberships that changed while nothing told of it.
//!
//! Frames tell of groups that are entered or left elsewhere, but only while there is a link: not between the rendering of the
//! page and its first link, and not while the network is away. So every new link asks once which groups there are.

use std::collections::HashSet;

use caravana_client::{LinkState, Session};
use caravana_protocol::rest::GroupsAnswer;
use caravana_protocol::{GroupId, UserId};
use leptos::prelude::*;

use super::Bridge;
use crate::chat::store::ChatStateStoreFields as _;
use crate::erase::slices;

impl Bridge {
    /// Compares the list with the server's, if there is a link now. Without an answer the next link is another attempt.
    pub(super) fn look_for_groups(self) {
        let Some(running) = self.running.try_get_value().flatten() else { return };
        if running.handle.with(Session::link) != LinkState::Online {
            return;
        }
        let (before, blocked, groups) = (self.listed_ids(), self.blocked_now(), running.api.0.groups());
        leptos::task::spawn_local(async move {
            let Ok(answer) = groups.await else { return };
            slices::when_done(move || {
                // What the reader or a frame has changed since the question is newer than the answer.
                if self.blocked_now() == blocked {
                    self.blocked_are(&answer.blocked);
                }
                self.take_groups(&before, &answer);
            });
        });
    }

    fn take_groups(self, before: &HashSet<GroupId>, answer: &GroupsAnswer) {
        let now = self.listed_ids();
        for group in answer.groups.iter().filter(|group| !before.contains(&group.id) && !now.contains(&group.id)) {
            self.group_added(group);
        }
        // Nothing tells of a name that was changed while there was no link.
        for group in &answer.groups {
            self.peer_is_called(group);
        }
        let present: HashSet<GroupId> = answer.groups.iter().map(|group| group.id).collect();
        for gone in before.iter().filter(|id| now.contains(id) && !present.contains(id)) {
            self.group_left(*gone);
        }
    }

    fn blocked_now(self) -> Vec<UserId> {
        self.chat.blocked().try_get_untracked().unwrap_or_default().0
    }

    fn listed_ids(self) -> HashSet<GroupId> {
        self.listed.try_with_value(|listed| listed.iter().map(|group| group.id).collect()).unwrap_or_default()
    }
}
