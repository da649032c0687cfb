//! The stream of what our own commits did, from an adapter to the hub.

use std::sync::{Arc, Mutex};

use caravana_protocol::{GroupId, Message, UserId};
use tokio::sync::mpsc;

use super::Effect;

/// Commits whose effects wait to be passed on.
const COMMITS: usize = 64;

/// What a job tells the hub once it is committed.
#[derive(Default)]
pub(super) struct Effects(Vec<Effect>);

impl Effects {
    /// This message was stored.
    pub(super) fn message(&mut self, message: Message) {
        self.0.push(Effect::Message(message));
    }

    /// This group's log moved.
    pub(super) fn group(&mut self, group: GroupId) {
        self.0.push(Effect::Moved(group));
    }

    /// This user entered the group, left it, or has another role there; its log moved.
    pub(super) fn member(&mut self, group: GroupId, user: UserId) {
        self.group(group);
        self.0.push(Effect::Member(group, user));
    }

    /// This group ended; these were its members.
    pub(super) fn group_deleted(&mut self, group: GroupId, members: Vec<UserId>) {
        self.0.push(Effect::GroupDeleted(group, members));
    }

    /// This user has another name.
    pub(super) fn renamed(&mut self, user: UserId, display_name: String) {
        self.0.push(Effect::Renamed(user, display_name));
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets those that came after the first so many: what they tell of was undone.
    pub(super) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

/// Where effects go once somebody wants them. The stream is bounded, which paces the writers.
#[derive(Clone, Default)]
pub(super) struct Commits(Arc<Mutex<Option<mpsc::Sender<Vec<Effect>>>>>);

impl Commits {
    /// The effects of all commits from now on, in commit order. The first caller gets them.
    pub(super) fn take(&self) -> Option<mpsc::Receiver<Vec<Effect>>> {
        let mut sink = self.0.lock().ok()?;
        if sink.is_some() {
            return None;
        }
        let (sender, receiver) = mpsc::channel(COMMITS);
        *sink = Some(sender);
        Some(receiver)
    }

    /// Passes on what a commit did. Nobody may have been answered yet: whoever is may ask at once for what was written.
    pub(super) async fn tell(&self, effects: Effects) {
        let sink = self.0.lock().ok().and_then(|sink| sink.clone());
        if let Some(sink) = sink.filter(|_| !effects.0.is_empty()) {
            // A hub that is gone needs no hints.
            let _ = sink.send(effects.0).await;
        }
    }
}
