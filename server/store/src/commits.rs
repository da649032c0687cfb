//! The stream of the effects of this server's own commits, from an adapter to the hub.

use std::sync::{Arc, Mutex};

use caravana_protocol::{Event, GroupId, MessageId, UserId};
use tokio::sync::mpsc;

use super::Effect;

/// How many commits' effects may wait in the channel to the hub.
const COMMITS: usize = 64;

/// What a job tells the hub after its commit.
#[derive(Debug, Default)]
pub struct Effects(Vec<Effect>);

impl Effects {
    /// Adds an event that was added to its group's log. When the event is a deletion, earlier events of the same
    /// transaction show the message as deleted too: they show it as it is at the commit.
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

    /// This group's log has new events.
    pub fn group(&mut self, group: GroupId) {
        self.0.push(Effect::Moved(group));
    }

    /// This user joined the group, left it, or has another role in it; its log has new events.
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

    /// The number of effects.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no effects.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All effects, in order.
    #[must_use]
    pub fn into_vec(self) -> Vec<Effect> {
        self.0
    }

    /// Keeps the first `len` effects and drops the rest, because their changes were rolled back.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

/// The sender of effects, once a receiver was taken. The channel is bounded, which slows the writers down to the hub's
/// speed.
#[derive(Clone, Default)]
pub struct Commits(Arc<Mutex<Option<mpsc::Sender<Vec<Effect>>>>>);

impl Commits {
    /// The effects of all commits from now on, in commit order. The first caller gets them.
    #[must_use]
    pub fn take(&self) -> Option<mpsc::Receiver<Vec<Effect>>> {
        let mut sink = self.0.lock().ok()?;
        if sink.is_some() {
            return None;
        }
        let (sender, receiver) = mpsc::channel(COMMITS);
        *sink = Some(sender);
        Some(receiver)
    }

    /// Sends a commit's effects to the hub. Call it before you answer the callers of that commit: a caller with an
    /// answer may read its write at once.
    pub async fn tell(&self, effects: Effects) {
        let sink = self.0.lock().ok().and_then(|sink| sink.clone());
        if let Some(sink) = sink.filter(|_| !effects.is_empty()) {
            // A hub that has stopped needs no hints.
            let _ = sink.send(effects.0).await;
        }
    }
}
