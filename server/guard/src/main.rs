//! Does one kind of work a number of times. `cargo xtask guard` runs it under callgrind with two numbers; the difference
//! of the two counts is the work alone, without the start of the process.

use std::time::Duration;

use anyhow::{Context as _, Result};
use caravana_guard::path::{IN_FLIGHT, RECEIVERS};
use caravana_guard::{page, path, session};
use clap::{Parser, ValueEnum};

/// Does one kind of work a number of times.
#[derive(Debug, Parser)]
struct Arguments {
    /// What.
    #[arg(value_enum)]
    work: Work,
    /// How many messages, events or pages. Everything before the first is done even for zero.
    times: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Work {
    /// The bytes of a client's frame become the frame.
    Decode,
    /// A message from its bytes through the log in a SQLite file into ten mailboxes, one at a time.
    Send,
    /// The same with 64 in flight, which are stored together.
    SendBatch,
    /// An event becomes a frame in a hundred mailboxes and is taken out of them.
    Deliver,
    /// The client's session applies an event.
    Apply,
    /// The page of a group is rendered.
    Page,
}

fn main() -> Result<()> {
    let Arguments { work, times } = Arguments::parse();
    match work {
        Work::Decode => path::decode(times),
        Work::Deliver => block_on(path::deliver(times)),
        Work::Send => block_on(path::send(RECEIVERS, 1, times)),
        Work::SendBatch => block_on(path::send(RECEIVERS, IN_FLIGHT, times)),
        Work::Apply => session::apply(times),
        Work::Page => block_on(page::render(times)),
    }
}

/// A message that is refused is never delivered, and would be waited for without an end.
fn block_on(work: impl Future<Output = Result<()>>) -> Result<()> {
    /// Far more than any work takes under callgrind.
    const LIMIT: Duration = Duration::from_mins(10);
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        tokio::time::timeout(LIMIT, work).await.context("the work does not end: was a message refused?")?
    })
}
