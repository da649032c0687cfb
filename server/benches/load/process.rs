//! The measured server: its own process, with its own folder, on a loopback port.
//!
//! Owns the child process and ends it by its handle, whatever happens to the benchmark. Reads the server's cost from
//! `/proc`; the server does not know that it is measured.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::database::Database;

/// How long the server may take until it listens.
const START: Duration = Duration::from_secs(20);
/// The pause between two checks whether it listens.
const LOOK: Duration = Duration::from_millis(5);
/// The key of the benchmark's tokens. The server lives for seconds, on the loopback interface only.
pub(crate) const JWT_SECRET: &str = "a key of the benchmarks only, 32 bytes or more";

/// Raised limits, so that the benchmark does not reach them. Limits on memory (mailboxes, frames) keep their defaults.
const SETTINGS: [(&str, &str); 7] = [
    ("JWT_SECRET", JWT_SECRET),
    ("SEND_RATE_PER_USER", "1000000"),
    ("SEND_BURST_PER_USER", "1000000"),
    ("SEND_RATE_PER_GROUP", "1000000"),
    ("MAX_CONNECTIONS", "30000"),
    ("MAX_CONNECTIONS_PER_ADDRESS", "30000"),
    ("HANDSHAKES_PER_SECOND", "1000000"),
];

/// The log filter.
const LOG: &str = "info";
/// The log filter that adds a line for each database statement.
const LOG_STATEMENTS: &str = "info,sqlx::query=debug";
/// Marks the log line of a statement.
const STATEMENT: &str = "sqlx::query";

/// The running server.
#[derive(Debug)]
pub(crate) struct Process {
    running: Running,
    address: SocketAddr,
    /// The address of its database.
    url: String,
    /// Holds the log, and the database if it is a file; removed after the process has ended.
    folder: TempDir,
}

/// A child process that is killed when its handle is dropped.
#[derive(Debug)]
struct Running(Child);

/// The CPUs on which the processes run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// The server on the first CPU, the client on the second.
    Apart,
    /// Chosen by the kernel.
    Free,
}

impl Placement {
    /// [`Placement::Apart`] if possible: it needs `taskset` and two CPUs.
    pub(crate) fn best() -> Self {
        let taskset = Command::new("taskset").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
        let cpus = thread::available_parallelism().map_or(1, usize::from);
        if cpus >= 2 && taskset.is_ok_and(|status| status.success()) { Self::Apart } else { Self::Free }
    }

    /// Moves this process to its CPU. `all` names all CPUs that it may use.
    pub(crate) fn take_place(self, all: &str) -> Result<()> {
        let cpus = match self {
            Self::Apart => "1",
            Self::Free => all,
        };
        let own = std::process::id().to_string();
        let moved = Command::new("taskset").args(["-a", "-c", "-p", cpus, &own]).stdout(Stdio::null()).status();
        match (moved, self) {
            (Ok(status), _) if status.success() => Ok(()),
            // Without taskset this process was never moved.
            (_, Self::Free) => Ok(()),
            (_, Self::Apart) => bail!("taskset could not move the client to CPU {cpus}"),
        }
    }
}

impl Process {
    /// Starts the server with an empty database in a folder below `scratch` and waits until it listens.
    pub(crate) fn start(binary: &Path, scratch: &Path, database: &Database, placement: Placement) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(scratch).context("no folder for a server")?;
        let url = database.create(folder.path())?;
        Self::start_in(folder, url, binary, placement, LOG)
    }

    /// Like [`Process::restart`], but the server logs every statement, and [`Process::statements`] counts them. Only
    /// for counting: the log is too slow for a measurement of time.
    pub(crate) fn restart_counting(self, binary: &Path, placement: Placement) -> Result<Self> {
        let Self { running, folder, url, .. } = self;
        drop(running);
        Self::start_in(folder, url, binary, placement, LOG_STATEMENTS)
    }

    /// Kills the server and starts a new one on the same database, so that its memory holds nothing from before.
    pub(crate) fn restart(self, binary: &Path, placement: Placement) -> Result<Self> {
        let Self { running, folder, url, .. } = self;
        drop(running);
        Self::start_in(folder, url, binary, placement, LOG)
    }

    fn start_in(folder: TempDir, url: String, binary: &Path, placement: Placement, log_filter: &str) -> Result<Self> {
        let address = free_address()?;
        let log = File::create(folder.path().join("server.log"))?;
        let mut command = match placement {
            Placement::Apart => {
                let mut command = Command::new("taskset");
                command.args(["-c", "0"]).arg(binary);
                command
            }
            Placement::Free => Command::new(binary),
        };
        let running = command
            .current_dir(folder.path())
            .env("DATABASE_URL", &url)
            .env("LEPTOS_SITE_ADDR", address.to_string())
            .envs(SETTINGS)
            .env("RUST_LOG", log_filter)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .map(Running)
            .with_context(|| format!("{} can't be started", binary.display()))?;
        let mut process = Self { running, address, url, folder };
        process.wait_until_it_listens()?;
        Ok(process)
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        let deadline = Instant::now() + START;
        while TcpStream::connect_timeout(&self.address, LOOK).is_err() {
            if let Some(status) = self.running.0.try_wait()? {
                bail!("the server ended at its start ({status}):\n{}", self.log());
            }
            if Instant::now() > deadline {
                bail!("the server does not listen:\n{}", self.log());
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// The address of its database, for another program.
    pub(crate) fn database(&self) -> &str {
        &self.url
    }

    /// The address where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The last lines of its log, newest first, for an error message.
    pub(crate) fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// CPU time of all its threads.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.running.0.id())).context("the server is gone")?;
        let nanoseconds = tasks
            .flatten()
            // A thread may end between the two reads.
            .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
            .filter_map(|schedstat| schedstat.split(' ').next()?.parse::<u64>().ok())
            .sum();
        if nanoseconds == 0 {
            bail!("this kernel does not count CPU time in /proc/<pid>/task/*/schedstat");
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The statements in its log up to now: all of them, and those whose text contains `word`.
    pub(crate) fn statements(&self, word: &str) -> Result<(u64, u64)> {
        let log = fs::read_to_string(self.folder.path().join("server.log"))?;
        let (mut all, mut named) = (0, 0);
        for line in log.lines().filter(|line| line.contains(STATEMENT)) {
            all += 1;
            named += u64::from(line.contains(word));
        }
        Ok((all, named))
    }

    /// Its peak resident memory, in KiB.
    pub(crate) fn peak(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.running.0.id()))?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse().ok())
            .context("no VmHWM in status")
    }

    /// Its memory in KiB: the proportional set size, which counts a shared page by its share.
    pub(crate) fn memory(&self) -> Result<u64> {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.running.0.id()))?;
        rollup
            .lines()
            .find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix("kB")?.trim().parse().ok())
            .context("no Pss in smaps_rollup")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A kill loses no committed data, as the server promises.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Finds a free port; another program could still take it.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?)
}

/// The limit of open files of this process, and so of the server.
pub(crate) fn open_files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok())
        .unwrap_or(1_024)
}

/// The CPUs that this process may use, as `taskset` reads them.
pub(crate) fn allowed_cpus() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .map_or_else(|| "0-1023".to_owned(), |list| list.trim().to_owned())
}

/// The machine's load average of the last minute: a high load makes the figures unreliable.
pub(crate) fn load_average() -> f64 {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(f64::NAN)
}
