//! Turns: limits how many reads, pages and answers of one user may be in progress at once.
//!
//! The database runs few queries at a time. Promises that one user never holds all of these places, however many
//! requests arrive, and that exports, which read everything that a user has written, share one place between all users.
//! Turns also limit rendering, because there are few cores, and answers, because an answer stays in memory until its
//! reader has taken it. A request that needs several turns takes them in the order of [`Kind`], so that requests of one
//! user can't deadlock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use caravana_protocol::UserId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What one user may have in progress [`Kind::at_once`] times. Further requests of that user wait for a turn; other
/// users do not wait for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// Answers that their reader has not taken yet. A browser makes six requests at once.
    Answer,
    /// Pages that are being rendered.
    Page,
    /// Reads of the database.
    Read,
}

impl Kind {
    const fn at_once(self) -> usize {
        match self {
            Self::Answer => 6,
            Self::Page => 1,
            Self::Read => 2,
        }
    }
}

/// How many pages of exports are read at once.
const EXPORTS: usize = 1;

/// The semaphores of the users who have a turn or wait for one.
type Semaphores = HashMap<(UserId, Kind), Arc<Semaphore>>;

/// Hands out turns. Clones share the same state.
#[derive(Debug, Clone)]
pub struct Turns {
    of_users: Arc<Mutex<Semaphores>>,
    exports: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { of_users: Arc::default(), exports: Arc::new(Semaphore::new(EXPORTS)) }
    }
}

/// A turn; it ends when this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Turn {
    // The fields are dropped in this order: the place checks afterwards whether another task still uses the semaphore.
    _permits: Vec<OwnedSemaphorePermit>,
    _place: Place,
}

/// A user who has a turn or waits for one.
#[derive(Debug)]
struct Place {
    turns: Turns,
    whose: (UserId, Kind),
    semaphore: Option<Arc<Semaphore>>,
}

impl Turns {
    /// Waits for a turn of this user.
    pub async fn read(&self, user: UserId) -> Turn {
        self.take((user, Kind::Read), None).await
    }

    /// Waits for a turn to make an answer. The turn ends when the reader has taken the answer.
    pub async fn answer(&self, user: UserId) -> Turn {
        self.take((user, Kind::Answer), None).await
    }

    /// Waits for a turn to render a page.
    pub async fn page(&self, user: UserId) -> Turn {
        self.take((user, Kind::Page), None).await
    }

    /// Waits for a turn to read a page of an export.
    pub async fn export(&self, user: UserId) -> Turn {
        self.take((user, Kind::Read), Some(Arc::clone(&self.exports))).await
    }

    async fn take(&self, whose: (UserId, Kind), beside: Option<Arc<Semaphore>>) -> Turn {
        let places = || Arc::new(Semaphore::new(whose.1.at_once()));
        let semaphore = Arc::clone(self.users().entry(whose).or_insert_with(places));
        let place = Place { turns: self.clone(), whose, semaphore: Some(Arc::clone(&semaphore)) };
        let mut permits = Vec::with_capacity(2);
        // The user's own semaphore comes first: a task that waits there does not block other users.
        for semaphore in [Some(semaphore), beside].into_iter().flatten() {
            // They are never closed.
            permits.extend(semaphore.acquire_owned().await);
        }
        Turn { _permits: permits, _place: place }
    }

    fn users(&self) -> std::sync::MutexGuard<'_, Semaphores> {
        self.of_users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    /// Forgets a user who has no turn and waits for none.
    fn drop(&mut self) {
        let mut users = self.turns.users();
        self.semaphore.take();
        if users.get(&self.whose).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            users.remove(&self.whose);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn user(n: u128) -> UserId {
        UserId::new(uuid::Uuid::from_u128(n))
    }

    #[tokio::test]
    async fn one_user_waits_for_oneself_and_nobody_else_does() {
        let turns = Turns::default();
        let (first, second) = (turns.read(user(1)).await, turns.read(user(1)).await);
        let mut third = Box::pin(turns.read(user(1)));
        assert!(third.as_mut().now_or_never().is_none());
        let others = turns.read(user(2)).now_or_never();
        assert!(others.is_some());
        drop(first);
        assert!(third.now_or_never().is_some());
        drop((second, others));
        assert!(turns.users().is_empty());
    }

    #[tokio::test]
    async fn exports_of_all_users_come_one_after_the_other_and_reads_do_not_wait_for_them() {
        let turns = Turns::default();
        let first = turns.export(user(1)).await;
        let mut second = Box::pin(turns.export(user(2)));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(turns.read(user(2)).now_or_never().is_some());
        drop(first);
        assert!(second.now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_gives_up_waiting_is_forgotten() {
        let turns = Turns::default();
        let (first, second) = (turns.read(user(1)).await, turns.read(user(1)).await);
        let mut third = Box::pin(turns.read(user(1)));
        assert!(third.as_mut().now_or_never().is_none());
        drop((first, second));
        drop(third);
        assert!(turns.users().is_empty());
    }
}
