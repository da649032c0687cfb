//! The streams of the effects of this server's own commits, from an adapter to the hub and to whoever else needs them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use caravana_protocol::rest::User;
use caravana_protocol::{Event, GroupId, MessageId, UserId};
use tokio::sync::mpsc;

use super::Effect;

/// How many commits' effects may wait for one subscriber.
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
                | Effect::Closed(..)
                | Effect::Account(_) => continue,
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

    /// This user has changed what is theirs in a group. No log has a new event.
    pub fn mine(&mut self, group: GroupId, user: UserId) {
        self.0.push(Effect::Member(group, user));
    }

    /// This group ended; these were its members.
    pub fn group_deleted(&mut self, group: GroupId, members: Vec<UserId>) {
        self.0.push(Effect::GroupDeleted(group, members));
    }

    /// This conversation of two was closed, or is open again. No log has a new event.
    pub fn closed(&mut self, group: GroupId, is_closed: bool, members: [UserId; 2]) {
        self.0.push(Effect::Closed(group, is_closed, members));
    }

    /// This user has another name, shares something else, or has blocked others.
    pub fn account(&mut self, user: User) {
        self.0.push(Effect::Account(user));
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

/// The sender of effects to everyone who has subscribed. The channels are bounded: a subscriber that falls behind slows
/// the writers down to its speed, so a subscriber with slow work must keep a queue of its own. It must never
/// wait for a write, or both stop.
#[derive(Clone, Default)]
pub struct Commits(Arc<Mutex<Vec<mpsc::Sender<Vec<Effect>>>>>);

impl Commits {
    /// The effects of all commits from now on, in commit order. Each caller gets a stream of its own.
    #[must_use]
    pub fn subscribe(&self) -> mpsc::Receiver<Vec<Effect>> {
        let (sender, receiver) = mpsc::channel(COMMITS);
        let mut subscribers = self.subscribers();
        subscribers.retain(|subscriber| !subscriber.is_closed());
        subscribers.push(sender);
        receiver
    }

    /// Sends a commit's effects to all subscribers. Call it before you answer the callers of that commit: a caller with
    /// an answer may read its write at once.
    pub async fn tell(&self, effects: Effects) {
        if effects.is_empty() {
            return;
        }
        let subscribers = self.subscribers().clone();
        let Some((last, others)) = subscribers.split_last() else { return };
        // A subscriber that has stopped needs no effects.
        for subscriber in others {
            let _ = subscriber.send(effects.0.clone()).await;
        }
        let _ = last.send(effects.0).await;
    }

    fn subscribers(&self) -> MutexGuard<'_, Vec<mpsc::Sender<Vec<Effect>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn moved(number: u128) -> Effects {
        let mut effects = Effects::default();
        effects.group(GroupId::new(Uuid::from_u128(number)));
        effects
    }

    #[tokio::test]
    async fn every_subscriber_gets_all_effects_and_who_has_gone_holds_up_nobody() {
        let commits = Commits::default();
        commits.tell(moved(0)).await;
        let (mut one, mut other, gone) = (commits.subscribe(), commits.subscribe(), commits.subscribe());
        drop(gone);
        for number in 1..=COMMITS as u128 {
            commits.tell(moved(number)).await;
        }
        let first = |effects: Vec<Effect>| match effects[..] {
            [Effect::Moved(group)] => group.uuid().as_u128(),
            _ => panic!("{effects:?}"),
        };
        for stream in [&mut one, &mut other] {
            for number in 1..=COMMITS as u128 {
                assert_eq!(first(stream.recv().await.unwrap()), number, "from the subscription on, in order");
            }
        }
    }
}
