//! System faults under a running server: a system call that fails, or during which the process is killed.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::PATIENCE;

/// How often the end of the tracer is checked.
const POLL: Duration = Duration::from_millis(5);

/// A tracer on a process. Dropping it ends the faults, and the process continues.
pub(crate) struct Strace {
    child: Child,
}

impl Strace {
    /// From now on, each of these system calls fails with this error and has no effect.
    pub(crate) fn failing(pid: u32, calls: &str, error: &str) -> Self {
        Self::attach(pid, calls, &format!("error={error}"))
    }

    /// Kills the process as by kill -9 when one of its threads is about to make the `number`th of these system calls.
    /// The call itself is not made. Calls are counted per thread and per name.
    pub(crate) fn killing(pid: u32, calls: &str, number: u32) -> Self {
        Self::attach(pid, calls, &format!("signal=SIGKILL:when={number}"))
    }

    /// Returns when the tracer has attached to all threads.
    fn attach(pid: u32, calls: &str, what: &str) -> Self {
        let mut child = Command::new("strace")
            .args(["--follow-forks", "--output=/dev/null"])
            .arg(format!("--attach={pid}"))
            .arg(format!("--trace={calls}"))
            .arg(format!("--inject={calls}:{what}"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("strace can not be started ({error}); `cargo xtask setup` installs it"));
        let mut said = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let attached = lines.by_ref().any(|line| {
            let _ = writeln!(said, "{line}");
            line.contains("attached")
        });
        assert!(attached, "strace could not attach to the server; it said: {said}");
        // The pipe must be read all the time: a full pipe would block the tracer.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child }
    }

    /// Ends the faults and waits until the tracer has detached.
    pub(crate) fn end(self) {
        drop(self);
    }

    /// Waits until the tracer ends by itself, after its process has ended. A tracer that is stopped while its process
    /// dies can hang.
    pub(crate) async fn outlive(mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "the tracer does not end with its process");
            tokio::time::sleep(POLL).await;
        }
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let _ = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).stderr(Stdio::null()).status();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
