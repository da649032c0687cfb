//! The system resources that a process holds.

use std::path::PathBuf;

/// The resources of a process at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vitals {
    /// Open file descriptors.
    pub(crate) descriptors: usize,
    /// Threads.
    pub(crate) threads: usize,
    /// Resident memory in KiB.
    pub(crate) memory: usize,
}

impl Vitals {
    pub(crate) fn of(pid: u32) -> Self {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let status = std::fs::read_to_string(folder.join("status")).unwrap();
        let figure = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        let descriptors = std::fs::read_dir(folder.join("fd")).unwrap().count();
        Self { descriptors, threads: figure("Threads"), memory: figure("VmRSS") }
    }
}
