//! The planned shutdown of the process.
//!
//! Owns one signal and one list of tasks. Promises that every task spawned here is waited for, up to a deadline. It
//! never kills a task: a task that still runs after the deadline ends with the runtime. `serve` waits; the accept loop,
//! the connections and the hub spawn tasks.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// The signal that the process must end, and the tasks that must finish first. Clones share both.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    signal: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// The state of a running process.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The shutdown of a part of the process with its own tasks: triggered by the whole process, or separately.
    #[must_use]
    pub fn of_a_part(&self) -> Self {
        Self { signal: self.signal.child_token(), tasks: TaskTracker::new() }
    }

    /// Asks all tasks to end. Further calls change nothing.
    pub fn trigger(&self) {
        self.signal.cancel();
    }

    /// Whether the shutdown was triggered.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        self.signal.is_cancelled()
    }

    /// Waits until the shutdown is triggered.
    pub async fn triggered(&self) {
        self.signal.cancelled().await;
    }

    /// Spawns a task that the shutdown waits for.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// Makes the shutdown wait for the holder of this token, too.
    pub fn token(&self) -> TaskTrackerToken {
        self.tasks.token()
    }

    /// Waits for all tasks. Returns `false` if some were still running after `patience`.
    pub async fn finished(&self, patience: Duration) -> bool {
        self.tasks.close();
        tokio::time::timeout(patience, self.tasks.wait()).await.is_ok()
    }
}

/// Triggers the shutdown on SIGTERM or SIGINT. A process that can't listen to signals ends only by SIGKILL; the start
/// logs this.
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
