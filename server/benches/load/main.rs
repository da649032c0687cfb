//! Load tests from outside: the real server as its own process, real sockets, real files.
//!
//! `cargo xtask bench` runs it; docs/performance.md explains its output. It ends by itself, connects only to the
//! loopback interface, and ends the servers that it started by their handles. A benchmark neither passes nor fails.

mod client;
mod database;
mod growth;
mod latency;
mod other_servers;
mod process;
mod report;
mod rest;
mod workload;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};

use database::{Database, Kind};
use process::Placement;
use workload::{Outcome, Plan};

/// The most idle connections: the other servers were measured with this number.
const CONNECTIONS: usize = 19_000;
/// Open files that a process needs for itself.
const OWN_FILES: usize = 500;
/// Numbers of receivers in the fan-out workload.
const RECEIVERS: [usize; 2] = [100, 1_000];
/// Messages in flight: with 1 no batching is possible, with 64 much is.
const IN_FLIGHT: [u64; 2] = [1, 64];

/// Numbers of senders in the durable workload, each with one message in flight.
const SENDERS: [usize; 2] = [16, 256];

/// Measures the server and prints the figures of other servers beside its own.
#[derive(Debug, Parser)]
struct Options {
    /// A few seconds for each workload instead of a few minutes for all; good for seeing that nothing broke.
    #[arg(long)]
    quick: bool,
    /// Only these workloads.
    #[arg(value_enum)]
    workloads: Vec<Workload>,
    /// What the server stores in. For PostgreSQL a cluster is made and ended, with fsync on.
    #[arg(long, value_enum, default_value = "sqlite")]
    store: Kind,
    /// Another binary than the one built for this benchmark.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_server"))]
    server: PathBuf,
    /// Seconds that each repetition measures (3, quick: 1).
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: Option<u64>,
    /// Repetitions of each case (5, quick: 1).
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=100))]
    repetitions: Option<u16>,
    /// Idle connections (19,000 or what the limit of open files allows, quick: 2,000).
    #[arg(long, value_parser = clap::value_parser!(u16).range(10..=19_000))]
    connections: Option<u16>,
    /// What cargo passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Workload {
    /// One sends, many receive.
    FanOut,
    /// Many send, everything is stored.
    Durable,
    /// Many are connected and silent.
    Idle,
    /// The server is killed under load and comes back.
    Restart,
    /// Everybody comes back at once.
    Storm,
    /// Some read nothing.
    Stalled,
    /// One has missed as much as is replayed.
    Resume,
    /// Another program writes.
    Foreign,
    /// The heads of many groups are asked for.
    Sweep,
    /// A million messages are searched. Only by name: filling the database takes minutes.
    Search,
    /// Each figure at several sizes, with the exponent of its growth. Only by name: it takes minutes.
    Growth,
}

#[expect(clippy::print_stdout, reason = "a benchmark prints")]
fn main() -> Result<()> {
    let options = Options::parse();
    if !options.bench {
        // `cargo test --benches` also runs this, and must end at once.
        println!("this is measured by `cargo xtask bench` or `cargo bench`");
        return Ok(());
    }
    let plan = options.plan();
    let folder = folder_of_results()?;
    println!("server {}, load average {:.1}", plan.server.display(), process::load_average());
    match plan.placement {
        Placement::Apart => println!("server on CPU 0, client on CPU 1"),
        Placement::Free => println!("NOT pinned: taskset or a second CPU is missing; figures move more than usual"),
    }
    println!("other servers: medians of 2026-11-22, same kind of machine; compare the CPU cost first");
    let chosen = |workload| options.workloads.is_empty() || options.workloads.contains(&workload);
    if chosen(Workload::FanOut) {
        for receivers in RECEIVERS {
            tell(&plan, &folder, "fan-out", &workload::fan_out(&plan, receivers, &IN_FLIGHT)?)?;
        }
    }
    if chosen(Workload::Durable) {
        for senders in SENDERS {
            if plan.placement == Placement::Apart {
                tell(&plan, &folder, "durable", &workload::durable(&plan, senders, Placement::Apart)?)?;
            }
            tell(&plan, &folder, "durable", &workload::durable(&plan, senders, Placement::Free)?)?;
        }
    }
    if chosen(Workload::Idle) {
        if plan.connections < CONNECTIONS {
            println!("\nidle with {} connections (`ulimit -n` {})", plan.connections, process::open_files());
        }
        tell(&plan, &folder, "idle", &workload::idle(&plan)?)?;
    }
    if chosen(Workload::Restart) {
        tell(&plan, &folder, "restart", &workload::restart(&plan)?)?;
    }
    if chosen(Workload::Storm) {
        tell(&plan, &folder, "storm", &workload::storm(&plan)?)?;
    }
    if chosen(Workload::Stalled) {
        tell(&plan, &folder, "stalled", &workload::stalled(&plan)?)?;
    }
    if chosen(Workload::Resume) {
        tell(&plan, &folder, "resume", &workload::resume(&plan)?)?;
    }
    if chosen(Workload::Foreign) {
        tell(&plan, &folder, "foreign", &workload::foreign(&plan)?)?;
    }
    if chosen(Workload::Sweep) {
        tell(&plan, &folder, "sweep", &workload::sweep(&plan)?)?;
    }
    if options.workloads.contains(&Workload::Search) {
        tell(&plan, &folder, "search", &workload::search(&plan, options.quick)?)?;
    }
    if options.workloads.contains(&Workload::Growth) {
        growth::growth(&plan, options.quick, &folder)?;
    }
    println!("\nload average {:.1}; one JSON line per repetition in {}", process::load_average(), folder.display());
    Ok(())
}

impl Options {
    fn plan(&self) -> Plan {
        fn pick<T>(quick: bool, full: T, short: T) -> T {
            if quick { short } else { full }
        }
        let room = process::open_files().saturating_sub(OWN_FILES);
        let connections = self.connections.map_or(pick(self.quick, CONNECTIONS, 2_000), usize::from).min(room);
        Plan {
            server: self.server.clone(),
            scratch: PathBuf::from(env!("CARGO_TARGET_TMPDIR")),
            placement: Placement::best(),
            cpus: process::allowed_cpus(),
            window: Duration::from_secs(self.seconds.unwrap_or(pick(self.quick, 3, 1))),
            warm_up: Duration::from_millis(pick(self.quick, 1_000, 300)),
            repetitions: self.repetitions.map_or(pick(self.quick, 5, 1), usize::from),
            connections,
            database: Database::of(self.store),
        }
    }
}

/// `bench` in cargo's target folder.
fn folder_of_results() -> Result<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().context("no target folder")?;
    Ok(target.join("bench"))
}

fn tell(plan: &Plan, folder: &Path, workload: &str, outcomes: &[Outcome]) -> Result<()> {
    report::print(outcomes);
    report::save(folder, workload, &plan.server, outcomes)
}
