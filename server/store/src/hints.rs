//! Hints about commits of other programs and other servers: "these groups have new events", or "any group may have
//! some".
//!
//! Holds what waits between an adapter, which detects foreign commits, and the hub, which then reads the heads of the
//! named groups. Promises: sending a hint never waits and never fails; hints that the hub has not yet taken are merged
//! into one; memory is bounded, because more than `GROUPS` waiting groups become [`Hint::Anything`]. A bulk insert of
//! a hundred thousand rows is one hint for each of its groups, or one for everything.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use caravana_protocol::GroupId;
use tokio::sync::Notify;

/// The most groups in one hint. For more, the hint is [`Hint::Anything`]: to ask for their heads would cost as much.
const GROUPS: usize = 1_000;

/// Which logs may have new events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// The logs of these groups.
    Groups(BTreeSet<GroupId>),
    /// Any log.
    Anything,
}

/// The hint that waits for the hub.
#[derive(Default)]
struct Waiting {
    hint: Option<Hint>,
    is_closed: bool,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    news: Notify,
}

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut Waiting) -> T) -> T {
        act(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The sending end. When it is dropped, the receiving end learns that no more hints will come.
pub struct HintSender(Arc<Shared>);

/// The receiving end.
pub struct Hints(Arc<Shared>);

/// Makes a channel for hints.
#[must_use]
pub fn hints() -> (HintSender, Hints) {
    let shared = Arc::new(Shared::default());
    (HintSender(Arc::clone(&shared)), Hints(shared))
}

impl HintSender {
    /// Says that these groups have new events.
    pub fn groups(&self, moved: impl IntoIterator<Item = GroupId>) {
        let is_news = self.0.with(|waiting| {
            let groups = match waiting.hint.get_or_insert_with(|| Hint::Groups(BTreeSet::new())) {
                Hint::Groups(groups) => groups,
                Hint::Anything => return false,
            };
            groups.extend(moved);
            match groups.len() {
                0 => waiting.hint = None,
                1..=GROUPS => {}
                _ => waiting.hint = Some(Hint::Anything),
            }
            waiting.hint.is_some()
        });
        if is_news {
            self.0.news.notify_one();
        }
    }

    /// Says that any group may have new events.
    pub fn anything(&self) {
        self.0.with(|waiting| waiting.hint = Some(Hint::Anything));
        self.0.news.notify_one();
    }
}

impl Drop for HintSender {
    fn drop(&mut self) {
        self.0.with(|waiting| waiting.is_closed = true);
        self.0.news.notify_one();
    }
}

impl Hints {
    /// Waits for a hint, and returns everything since the last call as one hint. `None`: no more hints will come.
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Hint> {
        loop {
            let (hint, is_closed) = self.0.with(|waiting| (waiting.hint.take(), waiting.is_closed));
            if hint.is_some() || is_closed {
                return hint;
            }
            self.0.news.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn group(number: usize) -> GroupId {
        GroupId::new(Uuid::from_u128(number as u128))
    }

    #[tokio::test]
    async fn what_waits_is_folded_into_one() {
        let (sender, mut hints) = hints();
        sender.groups([group(1), group(2)]);
        sender.groups([group(2)]);
        sender.groups([]);
        assert_eq!(hints.next().await, Some(Hint::Groups([group(1), group(2)].into())));
        sender.groups([group(3)]);
        sender.anything();
        sender.groups([group(4)]);
        assert_eq!(hints.next().await, Some(Hint::Anything));
        drop(sender);
        assert_eq!(hints.next().await, None);
    }

    #[tokio::test]
    async fn too_many_groups_are_all_of_them() {
        let (sender, mut hints) = hints();
        (0..100_000).for_each(|number| sender.groups([group(number)]));
        assert_eq!(hints.next().await, Some(Hint::Anything));
        sender.groups((0..GROUPS).map(group));
        assert!(matches!(hints.next().await, Some(Hint::Groups(groups)) if groups.len() == GROUPS));
    }

    #[tokio::test]
    async fn what_was_said_last_is_heard_before_the_end() {
        let (sender, mut hints) = hints();
        let waiting = tokio::spawn(async move { (hints.next().await, hints.next().await) });
        sender.groups([group(1)]);
        drop(sender);
        assert_eq!(waiting.await.unwrap(), (Some(Hint::Groups([group(1)].into())), None));
    }
}
