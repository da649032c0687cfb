//! Hints about commits of other programs and other servers: "these groups have new events", or "any group may have
//! some".
//!
//! Holds what waits between an adapter, which detects foreign commits, and each listener, which then reads the heads of
//! the named groups. Promises: sending a hint never waits and never fails; hints that a listener has not yet taken are
//! merged into one; memory is bounded, because more than `GROUPS` waiting groups become [`Hint::Anything`]. A bulk
//! insert of a hundred thousand rows is one hint for each of its groups, or one for everything.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// The hint that waits for one listener.
#[derive(Default)]
struct Waiting {
    hint: Option<Hint>,
    is_closed: bool,
}

#[derive(Default)]
struct Listener {
    waiting: Mutex<Waiting>,
    news: Notify,
}

impl Listener {
    fn with<T>(&self, act: impl FnOnce(&mut Waiting) -> T) -> T {
        act(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where listeners find the hints of a sender.
#[derive(Clone, Default)]
pub struct HintSource(Arc<Mutex<Listeners>>);

#[derive(Default)]
struct Listeners {
    all: Vec<Arc<Listener>>,
    /// Whether there has ever been a listener.
    is_heard: bool,
    /// What was said before there was one.
    unheard: Arc<Listener>,
    /// Whether the sender has ended.
    is_closed: bool,
}

impl HintSource {
    /// The hints from now on. Each caller gets all of them; the first one also hears what was said before.
    #[must_use]
    pub fn listen(&self) -> Hints {
        let mut listeners = self.listeners();
        let is_heard = std::mem::replace(&mut listeners.is_heard, true);
        let listener: Arc<Listener> = if is_heard { Arc::default() } else { Arc::clone(&listeners.unheard) };
        listener.with(|waiting| waiting.is_closed = listeners.is_closed);
        listeners.all.push(Arc::clone(&listener));
        Hints { listener, source: self.clone() }
    }

    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what waits for each listener. `act` answers whether something waits.
    fn each(&self, act: impl Fn(&mut Waiting) -> bool) {
        let listeners = self.listeners();
        let unheard = (!listeners.is_heard).then_some(&listeners.unheard);
        for listener in listeners.all.iter().chain(unheard) {
            if listener.with(&act) {
                listener.news.notify_one();
            }
        }
    }
}

/// The sending end. When it is dropped, the listeners learn that no more hints will come.
#[derive(Default)]
pub struct HintSender(HintSource);

/// The hints for one listener.
pub struct Hints {
    listener: Arc<Listener>,
    source: HintSource,
}

impl HintSender {
    /// Where its hints are heard.
    #[must_use]
    pub fn source(&self) -> HintSource {
        self.0.clone()
    }

    /// Says that these groups have new events.
    pub fn groups(&self, moved: impl IntoIterator<Item = GroupId>) {
        let moved: Vec<GroupId> = moved.into_iter().collect();
        self.0.each(|waiting| {
            let groups = match waiting.hint.get_or_insert_with(|| Hint::Groups(BTreeSet::new())) {
                Hint::Groups(groups) => groups,
                Hint::Anything => return false,
            };
            groups.extend(&moved);
            match groups.len() {
                0 => waiting.hint = None,
                1..=GROUPS => {}
                _ => waiting.hint = Some(Hint::Anything),
            }
            waiting.hint.is_some()
        });
    }

    /// Says that any group may have new events.
    pub fn anything(&self) {
        self.0.each(|waiting| {
            waiting.hint = Some(Hint::Anything);
            true
        });
    }
}

impl Drop for HintSender {
    fn drop(&mut self) {
        self.0.listeners().is_closed = true;
        self.0.each(|waiting| {
            waiting.is_closed = true;
            true
        });
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        self.source.listeners().all.retain(|listener| !Arc::ptr_eq(listener, &self.listener));
    }
}

impl Hints {
    /// Waits for a hint, and returns everything since the last call as one hint. `None`: no more hints will come.
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Hint> {
        loop {
            let (hint, is_closed) = self.listener.with(|waiting| (waiting.hint.take(), waiting.is_closed));
            if hint.is_some() || is_closed {
                return hint;
            }
            self.listener.news.notified().await;
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
        let sender = HintSender::default();
        let mut hints = sender.source().listen();
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
        let sender = HintSender::default();
        let mut hints = sender.source().listen();
        (0..100_000).for_each(|number| sender.groups([group(number)]));
        assert_eq!(hints.next().await, Some(Hint::Anything));
        sender.groups((0..GROUPS).map(group));
        assert!(matches!(hints.next().await, Some(Hint::Groups(groups)) if groups.len() == GROUPS));
    }

    #[tokio::test]
    async fn what_was_said_last_is_heard_before_the_end() {
        let sender = HintSender::default();
        let mut hints = sender.source().listen();
        let waiting = tokio::spawn(async move { (hints.next().await, hints.next().await) });
        sender.groups([group(1)]);
        drop(sender);
        assert_eq!(waiting.await.unwrap(), (Some(Hint::Groups([group(1)].into())), None));
    }

    #[tokio::test]
    async fn every_listener_hears_everything_and_who_has_gone_leaves_nothing_behind() {
        let sender = HintSender::default();
        sender.groups([group(1)]);
        let (mut one, mut other) = (sender.source().listen(), sender.source().listen());
        assert_eq!(one.next().await, Some(Hint::Groups([group(1)].into())));
        sender.groups([group(2)]);
        assert_eq!(one.next().await, Some(Hint::Groups([group(2)].into())));
        assert_eq!(
            other.next().await,
            Some(Hint::Groups([group(2)].into())),
            "the first one has heard what was before"
        );
        drop(one);
        assert_eq!(sender.source().listeners().all.len(), 1);
    }
}
