//! The keys that an identity provider publishes (JWKS), kept at hand.
//!
//! One task fetches the list: at the start, every ten minutes, and when a token names a key that is not in it, at most
//! once a minute. What was fetched last stays good for a day when the provider does not answer. Verifying never waits
//! for a provider that is down as long as the key is known, and otherwise some seconds at most. Owns no idea of tokens:
//! [`super::tokens`] asks for a key by its id and algorithm.

mod fetch;
mod public_key;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jsonwebtoken::Algorithm;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::shutdown::Shutdown;
use crate::telemetry::causes;
pub use fetch::{FetchError, FetchSetupError, fetcher};
pub use public_key::PublicKey;
pub(super) use public_key::is_plausible_id;
use public_key::parse;

/// A list is fetched again when it is this old, so that a key that was taken back is not believed for longer.
const FRESH: Duration = Duration::from_mins(10);
/// A list that can't be fetched again is believed for this long.
const KEPT: Duration = Duration::from_hours(24);
/// Fetches because of unknown keys are this far apart: anybody can make up a key's name.
const UNKNOWN_EVERY: Duration = Duration::from_mins(1);
/// After a failure, with a list that is still good.
const RETRY: Duration = Duration::from_mins(1);
/// While there has been no list yet, a token may ask for another try this long after the last one.
const RETRY_WITHOUT: Duration = Duration::from_secs(1);
/// How long a token waits for the list. The fetch itself goes on for those who come later.
const PATIENCE: Duration = Duration::from_secs(3);
/// Tokens that wait for a fetch; more are refused at once.
const WAITING: usize = 256;

/// Fetches the list once.
pub type Fetch = Box<dyn Fn() -> BoxFuture<'static, Result<Vec<PublicKey>, FetchError>> + Send + Sync>;

/// The list, for those who look keys up. Clones share it; when the last one is gone, fetching ends.
#[derive(Clone)]
pub struct KeyList {
    published: watch::Receiver<Published>,
    /// Dropping what is sent here is the answer.
    asks: mpsc::Sender<oneshot::Sender<()>>,
}

/// There is no list that could be believed, so nothing can be said about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoList;

#[derive(Clone, Default)]
struct Published {
    keys: Arc<[PublicKey]>,
    at: Option<Instant>,
}

enum Found {
    Key(PublicKey),
    /// The id is known, of a key for something else.
    Other,
    Nothing,
}

impl KeyList {
    /// Begins to fetch. Ends with the process, or when nobody can ask any more.
    #[must_use]
    pub fn start(fetch: Fetch, shutdown: &Shutdown) -> Self {
        let (sender, published) = watch::channel(Published::default());
        let (asks, asked) = mpsc::channel(WAITING);
        let keeper = Keeper { fetch, sender, asked, tried_at: Instant::now(), failures: 0, unknown_at: None };
        let signal = shutdown.clone();
        shutdown.spawn(async move {
            tokio::select! {
                () = signal.triggered() => {}
                () = keeper.run() => {}
            }
        });
        Self { published, asks }
    }

    /// The key of this id and algorithm. An unknown id may make the list be fetched again first.
    pub async fn find(&self, id: &str, algorithm: Algorithm) -> Result<Option<PublicKey>, NoList> {
        match self.look(id, algorithm) {
            Found::Key(key) => return Ok(Some(key)),
            Found::Other => return Ok(None),
            Found::Nothing => {}
        }
        let (ask, answer) = oneshot::channel();
        if self.asks.try_send(ask).is_ok() {
            // The answer is that the sender is dropped.
            let _ = timeout(PATIENCE, answer).await;
        }
        match self.look(id, algorithm) {
            Found::Key(key) => Ok(Some(key)),
            Found::Nothing if !self.published.borrow().is_believed() => Err(NoList),
            Found::Other | Found::Nothing => Ok(None),
        }
    }

    fn look(&self, id: &str, algorithm: Algorithm) -> Found {
        let published = self.published.borrow();
        if !published.is_believed() {
            return Found::Nothing;
        }
        let mut of_id = published.keys.iter().filter(|key| key.id() == id).peekable();
        if of_id.peek().is_none() {
            return Found::Nothing;
        }
        of_id.find(|key| key.algorithm() == algorithm).map_or(Found::Other, |key| Found::Key(key.clone()))
    }
}

impl Published {
    fn is_believed(&self) -> bool {
        self.at.is_some_and(|at| at.elapsed() < KEPT)
    }
}

/// The only one who fetches.
struct Keeper {
    fetch: Fetch,
    sender: watch::Sender<Published>,
    asked: mpsc::Receiver<oneshot::Sender<()>>,
    tried_at: Instant,
    failures: u32,
    /// The last fetch because of an unknown key.
    unknown_at: Option<Instant>,
}

/// What ends the keeper's rest.
enum Wake {
    /// The list is due.
    Due,
    /// Somebody asks for a key that is not in it, and may. Held until the list was fetched.
    Asked(oneshot::Sender<()>),
    /// Nobody can ask any more.
    Over,
}

impl Keeper {
    async fn run(mut self) {
        let mut asking = None;
        loop {
            self.load().await;
            drop(asking.take());
            // Who asked meanwhile is answered by this list.
            while self.asked.try_recv().is_ok() {}
            match self.rest().await {
                Wake::Due => {}
                Wake::Asked(answer) => asking = Some(answer),
                Wake::Over => return,
            }
        }
    }

    async fn load(&mut self) {
        let fetched = (self.fetch)().await;
        self.tried_at = Instant::now();
        match fetched {
            Ok(keys) => {
                if self.failures > 0 || !self.has_list() {
                    tracing::info!(keys = keys.len(), "the identity provider's keys were fetched");
                }
                self.failures = 0;
                self.sender.send_replace(Published { keys: keys.into(), at: Some(self.tried_at) });
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                // Said once; it is tried again until it works, and that is said too.
                if self.failures == 1 {
                    tracing::warn!(error = %causes(&error), "the identity provider's keys could not be fetched");
                }
            }
        }
    }

    async fn rest(&mut self) -> Wake {
        let due = self.due();
        loop {
            tokio::select! {
                () = sleep_until(due) => return Wake::Due,
                asked = self.asked.recv() => match asked {
                    None => return Wake::Over,
                    Some(answer) => {
                        if self.may_fetch() {
                            return Wake::Asked(answer);
                        }
                    }
                },
            }
        }
    }

    fn has_list(&self) -> bool {
        self.sender.borrow().is_believed()
    }

    fn due(&self) -> Instant {
        self.tried_at
            + match self.failures {
                0 => FRESH,
                _ if self.has_list() => RETRY,
                failures => RETRY.min(RETRY_WITHOUT * 2_u32.saturating_pow(failures)),
            }
    }

    fn may_fetch(&mut self) -> bool {
        if !self.has_list() {
            return self.tried_at.elapsed() >= RETRY_WITHOUT;
        }
        let may = self.unknown_at.is_none_or(|at| at.elapsed() >= UNKNOWN_EVERY);
        if may {
            self.unknown_at = Some(Instant::now());
        }
        may
    }
}

#[cfg(test)]
mod tests;
