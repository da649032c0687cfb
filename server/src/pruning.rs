//! Deletes expired rows from the database, in short writes between those of users.
//!
//! Promises that nothing that expires (tickets, sign-ins, links) stays for ever, and that the deletion of an account is
//! completed even after a restart.

use std::sync::Arc;
use std::time::Duration;

use caravana_store::{Pruning, StoreError};
use caravana_telemetry::causes;
use futures::future::BoxFuture;

use crate::clock::unix_seconds;
use crate::shutdown::Shutdown;

/// How often expired rows are looked for.
const EVERY: Duration = Duration::from_mins(1);
/// Rows of one write, which takes some milliseconds.
const BATCH: u32 = 500;

/// Prunes until the process ends.
pub(crate) fn run(store: Arc<dyn Pruning>, shutdown: Shutdown) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        loop {
            tokio::select! {
                () = shutdown.triggered() => return,
                pruned = all(&*store) => if let Err(error) = pruned {
                    tracing::warn!(error = %causes(&error), "what is over could not be pruned");
                }
            }
            tokio::select! {
                () = shutdown.triggered() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    })
}

async fn all(store: &dyn Pruning) -> Result<(), StoreError> {
    while store.prune(unix_seconds(), BATCH).await? > 0 {}
    forget_authors(store).await
}

/// Removes deleted users as authors from all messages that they wrote.
pub(crate) async fn forget_authors(store: &dyn Pruning) -> Result<(), StoreError> {
    while store.forget_authors(BATCH).await? {}
    Ok(())
}
