//! The PostgreSQL adapter: the server's schema beside the seed's tables, in a database that other programs use too.
//!
//! [`migrate()`] brings a database to the state that the rest relies on. [`PostgresStore`] keeps the promises of every
//! adapter. It keeps G1 by the database's own `synchronous_commit`, which it reads at the start and sets again for
//! every connection. Sends go through the lanes of the [`Writer`]; everything else is a query or a transaction of its
//! own ([`Access`]); the [`Feed`] listens for commits of other programs. The adapter caches no data of the chat.
//!
//! Membership and role are checked inside the statements and transactions that depend on them, never before. A write
//! that changes a group or its members holds the group's row until the commit, so that two such writes run one after
//! the other. Every write that the triggers turn into events tells the hub which group's log has new events. Where the
//! database has a membership table of its own (`MEMBERS_VIEW`), a write that would change the server's table is
//! [`StoreError::Forbidden`].

mod access;
mod accounts;
mod address;
mod backend;
mod bounds;
mod direct;
mod directs;
mod doctor;
mod ended;
mod ends;
mod exports;
mod feed;
mod groups;
mod invites;
mod log;
mod members;
mod members_view;
pub mod migrate;
mod mine;
mod operator;
mod place;
mod privacy;
mod proofs;
mod pruning;
mod resets;
mod roles;
mod rows;
mod safety;
mod search;
mod sessions;
mod settings;
mod shape;
mod tickets;
mod trip;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use caravana_store::{HintSender, HintSource, Store, StoreError};
use caravana_telemetry::causes;
use futures::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

pub use address::{AddressError, PostgresAddress};
pub use doctor::examine;
pub use members_view::{MembersView, MembersViewError};
pub use migrate::{MigrateError, Report, index_all, migrate, migrate_and_repair};
pub use operator::create_reset;
pub use settings::PostgresSettings;

use access::Access;
use feed::Feed;
use safety::Way;
use shape::Shape;
use writer::{OwnBackends, Writer};

/// How often to check that the address still leads to the database that was opened.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A PostgreSQL database.
pub struct PostgresStore {
    access: Access,
    writer: Writer,
    feed: JoinHandle<()>,
    look: JoinHandle<()>,
    hints: HintSource,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The schema could not be brought up to date.
    #[error("the schema could not be brought up to date")]
    Migration(#[from] MigrateError),
    /// The database's settings allow that acknowledged messages get lost.
    #[error(
        "{setting} is {value}, so that acknowledged messages may be lost; switch it on for this database, or set \
         ALLOW_UNSAFE_DURABILITY=true"
    )]
    Unsafe {
        /// The database's setting.
        setting: &'static str,
        /// Its value.
        value: String,
    },
    /// The table or view of `MEMBERS_VIEW` is missing or lacks columns.
    #[error("there is no table or view {0} with the columns group_id and user_id")]
    MembersView(String),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl PostgresStore {
    /// Brings the schema up to date, checks the database, and opens it. All groups begin a new epoch if the database
    /// turns out to be an older copy, or if the operator says so (`new_epochs`).
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
        // An error while closing has no effect.
        let _ = connection.close().await;
        let is_pooled = safety::is_pooled(&options).await?;
        if is_pooled {
            tracing::info!("DATABASE_URL leads to a pooler in transaction mode");
        }
        let hint_sender = Arc::new(HintSender::default());
        let hints = hint_sender.source();
        let own_backends = OwnBackends::default();
        let access = Access::new(options, is_pooled, durability, shape, home, Arc::clone(&hint_sender));
        let writer = Writer::start(&access, &own_backends);
        let feed = Feed::new(access.clone(), listen_options, own_backends, hint_sender);
        let look = tokio::spawn(look_where_it_is(access.clone()));
        Ok(Self { access, writer, feed: tokio::spawn(feed.run()), look, hints })
    }

    /// Finishes the waiting writes and closes all connections.
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
        Box::pin(self.access.ask(|backend| {
            Box::pin(async move {
                sqlx::query("select 1").execute(backend).await?;
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

/// Checks periodically that the database is still the one that was opened. A new connection checks this itself. This
/// task is for connections that stay open while the database behind them changes: those of a pooler, and those to a
/// database into which a dump is restored.
async fn look_where_it_is(access: Access) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !access.home().is_left() {
        ticks.tick().await;
        let home = access.home().clone();
        let looked = access.ask(move |backend| {
            let home = home.clone();
            Box::pin(async move { Ok(home.check(backend).await?) })
        });
        if let Err(error) = looked.await {
            tracing::debug!(error = %causes(&error), "the database did not say where it is");
        }
    }
}

/// The application name tells other programs that this connection belongs to a server.
fn options_of(address: &PostgresAddress) -> PgConnectOptions {
    let options = address.options();
    if options.get_application_name().is_some() { options } else { options.application_name("caravana") }
}

/// Whether the error is a violated `unique` or `primary key` constraint.
fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
