//! Conversations of two people, and whom the reader has blocked.

use caravana_protocol::UserId;
use caravana_protocol::rest::Group;
use leptos::prelude::*;
use reactive_stores::Patch as _;

use super::{Bridge, Dirty};
use crate::chat::lists;
use crate::chat::store::{ChatStateStoreFields as _, Whole};
use crate::ports::{ApiError, ApiFuture};

impl Bridge {
    /// Whether the reader has blocked this person. Reads the state, so that its caller follows it.
    #[must_use]
    pub fn has_blocked(self, user: UserId) -> bool {
        self.chat.blocked().try_read().is_some_and(|blocked| blocked.contains(&user))
    }

    /// Whose messages are folded in this group: in a conversation of two, nobody's.
    pub(super) fn folds(self, group: &Group) -> Vec<UserId> {
        let blocked = || self.chat.blocked().try_get_untracked().map(|blocked| blocked.0);
        group.kind.is_group().then(blocked).flatten().unwrap_or_default()
    }

    /// The server or another page told whom the reader has blocked.
    pub(super) fn blocked_are(self, blocked: &[UserId]) {
        let known = self.chat.blocked();
        if known.try_read_untracked().is_some_and(|known| *known.0 != *blocked) {
            known.patch(Whole(blocked.to_vec()));
        }
        let _ = self.open.try_update_value(|open| {
            if let Some(open) = open.as_mut() {
                open.blocked = self.folds(&open.group);
            }
        });
    }

    /// A conversation of two is called as the other person is now.
    pub(super) fn peer_is_called(self, group: &Group) {
        let Some(peer) = group.peer_id.filter(|_| !group.kind.is_group()) else { return };
        let differs = self.listed.try_update_value(|listing| listing.rename(group.id, peer, &group.name));
        let _ = self.open.try_update_value(|open| {
            let Some(open) = open.as_mut().filter(|open| open.group.id == group.id) else { return };
            open.log.rename(lists::name(group, self.words));
            open.group.name.clone_from(&group.name);
            open.names.insert(peer, group.name.clone());
            if let Some(member) = open.members.iter_mut().find(|member| member.user.id == peer) {
                member.user.display_name.clone_from(&group.name);
            }
        });
        if differs == Some(true) {
            self.mark(Dirty::everything);
        }
    }

    /// Blocks a person, or takes it back.
    #[must_use]
    pub fn block(self, user: UserId, on: bool) -> ApiFuture<()> {
        let Some(running) = self.running.try_get_value().flatten() else { return offline() };
        let answer = running.api.0.block(user, on);
        Box::pin(async move {
            answer.await?;
            // The socket says the same, and may be away.
            let before = self.chat.blocked().try_get_untracked().unwrap_or_default();
            let others = before.0.into_iter().filter(|known| *known != user);
            let now: Vec<UserId> = on.then_some(user).into_iter().chain(others).collect();
            self.blocked_are(&now);
            self.mark(Dirty::everything);
            Ok(())
        })
    }

    /// The conversation with a person, which is in the list from now on.
    #[must_use]
    pub fn open_direct(self, user: UserId) -> ApiFuture<Group> {
        let Some(running) = self.running.try_get_value().flatten() else { return offline() };
        let answer = running.api.0.open_direct(user);
        Box::pin(async move {
            let group = answer.await?;
            self.entered(&group);
            Ok(group)
        })
    }
}

fn offline<T: Send + 'static>() -> ApiFuture<T> {
    Box::pin(async { Err(ApiError::unreachable("no session")) })
}
