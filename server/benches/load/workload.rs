//! The workloads, and their common parts: plan, time windows, figures.

mod durable;
mod fan_out;
mod foreign;
mod idle;
mod restart;
mod resume;
mod search;
mod stalled;
mod storm;
mod sweep;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;

pub(crate) use durable::durable;
pub(crate) use fan_out::fan_out;
pub(crate) use foreign::foreign;
pub(crate) use idle::idle;
pub(crate) use restart::restart;
pub(crate) use resume::resume;
pub(crate) use search::search;
pub(crate) use stalled::stalled;
pub(crate) use storm::storm;
pub(crate) use sweep::sweep;

use crate::client::{Counts, Swarm};
use crate::database::Database;
use crate::process::{Placement, Process};

/// The settings of a run.
pub(crate) struct Plan {
    /// The server's binary.
    pub(crate) server: PathBuf,
    /// The folder for databases; on a real disk, because the durable workload measures its fsync.
    pub(crate) scratch: PathBuf,
    /// The kind of database.
    pub(crate) database: Database,
    /// The placement of processes, unless a workload chooses another.
    pub(crate) placement: Placement,
    /// The CPUs that the client may use when it is not pinned.
    pub(crate) cpus: String,
    /// How long one repetition measures.
    pub(crate) window: Duration,
    /// How long each repetition warms up before it measures.
    pub(crate) warm_up: Duration,
    /// Repetitions of each case.
    pub(crate) repetitions: usize,
    /// Idle connections to hold.
    pub(crate) connections: usize,
}

/// One thing that was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figure {
    /// Its name, with the unit.
    pub(crate) name: &'static str,
    /// Its value.
    pub(crate) value: f64,
}

/// One repetition of one case.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// The case, as it is printed.
    pub(crate) case: String,
    /// What was measured.
    pub(crate) figures: Vec<Figure>,
}

/// The state at one moment; two of them make a window.
struct Moment {
    at: Instant,
    counts: Counts,
    server: Duration,
    client: Duration,
}

impl Moment {
    fn now(swarm: &Swarm, process: &Process) -> Result<Self> {
        Ok(Self { at: Instant::now(), counts: swarm.counts, server: process.cpu()?, client: own_cpu() })
    }

    /// The figures of every window: speed, cost, and whether the client was the bottleneck.
    fn common(&self, end: &Self) -> Vec<Figure> {
        let seconds = (end.at - self.at).as_secs_f64();
        let frames = count(end.counts.frames() - self.counts.frames());
        let cost = end.server_since(self);
        vec![
            Figure { name: FRAME_COST, value: cost * 1e6 / frames.max(1.0) },
            Figure { name: FRAMES, value: frames / seconds },
            Figure { name: SERVER_CPUS, value: cost / seconds },
            Figure { name: CLIENT_CPUS, value: end.client.saturating_sub(self.client).as_secs_f64() / seconds },
        ]
    }

    /// Seconds of CPU time that the server used since `begin`. The time of a thread that ended meanwhile is missing.
    fn server_since(&self, begin: &Self) -> f64 {
        self.server.saturating_sub(begin.server).as_secs_f64()
    }

    /// Messages that were sent but not delivered, and connections that ended.
    fn lost(swarm: &Swarm, receivers: usize) -> Figure {
        let due = swarm.counts.sent * u64::try_from(receivers).unwrap_or(0);
        Figure { name: LOST, value: count(due.saturating_sub(swarm.counts.delivered) + swarm.counts.closed) }
    }
}

/// The server's CPU time for each frame with a text that reached a client.
pub(crate) const FRAME_COST: &str = "server CPU, µs/frame";
/// Deliveries, echoes and acknowledgements in a second.
pub(crate) const FRAMES: &str = "frames/s";
/// CPUs that the server kept busy.
pub(crate) const SERVER_CPUS: &str = "server, CPUs busy";
/// CPUs that the client kept busy; near 1 it was the bottleneck.
pub(crate) const CLIENT_CPUS: &str = "client, CPUs busy";
/// Median from a send to its delivery.
pub(crate) const P50: &str = "delivery p50, ms";
/// 99th percentile from a send to its delivery.
pub(crate) const P99: &str = "delivery p99, ms";
/// Messages that did not arrive, and connections that ended.
pub(crate) const LOST: &str = "lost or closed";
/// Deliveries whose number was not the next one of their sender.
pub(crate) const GAPS: &str = "out of order";
/// Acknowledgements in a second.
pub(crate) const ACKS: &str = "acks/s";
/// Median from a send to its acknowledgement.
pub(crate) const ACK_P50: &str = "ack p50, ms";
/// 99th percentile from a send to its acknowledgement.
pub(crate) const ACK_P99: &str = "ack p99, ms";
/// The server's CPU time for each message sent, its deliveries included.
pub(crate) const SEND_COST: &str = "server CPU, µs/send";
/// Idle connections that were open.
pub(crate) const CONNECTIONS: &str = "connections";
/// Connections in a second, from the first connect until all have their group's `joined`.
pub(crate) const CONNECTS: &str = "connects/s";
/// The server's CPU time for each new connection.
pub(crate) const CONNECT_COST: &str = "server CPU, µs/connect";
/// The server's memory for each idle connection.
pub(crate) const MEMORY: &str = "KiB/connection (PSS)";
/// CPUs that the server keeps busy with nothing but idle connections.
pub(crate) const IDLE_CPUS: &str = "server, CPUs busy idle";

/// From the kill to the first 200 of `/readyz`.
pub(crate) const READY: &str = "kill to ready, ms";
/// From the kill to the first acknowledgement of a message.
pub(crate) const FIRST_ACK: &str = "kill to first ack, ms";
/// From the kill until every client has received what it missed.
pub(crate) const ALL_BACK: &str = "kill to all caught up, s";
/// The most memory that the server had.
pub(crate) const PEAK: &str = "server, peak RSS, MiB";
/// Statements of the database for each connection that came back, those of the upgrade included.
pub(crate) const STATEMENTS: &str = "statements/return";
/// The queries of the log among these statements, for each resume.
pub(crate) const PAGES: &str = "log queries/resume";
/// From the first byte of a connection until it has received everything that it missed.
pub(crate) const RESUMED: &str = "caught up, ms";
/// Messages that arrived in that time.
pub(crate) const EVENTS: &str = "events replayed";
/// Median from another program's statement to a client's read.
pub(crate) const FOREIGN_P50: &str = "insert to frame p50, ms";
/// 99th percentile from another program's statement to a client's read.
pub(crate) const FOREIGN_P99: &str = "insert to frame p99, ms";
/// Median of one query for the heads of all groups.
pub(crate) const SWEEP_P50: &str = "one question p50, ms";
/// 99th percentile of one query for the heads of all groups.
pub(crate) const SWEEP_P99: &str = "one question p99, ms";
/// Median of one search.
pub(crate) const SEARCH_P50: &str = "one search p50, ms";
/// 95th percentile of one search.
pub(crate) const SEARCH_P95: &str = "one search p95, ms";
/// The 99th percentile with connections that read nothing, divided by that without.
pub(crate) const RATIO: &str = "p99 with / without";

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// A count as a figure.
#[expect(clippy::cast_precision_loss, reason = "counts of seconds are far below 2^52")]
fn count(count: u64) -> f64 {
    count as f64
}

/// CPU time of this thread, which runs the whole client during a measurement.
fn own_cpu() -> Duration {
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(schedstat.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0))
}
