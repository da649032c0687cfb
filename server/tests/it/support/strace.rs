//! Faults of the system under a running server: a call of the kernel that fails, or that the process does not survive.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::PATIENCE;

/// How often the tracer's end is looked for.
const POLL: Duration = Duration::from_millis(5);

/// A tracer on a process. The faults end, and the process goes on, when this is dropped.
pub(crate) struct Strace {
    child: Child,
}

impl Strace {
    /// Every call of these from now on fails with this error, and does nothing.
    pub(crate) fn failing(pid: u32, calls: &str, error: &str) -> Self {
        Self::attach(pid, calls, &format!("error={error}"))
    }

    /// Kills the process, as by kill -9, where one of its threads is about to make the `number`th of these calls. The
    /// call itself is not made. Each thread and each of the calls is counted for itself.
    pub(crate) fn killing(pid: u32, calls: &str, number: u32) -> Self {
        Self::attach(pid, calls, &format!("signal=SIGKILL:when={number}"))
    }

    /// Returns when the tracer is on all threads.
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
        // A full pipe would stop the tracer.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child }
    }

    /// Takes the faults away and waits until the process is free.
    pub(crate) fn end(self) {
        drop(self);
    }

    /// Waits for the tracer's own end, which comes when its process has ended. A tracer that is asked to go while its
    /// process dies can get stuck.
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
