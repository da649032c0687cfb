//! The change feed: what other programs and other servers commit, as hints for the hub.
//!
//! Owns the task that listens. The triggers notify with the group's id, once for each transaction and group; an empty
//! payload means that there were too many to name. A notification is worth nothing (idea 2): when one is lost the hub's
//! sweep finds what it told of. So nothing here is stored or retried. What it promises is to notice when it is deaf, and
//! to say so: a listener is believed only after a notification of its own has come back, and has to prove it again
//! whenever it was silent for a while. While it is deaf (a pooler in transaction mode, NOTIFY switched off, no connection)
//! the hub is told to look at its groups four times a second, and listening is tried again.

use std::sync::Arc;
use std::time::Duration;

use caravana_protocol::GroupId;
use rand::RngExt as _;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout, timeout_at};
use uuid::Uuid;

use super::access::Access;
use super::safety;
use super::writer::Backends;
use crate::metrics;
use crate::store::{HintSender, StoreError};
use crate::telemetry::causes;

/// Where the triggers notify.
const CHANNEL: &str = "caravana";
/// A listener that has heard nothing for this long is probed, give or take a fifth.
const PROBE_AFTER: Duration = Duration::from_secs(30);
/// How long a probe may take to come back.
const PROBE_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection for listening may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How often the hub looks at its groups while nothing is heard.
const POLL: Duration = Duration::from_millis(250);
/// How long it does so before listening is tried again, where the database's answers do not arrive at all.
const DEAF_FOR: Duration = Duration::from_mins(1);
/// The longest pause after a connection that was lost, and the shortest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// Why nothing is heard.
#[derive(Debug, thiserror::Error)]
enum Deaf {
    /// What was notified did not arrive.
    #[error("notifications do not arrive")]
    Silent,
    /// The way to the database leads through a pooler in transaction mode. `LISTEN` would not only be of no use there: its
    /// other end would go on listening for whomever it is lent to next, and disturb them.
    #[error("the address leads to a pooler in transaction mode")]
    Pooled,
    /// The database's owner has switched them off.
    #[error("notifications are switched off (caravana.notify)")]
    SwitchedOff,
    /// The connection for listening failed.
    #[error("the connection that listens failed")]
    Lost(#[source] sqlx::Error),
    /// The probe could not be sent.
    #[error("the database does not answer")]
    Store(#[from] StoreError),
}

/// The listening task's belongings.
pub(super) struct Feed {
    access: Access,
    /// Where to listen: `DATABASE_LISTEN_URL`, or the database's own address.
    options: PgConnectOptions,
    backends: Backends,
    hints: Arc<HintSender>,
    /// Whether the operator was told that nothing is heard.
    is_deaf: bool,
    /// Whether the way was seen to be a direct one.
    is_direct: bool,
}

impl Feed {
    pub(super) fn new(access: Access, options: PgConnectOptions, backends: Backends, hints: Arc<HintSender>) -> Self {
        Self { access, options, backends, hints, is_deaf: false, is_direct: false }
    }

    /// Listens for ever; ends when its task is aborted.
    pub(super) async fn run(mut self) {
        let mut failures = 0;
        loop {
            let listened_at = Instant::now();
            let deaf = match self.listen().await {
                Ok(never) => match never {},
                Err(deaf) => deaf,
            };
            metrics::listening(false);
            // What was notified since the last word is lost.
            self.hints.anything();
            if listened_at.elapsed() > PROBE_AFTER {
                failures = 0;
            }
            failures += 1;
            match deaf {
                Deaf::Lost(_) | Deaf::Store(_) if failures < 3 => {
                    tracing::info!(error = %causes(&deaf), "listening again");
                    sleep(pause(failures)).await;
                }
                Deaf::Lost(_) | Deaf::Store(_) => {
                    self.tell_deaf(&deaf);
                    self.poll(pause(failures)).await;
                }
                Deaf::Silent | Deaf::SwitchedOff | Deaf::Pooled => {
                    self.tell_deaf(&deaf);
                    self.poll(DEAF_FOR).await;
                }
            }
        }
    }

    fn tell_deaf(&mut self, deaf: &Deaf) {
        if !std::mem::replace(&mut self.is_deaf, true) {
            tracing::warn!(
                error = %causes(deaf),
                "the database is asked every 250 ms for what others have written, because its notifications do not \
                 arrive; a pooler in transaction mode does not pass them on: name a direct connection in \
                 DATABASE_LISTEN_URL"
            );
        }
    }

    async fn poll(&self, duration: Duration) {
        let until = Instant::now() + duration;
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while Instant::now() < until {
            ticks.tick().await;
            self.hints.anything();
        }
    }

    /// Listens until it is deaf.
    async fn listen(&mut self) -> Result<std::convert::Infallible, Deaf> {
        if !self.is_direct {
            let pooled = timeout(CONNECT_WITHIN, safety::is_pooled(&self.options));
            if pooled.await.unwrap_or_else(timed_out).map_err(Deaf::Lost)? {
                return Err(Deaf::Pooled);
            }
            self.is_direct = true;
        }
        // A pool of one, because that is what a listener is made from; it is never asked for a second connection.
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT_WITHIN);
        let pool: PgPool = pool.connect_lazy_with(self.options.clone());
        let listened = self.listen_on(&pool).await;
        tokio::spawn(async move { timeout(CONNECT_WITHIN, pool.close()).await });
        listened
    }

    async fn listen_on(&mut self, pool: &PgPool) -> Result<std::convert::Infallible, Deaf> {
        let own = format!("caravana_{}", Uuid::new_v4().simple());
        let listener = async {
            let mut listener = PgListener::connect_with(pool).await?;
            listener.eager_reconnect(false);
            listener.ignore_pool_close_event(true);
            listener.listen_all([CHANNEL, own.as_str()]).await?;
            Ok(listener)
        };
        let mut listener = timeout(CONNECT_WITHIN, listener).await.unwrap_or_else(timed_out).map_err(Deaf::Lost)?;
        self.probe(&mut listener, &own).await?;
        metrics::listening(true);
        if std::mem::replace(&mut self.is_deaf, false) {
            tracing::info!("notifications arrive again");
        } else {
            tracing::debug!("listening");
        }
        // Before the probe nobody listened.
        self.hints.anything();
        loop {
            let patience = PROBE_AFTER.mul_f64(rand::rng().random_range(0.8..1.2));
            match timeout(patience, listener.try_recv()).await {
                Ok(heard) => self.hear(&lost(heard)?),
                Err(_) => self.probe(&mut listener, &own).await?,
            }
            // What has come meanwhile is one hint with it.
            while let Some(more) = listener.next_buffered() {
                self.hear(&more);
            }
        }
    }

    /// Sends a notification by another connection, as triggers do, and waits for it.
    async fn probe(&self, listener: &mut PgListener, own: &str) -> Result<(), Deaf> {
        let is_on: bool = self
            .access
            .ask(|link| {
                let own = own.to_owned();
                Box::pin(async move {
                    let question = sqlx::query_scalar(
                        "select case when lower(coalesce(current_setting('caravana.notify', true), 'on')) \
                           in ('off', 'false', 'no', '0') then false \
                         else pg_notify($1, '') is not null end",
                    );
                    Ok(question.bind(own).fetch_one(link).await?)
                })
            })
            .await?;
        if !is_on {
            return Err(Deaf::SwitchedOff);
        }
        let deadline = Instant::now() + PROBE_WITHIN;
        loop {
            let heard = timeout_at(deadline, listener.try_recv()).await.map_err(|_| Deaf::Silent)?;
            let notification = lost(heard)?;
            if notification.channel() == own {
                return Ok(());
            }
            self.hear(&notification);
        }
    }

    fn hear(&self, notification: &PgNotification) {
        let is_ours = i32::try_from(notification.process_id()).is_ok_and(|backend| self.backends.has(backend));
        if notification.channel() != CHANNEL || is_ours {
            return;
        }
        match notification.payload().parse::<GroupId>() {
            Ok(group) => self.hints.groups([group]),
            // Too many to name, or not for us: looking costs little.
            Err(_) => self.hints.anything(),
        }
    }
}

fn timed_out<T>(_: Elapsed) -> Result<T, sqlx::Error> {
    Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
}

/// What was heard, if the connection still stands.
fn lost(heard: Result<Option<PgNotification>, sqlx::Error>) -> Result<PgNotification, Deaf> {
    match heard {
        Ok(Some(notification)) => Ok(notification),
        Ok(None) => Err(Deaf::Lost(sqlx::Error::Io(std::io::ErrorKind::ConnectionAborted.into()))),
        Err(error) => Err(Deaf::Lost(error)),
    }
}

/// A pause that grows with the failures, different each time.
fn pause(failures: u32) -> Duration {
    let (shortest, longest) = PAUSES;
    let most = (shortest * 2u32.saturating_pow(failures.min(10))).min(longest);
    most.mul_f64(rand::rng().random_range(0.5..1.0))
}
