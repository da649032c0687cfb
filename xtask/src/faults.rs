//! `cargo xtask faults`: tests of real faults with real processes, including the long ones.

use anyhow::{Result, ensure};

use crate::build::{self, Profile};
use crate::process;
use crate::setup::{self, Needs};
use crate::steps::Steps;
use crate::workspace::Workspace;

/// Runs the fault tests one after the other, because they measure time and memory. Figures are printed as they arrive.
/// With `release`, the servers that run as their own process are release builds.
pub(crate) fn faults(workspace: &Workspace, release: bool, names: &[String]) -> Result<()> {
    ensure!(cfg!(target_os = "linux"), "the tests of faults need strace and /proc, and so Linux");
    let mut steps = Steps::default();
    let tools =
        steps.run("setup", || setup::setup(workspace, Needs { faults: true, postgres: true, ..Needs::default() }))?;
    let released = release.then(|| build::server(workspace, &tools, Profile::Release)).transpose()?;
    let package = workspace.leptos.bin_package.as_str();
    let run = |which: &[&str]| {
        let mut cargo = tools.cargo(workspace);
        if let Some(server) = &released {
            cargo.env("CARAVANA_SERVER", server);
        }
        cargo.args(["test", "--locked", "--package", package, "--test", "it", "--", "--nocapture", "--test-threads=1"]);
        if names.is_empty() {
            cargo.arg("faults::")
        } else {
            cargo.args(names)
        };
        process::run(cargo.args(which))
    };
    steps.run("quick faults", || run(&[]))?;
    steps.run("long faults", || run(&["--ignored"]))?;
    steps.finish();
    Ok(())
}
