//! The stream of what our own commits did, from an adapter to the hub.

use std::sync::{Arc, Mutex};

use caravana_protocol::{Event, GroupId, MessageId, UserId};
use tokio::sync::mpsc;

use super::Effect;

/// Commits whose effects wait to be passed on.
const COMMITS: usize = 64;

/// What a job tells the hub once it is committed.
#[derive(Debug, Default)]
pub struct Effects(Vec<Effect>);

impl Effects {
    /// This was added to its group's log. What a deletion takes away is not delivered any more, either: an event of the same
    /// transaction shows the message as it is at the commit.
    pub fn event(&mut self, event: Event) {
        if let Event::MessageDeleted(deleted) = &event {
            self.blank(deleted.message.id);
        }
        self.0.push(Effect::Event(event));
    }

    fn blank(&mut self, id: MessageId) {
        for effect in &mut self.0 {
            let message = match effect {
                Effect::Event(Event::NewMessage(message)) => message,
                Effect::Event(Event::MessageEdited(change)) => &mut change.message,
                Effect::Event(_)
                | Effect::Moved(_)
                | Effect::Member(..)
                | Effect::GroupDeleted(..)
                | Effect::Renamed(..) => continue,
            };
            if message.id == id {
                *message = message.clone().deleted();
            }
        }
    }

    /// This group's log moved.
    pub fn group(&mut self, group: GroupId) {
        self.0.push(Effect::Moved(group));
    }

    /// This user entered the group, left it, or has another role there; its log moved.
    pub fn member(&mut self, group: GroupId, user: UserId) {
        self.group(group);
        self.0.push(Effect::Member(group, user));
    }

    /// This group ended; these were its members.
    pub fn group_deleted(&mut self, group: GroupId, members: Vec<UserId>) {
        self.0.push(Effect::GroupDeleted(group, members));
    }

    /// This user has another name.
    pub fn renamed(&mut self, user: UserId, display_name: String) {
        self.0.push(Effect::Renamed(user, display_name));
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in order.
    #[must_use]
    pub fn into_vec(self) -> Vec<Effect> {
        self.0
    }

    /// Forgets those that came after the first so many: what they tell of was undone.
    pub fn truncate(&mut self, len: usize) {
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
        if let Some(sink) = sink.filter(|_| !effects.is_empty()) {
            // A hub that is gone needs no hints.
            let _ = sink.send(effects.0).await;
        }
    }
}
