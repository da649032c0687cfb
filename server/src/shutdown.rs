//! The planned end of the process.
//!
//! Owns one signal and one list of tasks. Promises that every task spawned here is waited for, up to a deadline. It
//! never ends a task by force: what is still running after the deadline ends with the runtime. `serve` waits; the accept
//! loop, the connections and the hub spawn.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// The signal that the process is to end, and the tasks that must end before it. Clones share both.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    signal: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// A process that runs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The end of a part of the process, with tasks of its own: it ends with the whole, or by itself.
    #[must_use]
    pub fn of_a_part(&self) -> Self {
        Self { signal: self.signal.child_token(), tasks: TaskTracker::new() }
    }

    /// Asks everything to end. Doing it again changes nothing.
    pub fn trigger(&self) {
        self.signal.cancel();
    }

    /// Whether the end was asked for.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        self.signal.is_cancelled()
    }

    /// Waits until the end is asked for.
    pub async fn triggered(&self) {
        self.signal.cancelled().await;
    }

    /// Runs a task that the end waits for.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// Makes the end wait for the holder of this token, too.
    pub fn token(&self) -> TaskTrackerToken {
        self.tasks.token()
    }

    /// Waits for all tasks. `false` when some were still running after `patience`.
    pub async fn finished(&self, patience: Duration) -> bool {
        self.tasks.close();
        tokio::time::timeout(patience, self.tasks.wait()).await.is_ok()
    }
}

/// Asks for the end when the operator does: SIGTERM or SIGINT. A process that can't listen to signals ends by SIGKILL
/// only, which is said at the start.
pub fn trigger_on_signals(shutdown: &Shutdown) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = shutdown.clone();
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "ending");
        shutdown.trigger();
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_ends_by_itself_or_with_the_whole() {
        let whole = Shutdown::new();
        let (first, second) = (whole.of_a_part(), whole.of_a_part());
        first.trigger();
        assert!(!whole.is_triggered() && !second.is_triggered());
        whole.trigger();
        assert!(second.is_triggered());
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_waits_for_tasks_but_not_for_ever() {
        let shutdown = Shutdown::new();
        let token = shutdown.token();
        let inner = shutdown.clone();
        shutdown.spawn(async move { inner.triggered().await });
        shutdown.trigger();
        assert!(shutdown.is_triggered());
        assert!(!shutdown.finished(Duration::from_secs(1)).await);
        drop(token);
        assert!(shutdown.finished(Duration::from_secs(1)).await);
    }
}
