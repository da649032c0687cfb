//! `cargo xtask faults`: real faults with real processes, the long ones too.

use anyhow::{Result, ensure};

use crate::process;
use crate::setup::{self, Needs};
use crate::steps::Steps;
use crate::workspace::Workspace;

/// Runs every fault test one after the other, because they measure time and memory. Figures are printed as they come.
pub(crate) fn faults(workspace: &Workspace) -> Result<()> {
    ensure!(cfg!(target_os = "linux"), "the tests of faults need strace and /proc, and so Linux");
    let mut steps = Steps::default();
    let tools =
        steps.run("setup", || setup::setup(workspace, Needs { faults: true, postgres: true, ..Needs::default() }))?;
    let package = workspace.leptos.bin_package.as_str();
    let run = |which: &[&str]| {
        let mut cargo = tools.cargo(workspace);
        cargo.args(["test", "--locked", "--package", package, "--test", "it", "faults::", "--", "--nocapture"]);
        process::run(cargo.arg("--test-threads=1").args(which))
    };
    steps.run("quick faults", || run(&[]))?;
    steps.run("long faults", || run(&["--ignored"]))?;
    steps.finish();
    Ok(())
}
