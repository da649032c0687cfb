//! `cargo xtask sim`: runs the simulated world for longer than the tests do.

use anyhow::Result;

use crate::process;
use crate::setup::{self, Needs};
use crate::workspace::Workspace;

/// Runs `cases` random schedules; a failure prints the seed and the shrunken schedule.
pub(crate) fn sim(workspace: &Workspace, cases: u32) -> Result<()> {
    let tools = setup::setup(workspace, Needs::default())?;
    let package = workspace.leptos.bin_package.as_str();
    let test = ["test", "--locked", "--package", package, "--test", "it", "--", "world::random"];
    process::run(tools.cargo(workspace).args(test).env("CARAVANA_SIM_CASES", cases.to_string()))
}
