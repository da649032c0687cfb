//! How the figures grow with what there is: each at 10, 100, 1,000 and 10,000, and the exponent of the curve.
//!
//! One database for each size, filled by another program's statements, and a server of its own. The figures are the
//! shortest time of one request over loopback, or CPU time of the server. They end when an answer is complete.

mod connected;
mod curve;
pub(crate) mod fill;
mod requests;

use std::path::Path;

use anyhow::Result;
use caravana_protocol::limits::RESUME_DEPTH;

use crate::process::{self, Process};
use crate::rest::until_ready;
use crate::workload::Plan;
use curve::{Curve, print, save};
use fill::Filler;

/// The sizes of every figure.
const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
/// The largest size of a quick run.
const QUICK: usize = 1_000;
/// A user in more groups than this server allows anybody: another program may do that.
const GROUPS: usize = 3_000;
/// A group with more members than this server admits.
const MEMBERS: usize = 26_000;
/// Messages of an export.
const MESSAGES: [usize; 2] = [100_000, 1_000_000];
/// Connections with room for what a process opens itself.
const OWN_FILES: usize = 500;

/// Measures and prints all curves, and saves a line for each.
#[expect(clippy::print_stdout, reason = "a benchmark prints")]
pub(crate) fn growth(plan: &Plan, quick: bool, folder: &Path) -> Result<()> {
    let files = process::open_files().saturating_sub(OWN_FILES);
    let sizes = |more: &[usize]| -> Vec<usize> {
        let mut sizes: Vec<usize> = SIZES.iter().chain(more).copied().filter(|size| !quick || *size <= QUICK).collect();
        sizes.sort_unstable();
        sizes
    };
    let open = |more: &[usize]| -> Vec<usize> { sizes(more).into_iter().filter(|size| *size <= files).collect() };
    let show = |name: &str, curves: &[Curve]| -> Result<()> {
        print(name, plan.database.name(), curves);
        save(folder, plan.database.name(), &plan.server, curves)
    };
    let left_out = sizes(&[]).len() - open(&[]).len();
    if left_out > 0 {
        println!("the largest {left_out} sizes of connections are left out: this process may open {files} (ulimit -n)");
    }
    show("groups of a user", &requests::of_groups(plan, &sizes(&[GROUPS]))?)?;
    show("members of a group, all of whom have read", &requests::of_members(plan, &sizes(&[MEMBERS]))?)?;
    show("messages of a group", &requests::of_messages(plan, &sizes(&MESSAGES))?)?;
    show("connections in groups of ten", &connected::of_connections(plan, &open(&[]))?)?;
    show("connections in one group", &connected::of_an_audience(plan, &open(&[]))?)?;
    let depth = usize::try_from(RESUME_DEPTH)?;
    let missed: Vec<usize> = sizes(&[depth]).into_iter().filter(|size| *size <= depth).collect();
    show("messages that were missed", &connected::of_missed(plan, &missed)?)
}

/// A server with an empty database, and another program that fills it.
fn start(plan: &Plan) -> Result<(Process, Filler)> {
    let process = Process::start(&plan.server, &plan.scratch, &plan.database, plan.placement)?;
    // It listens before its tables are there.
    until_ready(process.address())?;
    let filler = Filler::connect(process.database())?;
    Ok((process, filler))
}
