//! Counts what a message on its whole way allocates, in all threads. A program of its own, because counting costs
//! instructions. Prints allocations and bytes of a message, one at a time and with 64 in flight.

use std::alloc::System;

use anyhow::Result;
use caravana_guard::path::{House, IN_FLIGHT, RECEIVERS};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Messages that are counted.
const TIMES: u64 = 1_280;

#[expect(clippy::print_stdout, reason = "its output is what it is for")]
fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut house = House::open(RECEIVERS).await?;
        for (work, in_flight) in [("send", 1), ("send-batch", IN_FLIGHT)] {
            house.send(in_flight, TIMES).await?;
            let region = Region::new(COUNTED);
            house.send(in_flight, TIMES).await?;
            let change = region.change();
            let calls = u64::try_from(change.allocations + change.reallocations)?;
            println!("{work} {} {}", calls / TIMES, u64::try_from(change.bytes_allocated)? / TIMES);
        }
        house.close().await;
        Ok(())
    })
}
