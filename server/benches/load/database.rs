//! The database of the measured server.

#[path = "../../tests/it/support/postgres/cluster.rs"]
#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "it is the tests' own")]
mod cluster;

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use cluster::Cluster;
use sqlx::{AssertSqlSafe, ConnectOptions as _};

/// The measurement includes the cost of durability, so fsync is on.
const DURABLE: &str = "fsync = on\nfull_page_writes = on\nshared_buffers = 256MB\n";

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A file of its own for each server.
    Sqlite,
    /// A throw-away cluster of this run.
    Postgres,
}

/// Creates the databases.
pub(crate) enum Database {
    /// Files.
    Sqlite,
    /// The cluster, and how many databases it has.
    Postgres(Box<Cluster>, AtomicU32),
}

impl Database {
    pub(crate) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::Sqlite,
            Kind::Postgres => Self::Postgres(Box::new(Cluster::start_with(DURABLE)), AtomicU32::new(0)),
        }
    }

    /// Creates an empty database and answers its address. A SQLite file is created in `folder`.
    pub(crate) fn create(&self, folder: &Path) -> Result<String> {
        let (cluster, number) = match self {
            Self::Sqlite => return Ok(format!("sqlite://{}", folder.join("bench.db").display())),
            Self::Postgres(cluster, number) => (cluster, number.fetch_add(1, Ordering::Relaxed)),
        };
        let (admin, name) = (cluster.options(), format!("bench_{number}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut connection = admin.connect().await.context("the cluster does not answer")?;
            sqlx::raw_sql(AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await?;
            anyhow::Ok(())
        })?;
        Ok(admin.database(&name).to_url_lossy().to_string())
    }

    /// The name for the output.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(..) => "PostgreSQL",
        }
    }
}
