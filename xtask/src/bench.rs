//! `cargo xtask bench`: the server's benchmarks, printed and never a pass or a failure.

use anyhow::Result;

use crate::process;
use crate::setup::{self, Needs};
use crate::workspace::Workspace;

/// Runs the benchmarks of the server; the arguments go to them.
pub(crate) fn bench(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let tools = setup::setup(workspace, Needs::default())?;
    let package = workspace.leptos.bin_package.as_str();
    process::run(tools.cargo(workspace).args(["bench", "--locked", "--package", package, "--"]).args(arguments))
}
