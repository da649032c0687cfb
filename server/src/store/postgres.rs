//! The PostgreSQL adapter: our schema beside the tables of the seed, in a database that others use too.
//!
//! [`migrate()`] brings a database up to what the rest relies on. [`PostgresStore`] promises what every adapter does, and
//! G1 by the database's own `synchronous_commit`, read at the start and set again for every connection. Sends go through
//! the [`Writer`]'s lanes; everything else is a question or a transaction of its own ([`Access`]); what others commit is
//! heard by the [`Feed`]. Nothing here keeps anything that the database could contradict.
//!
//! Membership and role are asked inside the statements and transactions that depend on them, never before; who changes a
//! group or its members holds the group's row until the commit, so that two of them act one after the other. Every write
//! that the triggers turn into events tells the hub which group's log moved. Where the database has a membership of its
//! own (`MEMBERS_VIEW`), what would change ours is [`StoreError::Forbidden`].

mod access;
mod accounts;
mod bounds;
mod doctor;
mod ends;
mod exports;
mod feed;
mod groups;
mod invites;
mod link;
mod log;
mod members;
pub mod migrate;
mod operator;
mod place;
mod proofs;
mod pruning;
mod resets;
mod rows;
mod safety;
mod sessions;
mod shape;
mod tickets;
mod writer;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

pub use doctor::examine;
pub use migrate::{MigrateError, Report, migrate, migrate_and_repair};
pub use operator::create_reset;

use super::{Hints, PostgresAddress, PostgresSettings, Store, StoreError, hints};
use crate::telemetry::causes;
use access::Access;
use feed::Feed;
use safety::Way;
use shape::Shape;
use writer::{Backends, Writer};

/// How often it is looked whether the database is still the one that was opened.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A PostgreSQL database.
pub struct PostgresStore {
    access: Access,
    writer: Writer,
    feed: JoinHandle<()>,
    look: JoinHandle<()>,
    hints: Mutex<Option<Hints>>,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The schema could not be brought up to date.
    #[error("the schema could not be brought up to date")]
    Migration(#[from] MigrateError),
    /// Acknowledged messages might be lost.
    #[error(
        "{setting} is {value}, so that acknowledged messages may be lost; switch it on for this database, or set \
         ALLOW_UNSAFE_DURABILITY=true"
    )]
    Unsafe {
        /// The database's setting.
        setting: &'static str,
        /// What it is.
        value: String,
    },
    /// Nobody could be a member.
    #[error("there is no table or view {0} with the columns group_id and user_id")]
    MembersView(String),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl PostgresStore {
    /// Brings the database up to date, looks at it, and opens it. All groups begin a new epoch when it turns out to be an
    /// older copy of what was there, or when the operator knows that it is (`new_epochs`).
    pub async fn open(settings: &PostgresSettings, new_epochs: bool) -> Result<Self, OpenError> {
        let options = options_of(&settings.address);
        let listen_options = settings.listen.as_ref().map_or_else(|| options.clone(), options_of);
        if settings.is_production && safety::way(&options) == Way::Open {
            tracing::warn!(
                "DATABASE_URL: others on the way to the database may read along; add ?sslmode=verify-full, or require"
            );
        }
        let report = migrate(&options).await?;
        for warning in &report.warnings {
            tracing::warn!("{warning}");
        }
        let mut connection = options.clone().statement_cache_capacity(0).connect().await?;
        let durability =
            safety::durability(&mut connection, settings.is_production, settings.allows_unsafe_durability).await?;
        let (home, is_rewritten) = place::settle(&mut connection, new_epochs).await?;
        if is_rewritten {
            tracing::warn!("the database is an older copy of what was here: every group begins a new epoch");
        }
        let shape = Shape::of(&mut connection, settings.members_view.as_ref(), &report).await?;
        let missing =
            || OpenError::MembersView(settings.members_view.as_ref().map(ToString::to_string).unwrap_or_default());
        let shape = shape.ok_or_else(missing)?;
        // Told politely; what it says then does not matter.
        let _ = connection.close().await;
        let is_pooled = safety::is_pooled(&options).await?;
        if is_pooled {
            tracing::info!("DATABASE_URL leads to a pooler in transaction mode");
        }
        let (hint_sender, hints) = hints();
        let hint_sender = Arc::new(hint_sender);
        let backends = Backends::default();
        let access = Access::new(options, is_pooled, durability, shape, home, Arc::clone(&hint_sender));
        let writer = Writer::start(&access, &backends);
        let feed = Feed::new(access.clone(), listen_options, backends, hint_sender);
        let look = tokio::spawn(look_where_it_is(access.clone()));
        Ok(Self { access, writer, feed: tokio::spawn(feed.run()), look, hints: Mutex::new(Some(hints)) })
    }

    /// Finishes what waits and closes all connections.
    pub async fn close(&self) {
        self.feed.abort();
        self.look.abort();
        self.writer.close().await;
        self.access.close().await;
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.feed.abort();
        self.look.abort();
    }
}

impl Store for PostgresStore {
    fn ping(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.access.ask(|link| {
            Box::pin(async move {
                sqlx::query("select 1").execute(link).await?;
                Ok(())
            })
        }))
    }

    fn replaced(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.access.home().left())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(Self::close(self))
    }
}

/// New connections find out by themselves whether the database is still the one that was opened. This is for those that stay
/// while the database behind them changes: a pooler's, and those to a database into which a dump is played back.
async fn look_where_it_is(access: Access) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !access.home().is_left() {
        ticks.tick().await;
        let home = access.home().clone();
        let looked = access.ask(move |link| {
            let home = home.clone();
            Box::pin(async move { Ok(home.check(link).await?) })
        });
        if let Err(error) = looked.await {
            tracing::debug!(error = %causes(&error), "the database did not say where it is");
        }
    }
}

/// Servers say who they are when they connect.
fn options_of(address: &PostgresAddress) -> PgConnectOptions {
    let options = address.options();
    if options.get_application_name().is_some() { options } else { options.application_name("caravana") }
}

/// Whether this is a broken `unique` or `primary key`.
fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
