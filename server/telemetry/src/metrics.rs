//! The metrics of the process.
//!
//! Owns the names of the metrics, and one function for each event that is counted. Promises that labels are constants
//! of the source (routes as they are declared, codes of the protocol), never data of users, and that their number is
//! bounded. Counts nothing until the process has a recorder; a server inside a test does not count. Called wherever an
//! event happens; knows nothing about who fetches the metrics.

use std::sync::LazyLock;
use std::time::Duration;

use caravana_protocol::{CloseReason, ErrorCode, ResyncReason};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// The kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// A present value.
    Gauge,
    /// A histogram of seconds.
    Seconds,
}

macro_rules! figures {
    ($($(#[doc = $help:literal])+ $name:ident = $text:literal, $kind:ident;)*) => {
        $($(#[doc = $help])+ const $name: &str = $text;)*

        /// All metrics, with the help text that is shown where they are fetched.
        pub const ALL: &[(&str, Kind, &str)] = &[$(($text, Kind::$kind, concat!($($help),+))),*];
    };
}

figures! {
    /// Which build runs, as its label; always 1.
    BUILD_INFO = "caravana_build_info", Gauge;
    /// Open connections: WebSockets and event streams.
    CONNECTIONS = "caravana_connections", Gauge;
    /// Connections that were opened.
    OPENED = "caravana_connections_opened_total", Counter;
    /// Connections that ended, by the code of the close frame; 1006 is a lost connection, 4008 a reader that was too
    /// slow.
    CLOSED = "caravana_connections_closed_total", Counter;
    /// Sockets that were refused before the upgrade because a limit was reached: in total (full) or per address
    /// (address).
    SHED = "caravana_sockets_shed_total", Counter;
    /// Frames of clients that were carried out or refused.
    RECEIVED = "caravana_frames_received_total", Counter;
    /// Frames that the kernel has taken.
    WRITTEN = "caravana_frames_written_total", Counter;
    /// Bytes of those frames.
    WRITTEN_BYTES = "caravana_written_bytes_total", Counter;
    /// Messages that clients sent, over a socket or by REST: stored, duplicate, or the code of the refusal.
    SENDS = "caravana_sends_total", Counter;
    /// Changes that clients asked for, by kind (edit, delete, read) and outcome: done, or the code of the refusal.
    CHANGES = "caravana_changes_total", Counter;
    /// Commits of the task that writes, by outcome: ok or failed.
    COMMITS = "caravana_commits_total", Counter;
    /// Jobs in those commits: divided by the commits it is how much one flush carries.
    COMMIT_JOBS = "caravana_commit_jobs_total", Counter;
    /// How long those commits took, from their start until the database confirmed them.
    COMMIT_SECONDS = "caravana_commit_seconds", Seconds;
    /// Events that were read from the log again for returning clients.
    REPLAYED = "caravana_replayed_events_total", Counter;
    /// Cursors that could not be continued, by the reason.
    RESYNCS = "caravana_resyncs_total", Counter;
    /// How often a group was behind the database and was read from it, because of other programs, other servers or a
    /// lost hint.
    GAPS = "caravana_gaps_total", Counter;
    /// Stored rows that can't be shown as they are and were sent as a placeholder.
    PLACEHOLDERS = "caravana_placeholders_total", Counter;
    /// 1 while PostgreSQL's notifications arrive, 0 while the database is asked four times a second instead.
    LISTENING = "caravana_database_listening", Gauge;
    /// Requests that were answered, by method, route and status.
    REQUESTS = "caravana_http_requests_total", Counter;
    /// How long answers took, by route; for upgrades and streams, until the head of the answer.
    REQUEST_SECONDS = "caravana_http_request_seconds", Seconds;
    /// Panics. Each is a bug in this server.
    PANICS = "caravana_panics_total", Counter;
}

/// The metrics that are counted many times a second. They are looked up once.
struct Often {
    connections: Gauge,
    opened: Counter,
    received: Counter,
    written: Counter,
    written_bytes: Counter,
    stored: Counter,
    commits: Counter,
    commit_jobs: Counter,
    commit_seconds: Histogram,
    replayed: Counter,
    gaps: Counter,
}

static OFTEN: LazyLock<Often> = LazyLock::new(|| Often {
    connections: gauge!(CONNECTIONS),
    opened: counter!(OPENED),
    received: counter!(RECEIVED),
    written: counter!(WRITTEN),
    written_bytes: counter!(WRITTEN_BYTES),
    stored: counter!(SENDS, "outcome" => "stored"),
    commits: counter!(COMMITS, "outcome" => "ok"),
    commit_jobs: counter!(COMMIT_JOBS),
    commit_seconds: histogram!(COMMIT_SECONDS),
    replayed: counter!(REPLAYED),
    gaps: counter!(GAPS),
});

/// Sets the metrics without a label to zero at the start, so that they exist before the first event, and names the build.
/// Called once, after the process has a recorder.
pub fn begin(build: &'static str) {
    gauge!(BUILD_INFO, "version" => build).set(1.0);
    LazyLock::force(&OFTEN);
    for rare in [PLACEHOLDERS, PANICS] {
        counter!(rare).increment(0);
    }
}

/// A connection was opened.
pub fn opened() {
    OFTEN.opened.increment(1);
    OFTEN.connections.increment(1);
}

/// A connection has ended.
pub fn closed(reason: CloseReason) {
    OFTEN.connections.decrement(1);
    // A client may send any close code.
    let is_ours = !matches!(reason, CloseReason::Other(_));
    let code = if is_ours { reason.code().to_string() } else { "other".to_owned() };
    counter!(CLOSED, "code" => code).increment(1);
}

/// A socket was turned away.
pub fn shed(reason: &'static str) {
    counter!(SHED, "reason" => reason).increment(1);
}

/// A client's frame has arrived.
pub fn received() {
    OFTEN.received.increment(1);
}

/// The kernel has taken this many frames and bytes.
pub fn written(frames: usize, bytes: usize) {
    OFTEN.written.increment(frames as u64);
    OFTEN.written_bytes.increment(bytes as u64);
}

/// The outcome of a sent message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It is in the log.
    Stored,
    /// It was already stored.
    Duplicate,
    /// It was refused.
    Refused(ErrorCode),
}

/// A change of something that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Of a message's text.
    Edit,
    /// A message's deletion.
    Delete,
    /// Of a reaction.
    React,
    /// Of a pin.
    Pin,
    /// Of a read mark.
    Read,
}

/// A client asked for a change. It was done, or refused with this code.
pub fn changed(change: Change, refused: Option<ErrorCode>) {
    let change = match change {
        Change::Edit => "edit",
        Change::Delete => "delete",
        Change::React => "react",
        Change::Pin => "pin",
        Change::Read => "read",
    };
    counter!(CHANGES, "change" => change, "outcome" => refused.map_or("done", ErrorCode::as_str)).increment(1);
}

/// A client sent a message.
pub fn sent(outcome: Sent) {
    match outcome {
        Sent::Stored => OFTEN.stored.increment(1),
        Sent::Duplicate => counter!(SENDS, "outcome" => "duplicate").increment(1),
        Sent::Refused(code) => counter!(SENDS, "outcome" => code.as_str()).increment(1),
    }
}

/// A commit of this many jobs succeeded.
pub fn committed(jobs: usize, took: Duration) {
    OFTEN.commits.increment(1);
    OFTEN.commit_jobs.increment(jobs as u64);
    OFTEN.commit_seconds.record(took);
}

/// A commit failed; its jobs got the error.
pub fn commit_failed() {
    counter!(COMMITS, "outcome" => "failed").increment(1);
}

/// This many events were read again for a returning client.
pub fn replayed(events: usize) {
    OFTEN.replayed.increment(events as u64);
}

/// A cursor could not be continued.
pub fn resync(reason: ResyncReason) {
    let reason = match reason {
        ResyncReason::UnknownEpoch => "unknown_epoch",
        ResyncReason::AboveHead => "above_head",
        ResyncReason::TooDeep => "too_deep",
    };
    counter!(RESYNCS, "reason" => reason).increment(1);
}

/// A group is behind the database.
pub fn gap() {
    OFTEN.gaps.increment(1);
}

/// A row is shown as a placeholder.
pub fn placeholder() {
    counter!(PLACEHOLDERS).increment(1);
}

/// Whether PostgreSQL's notifications arrive.
pub fn listening(arrive: bool) {
    gauge!(LISTENING).set(if arrive { 1.0 } else { 0.0 });
}

/// A request was answered. The method may be any text; the route is one of ours.
pub fn answered(method: &str, route: &str, status: u16, took: Duration) {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let method = KNOWN.iter().find(|known| **known == method).copied().unwrap_or("other");
    let labels = [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
    counter!(REQUESTS, &labels).increment(1);
    histogram!(REQUEST_SECONDS, "route" => route.to_owned()).record(took);
}

/// There was a panic.
pub fn panicked() {
    counter!(PANICS).increment(1);
}
