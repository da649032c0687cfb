//! The change feed: turns the commits of other programs and other servers into hints for the hub.
//!
//! Owns the task that listens. The triggers send a notification with the group's id, once for each transaction and
//! group; an empty payload means that there were too many groups to name. A notification is only a hint (idea 2): if
//! one is lost, the hub's sweep finds the new events. So this task neither stores nor retries notifications. Its
//! promise is to detect when notifications do not arrive. A listener counts as working only after its own test
//! notification has come back, and it repeats the test after each longer silence. While notifications do not arrive (a
//! pooler in transaction mode, NOTIFY switched off, no connection), the task tells the hub four times a second to look
//! at its groups, and tries again to listen.

use std::sync::Arc;
use std::time::Duration;

use caravana_protocol::GroupId;
use caravana_store::{HintSender, StoreError};
use caravana_telemetry::{causes, metrics};
use rand::RngExt as _;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout, timeout_at};
use uuid::Uuid;

use super::access::Access;
use super::safety;
use super::writer::OwnBackends;

/// The channel on which the triggers notify.
const CHANNEL: &str = "caravana";
/// A listener that has heard nothing for this long is probed; the time varies randomly by a fifth.
const PROBE_AFTER: Duration = Duration::from_secs(30);
/// How long a probe may take to come back.
const PROBE_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection for listening may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How often the hub looks at its groups while no notifications arrive.
const POLL: Duration = Duration::from_millis(250);
/// How long it does so before the next try to listen, if the cause will probably last.
const DEAF_FOR: Duration = Duration::from_mins(1);
/// The shortest and the longest pause after a lost connection.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// Why no notifications arrive.
#[derive(Debug, thiserror::Error)]
enum Deaf {
    /// A test notification did not arrive.
    #[error("notifications do not arrive")]
    Silent,
    /// The address leads to a pooler in transaction mode. `LISTEN` would do harm there: the backend would go on
    /// listening, and disturb the client that the pooler lends it to next.
    #[error("the address leads to a pooler in transaction mode")]
    Pooled,
    /// The owner of the database has switched notifications off.
    #[error("notifications are switched off (caravana.notify)")]
    SwitchedOff,
    /// The connection for listening failed.
    #[error("the connection that listens failed")]
    Lost(#[source] sqlx::Error),
    /// The probe could not be sent.
    #[error("the database does not answer")]
    Store(#[from] StoreError),
}

/// The state of the listening task.
pub(super) struct Feed {
    access: Access,
    /// Where to listen: `DATABASE_LISTEN_URL`, or the database's own address.
    options: PgConnectOptions,
    own_backends: OwnBackends,
    hints: Arc<HintSender>,
    /// Whether the operator was already warned that no notifications arrive.
    is_deaf: bool,
    /// Whether the connection was found not to go through a pooler.
    is_direct: bool,
}

impl Feed {
    pub(super) fn new(
        access: Access,
        options: PgConnectOptions,
        own_backends: OwnBackends,
        hints: Arc<HintSender>,
    ) -> Self {
        Self { access, options, own_backends, hints, is_deaf: false, is_direct: false }
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

    /// Listens until notifications stop arriving.
    async fn listen(&mut self) -> Result<std::convert::Infallible, Deaf> {
        if !self.is_direct {
            let pooled = timeout(CONNECT_WITHIN, safety::is_pooled(&self.options));
            if pooled.await.unwrap_or_else(timed_out).map_err(Deaf::Lost)? {
                return Err(Deaf::Pooled);
            }
            self.is_direct = true;
        }
        // A listener can only be made from a pool, so the pool has one connection.
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
            // Hints that arrived meanwhile are merged with it.
            while let Some(more) = listener.next_buffered() {
                self.hear(&more);
            }
        }
    }

    /// Sends a test notification by another connection, as triggers do, and waits for it.
    async fn probe(&self, listener: &mut PgListener, own: &str) -> Result<(), Deaf> {
        let is_on: bool = self
            .access
            .ask(|backend| {
                let own = own.to_owned();
                Box::pin(async move {
                    let question = sqlx::query_scalar(
                        "select case when lower(coalesce(current_setting('caravana.notify', true), 'on')) \
                           in ('off', 'false', 'no', '0') then false \
                         else pg_notify($1, '') is not null end",
                    );
                    Ok(question.bind(own).fetch_one(backend).await?)
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
        let is_ours =
            i32::try_from(notification.process_id()).is_ok_and(|process_id| self.own_backends.has(process_id));
        if notification.channel() != CHANNEL || is_ours {
            return;
        }
        match notification.payload().parse::<GroupId>() {
            Ok(group) => self.hints.groups([group]),
            // Too many groups to name, or not sent by the triggers: in both cases a look at all groups costs little.
            Err(_) => self.hints.anything(),
        }
    }
}

fn timed_out<T>(_: Elapsed) -> Result<T, sqlx::Error> {
    Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
}

/// The notification, or an error if the connection is lost.
fn lost(heard: Result<Option<PgNotification>, sqlx::Error>) -> Result<PgNotification, Deaf> {
    match heard {
        Ok(Some(notification)) => Ok(notification),
        Ok(None) => Err(Deaf::Lost(sqlx::Error::Io(std::io::ErrorKind::ConnectionAborted.into()))),
        Err(error) => Err(Deaf::Lost(error)),
    }
}

/// A random pause that grows with the number of failures.
fn pause(failures: u32) -> Duration {
    let (shortest, longest) = PAUSES;
    let most = (shortest * 2u32.saturating_pow(failures.min(10))).min(longest);
    most.mul_f64(rand::rng().random_range(0.5..1.0))
}
