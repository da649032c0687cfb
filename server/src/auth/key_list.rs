//! A cache of the keys that an identity provider publishes (JWKS).
//!
//! One task fetches the list: at the start, every ten minutes, and when a token names an unknown key, but then at most
//! once a minute. If the provider does not answer, the last list stays valid for a day. A known key is verified without
//! waiting for the provider; for an unknown key the wait is a few seconds at most. This module knows nothing about
//! tokens: [`super::tokens`] asks it for a key by id and algorithm.

mod fetch;
mod public_key;

use std::sync::Arc;
use std::time::Duration;

use caravana_telemetry::causes;
use futures::future::BoxFuture;
use jsonwebtoken::Algorithm;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::shutdown::Shutdown;
pub use fetch::{FetchError, FetchSetupError, fetcher};
pub use public_key::PublicKey;
pub(super) use public_key::is_plausible_id;
use public_key::parse;

/// A list of this age is fetched again, so that a revoked key is not trusted for longer.
const FRESH: Duration = Duration::from_mins(10);
/// How long a list is trusted when it can't be fetched again.
const KEPT: Duration = Duration::from_hours(24);
/// The minimum time between two fetches for unknown keys, because any client can invent a key id.
const UNKNOWN_EVERY: Duration = Duration::from_mins(1);
/// The pause after a failed fetch while the old list is still trusted.
const RETRY: Duration = Duration::from_mins(1);
/// Before the first list has arrived, a token may cause another attempt this long after the last one.
const RETRY_WITHOUT: Duration = Duration::from_secs(1);
/// How long a token waits for the list. The fetch itself continues, for tokens that come later.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many tokens may wait for a fetch; further ones are refused at once.
const WAITING: usize = 256;

/// Fetches the list once.
pub type Fetch = Box<dyn Fn() -> BoxFuture<'static, Result<Vec<PublicKey>, FetchError>> + Send + Sync>;

/// Looks up keys in the list. Clones share it; when the last clone is dropped, fetching ends.
#[derive(Clone)]
pub struct KeyList {
    published: watch::Receiver<Published>,
    /// The keeper answers by dropping the sender that it receives here.
    asks: mpsc::Sender<oneshot::Sender<()>>,
}

/// There is no trusted list, so it is not known whether a key exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoList;

#[derive(Clone, Default)]
struct Published {
    keys: Arc<[PublicKey]>,
    at: Option<Instant>,
}

enum Found {
    Key(PublicKey),
    /// The id is known, but its key has another algorithm.
    Other,
    Nothing,
}

impl KeyList {
    /// Starts to fetch. Ends with the process, or when the last clone is dropped.
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

    /// Returns the key with this id and algorithm. An unknown id may first cause a new fetch.
    pub async fn find(&self, id: &str, algorithm: Algorithm) -> Result<Option<PublicKey>, NoList> {
        match self.look(id, algorithm) {
            Found::Key(key) => return Ok(Some(key)),
            Found::Other => return Ok(None),
            Found::Nothing => {}
        }
        let (ask, answer) = oneshot::channel();
        if self.asks.try_send(ask).is_ok() {
            // The answer is the drop of the sender.
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

/// The only task that fetches.
struct Keeper {
    fetch: Fetch,
    sender: watch::Sender<Published>,
    asked: mpsc::Receiver<oneshot::Sender<()>>,
    tried_at: Instant,
    failures: u32,
    /// The last fetch because of an unknown key.
    unknown_at: Option<Instant>,
}

/// Why the keeper wakes up.
enum Wake {
    /// The list is due.
    Due,
    /// A token asks for an unknown key, and a fetch is allowed. The sender is held until the list is fetched.
    Asked(oneshot::Sender<()>),
    /// The last clone of the list is dropped, or the process ends.
    Over,
}

impl Keeper {
    async fn run(mut self) {
        let mut asking = None;
        loop {
            self.load().await;
            drop(asking.take());
            // This list also answers the tokens that asked in the meantime.
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
                // Logged once. The fetch is repeated until it succeeds, and the success is logged too.
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
