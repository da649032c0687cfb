//! What waits in the writer's queue.

use std::collections::HashSet;

use caravana_store::{Appended, Effects, NewMessage, StoreError};
use futures::future::BoxFuture;
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

/// The outcome of a job inside the open transaction.
pub(super) enum Verdict {
    /// Keep the job's changes.
    Keep,
    /// Undo the job's changes and go on with the other jobs.
    Undo,
    /// The database failed: undo the whole transaction.
    Abort,
}

/// Answers the caller after the commit, or with the reason why there was none.
pub(super) type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Runs inside the transaction.
pub(super) type Run =
    Box<dyn for<'c> FnOnce(&'c mut SqliteConnection, &'c mut Effects) -> BoxFuture<'c, (Verdict, Answer)> + Send>;

/// A write that waits for its turn.
pub(super) enum Job {
    /// A message without `reply_to`; the messages that wait one behind the other are stored by one statement.
    Send(Sending),
    /// Any other write.
    Run {
        /// Its statements.
        run: Run,
        /// Whether it has several statements, so that undoing it needs a savepoint.
        compound: bool,
    },
}

/// A message and the channel for its answer.
pub(super) struct Sending {
    pub(super) message: NewMessage,
    pub(super) answer: oneshot::Sender<Result<Appended, StoreError>>,
}

impl Job {
    pub(super) fn into_send(self) -> Option<Sending> {
        match self {
            Self::Send(send) => Some(send),
            Self::Run { .. } => None,
        }
    }
}

/// Whether the whole transaction can be one call.
pub(super) fn are_sends_with_different_ids(batch: &[Job]) -> bool {
    let mut ids = HashSet::with_capacity(batch.len());
    batch.iter().all(|job| match job {
        Job::Send(send) => ids.insert(send.message.id),
        Job::Run { .. } => false,
    })
}
