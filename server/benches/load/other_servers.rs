//! Figures of other servers, printed beside those of this server.
//!
//! They come from a benchmark of their own (PERFORMANCE.md and `bench/RESULTS.md` of the shared documents): medians, measured
//! on 2026-11-22 between 15:00 and 15:45 UTC on two virtual CPUs of an AMD EPYC, Linux 6.18, with the server pinned to
//! one CPU while other programs compiled. Compare the cost per frame first: it depends least on what else the machine
//! does. Of these servers, only the seed's stack with SQLite stores anything.

use crate::workload::{ACK_P50, ACK_P99, ACKS, CONNECT_COST, CONNECTS, FRAME_COST, FRAMES, MEMORY, P50, SEND_COST};

/// A server and one figure of it.
type Known = (&'static str, &'static str, f64);

/// The figures of each case. A case is found by the beginning of its name.
const CASES: [(&str, &[Known]); 7] = [
    (
        "fan-out: 1 group × 100, 1 in",
        &[
            ("Bun", FRAME_COST, 5.25),
            ("Bun", FRAMES, 95_789.0),
            ("Bun", P50, 0.77),
            ("bare tokio hub", FRAME_COST, 5.42),
            ("bare tokio hub", FRAMES, 87_687.0),
            ("bare tokio hub", P50, 0.78),
            ("Socket.IO 4", FRAME_COST, 9.80),
            ("Socket.IO 4", FRAMES, 60_452.0),
            ("Socket.IO 4", P50, 1.46),
            ("seed's stack", FRAME_COST, 17.45),
            ("seed's stack", FRAMES, 37_524.0),
            ("seed's stack", P50, 3.65),
        ],
    ),
    (
        "fan-out: 1 group × 100, 64 in",
        &[
            ("Bun", FRAME_COST, 0.29),
            ("Bun", FRAMES, 2_085_157.0),
            ("bare tokio hub", FRAME_COST, 0.28),
            ("bare tokio hub", FRAMES, 2_005_429.0),
            ("Socket.IO 4", FRAME_COST, 7.49),
            ("Socket.IO 4", FRAMES, 107_831.0),
            ("seed's stack", FRAME_COST, 14.46),
            ("seed's stack", FRAMES, 54_850.0),
        ],
    ),
    (
        "fan-out: 1 group × 1000, 1 in",
        &[
            ("Bun", FRAME_COST, 6.12),
            ("Bun", FRAMES, 98_889.0),
            ("Bun", P50, 12.35),
            ("bare tokio hub", FRAME_COST, 6.90),
            ("bare tokio hub", FRAMES, 88_042.0),
            ("bare tokio hub", P50, 16.02),
            ("Socket.IO 4", FRAME_COST, 13.90),
            ("Socket.IO 4", FRAMES, 56_992.0),
            ("Socket.IO 4", P50, 25.92),
            ("seed's stack", FRAME_COST, 25.24),
            ("seed's stack", FRAMES, 33_521.0),
            ("seed's stack", P50, 44.27),
        ],
    ),
    (
        "fan-out: 1 group × 1000, 64 in",
        &[
            ("Bun", FRAME_COST, 0.33),
            ("Bun", FRAMES, 2_016_014.0),
            ("bare tokio hub", FRAME_COST, 0.28),
            ("bare tokio hub", FRAMES, 2_650_314.0),
            ("Socket.IO 4", FRAME_COST, 8.40),
            ("Socket.IO 4", FRAMES, 97_495.0),
            ("seed's stack", FRAME_COST, 25.43),
            ("seed's stack", FRAMES, 34_231.0),
        ],
    ),
    (
        "durable: 16 senders, 10 receivers, fsync on, server on one CPU",
        &[
            // One epoll thread that commits once per turn and checks nothing: the limit of the machine.
            ("bare epoll + SQLite", ACKS, 2_263.0),
            ("bare epoll + SQLite", ACK_P50, 7.55),
            ("bare epoll + SQLite", ACK_P99, 17.89),
            ("bare epoll + SQLite", SEND_COST, 114.0),
            ("seed's + SQLite", ACKS, 598.0),
            ("seed's + SQLite", ACK_P50, 22.63),
            ("seed's + SQLite", ACK_P99, 59.80),
            ("seed's + SQLite", SEND_COST, 777.0),
        ],
    ),
    (
        "durable: 16 senders, 10 receivers, fsync on, free",
        &[
            ("bare epoll + SQLite", ACKS, 9_119.0),
            ("bare epoll + SQLite", ACK_P50, 1.58),
            ("bare epoll + SQLite", ACK_P99, 4.18),
            ("bare epoll + SQLite", SEND_COST, 88.0),
            ("seed's + SQLite", ACKS, 1_574.0),
            ("seed's + SQLite", ACK_P50, 9.76),
            ("seed's + SQLite", ACK_P99, 21.51),
            ("seed's + SQLite", SEND_COST, 680.0),
        ],
    ),
    (
        // At 19,000 connections. Only this server checks a token and reads the group from a database.
        "idle",
        &[
            ("Bun", MEMORY, 1.92),
            ("Bun", CONNECTS, 23_182.0),
            ("Bun", CONNECT_COST, 22.0),
            ("bare tokio hub", MEMORY, 4.17),
            ("bare tokio hub", CONNECTS, 25_704.0),
            ("bare tokio hub", CONNECT_COST, 35.0),
            ("Socket.IO 4", MEMORY, 13.59),
            ("Socket.IO 4", CONNECTS, 2_612.0),
            ("Socket.IO 4", CONNECT_COST, 305.0),
            ("seed's stack", MEMORY, 38.68),
            ("seed's stack", CONNECTS, 898.0),
            ("seed's stack", CONNECT_COST, 971.0),
        ],
    ),
];

/// The targets (PERFORMANCE.md, "Targets").
const TARGETS: [(&str, &str, &str); 8] = [
    ("fan-out: 1 group × 100, 1 in", FRAME_COST, "≤ Bun's"),
    ("fan-out: 1 group × 100, 64 in", FRAME_COST, "≤ Bun's"),
    ("fan-out: 1 group × 1000, 1 in", FRAME_COST, "≤ Bun's"),
    ("fan-out: 1 group × 1000, 64 in", FRAME_COST, "≤ Bun's"),
    ("durable: 16 senders, 10 receivers, fsync on, free", ACKS, "≥ 9,000"),
    ("durable: 16 senders, 10 receivers, fsync on, free", ACK_P99, "≤ 5"),
    ("idle", MEMORY, "≤ 6"),
    ("idle", CONNECTS, "≥ 10,000"),
];

/// The servers with figures for a case, in the order of the columns.
pub(crate) fn names(case: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for (name, _, _) in known(case) {
        if !names.contains(name) {
            names.push(*name);
        }
    }
    names
}

/// A server's figure, if it was measured.
pub(crate) fn figure(case: &str, server: &str, figure: &str) -> Option<f64> {
    known(case).iter().find(|(name, what, _)| *name == server && *what == figure).map(|(_, _, value)| *value)
}

/// The target of a figure.
pub(crate) fn target(case: &str, figure: &str) -> &'static str {
    let found = TARGETS.iter().find(|(begin, what, _)| case.starts_with(begin) && *what == figure);
    found.map_or("", |(_, _, target)| target)
}

fn known(case: &str) -> &'static [Known] {
    CASES.iter().find(|(begin, _)| case.starts_with(begin)).map_or(&[], |(_, known)| known)
}
