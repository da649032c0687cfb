//! `cargo xtask test`: every test there is.

use anyhow::Result;

use crate::build::{self, Built, Profile};
use crate::e2e;
use crate::process;
use crate::setup::{self, Needs, Tools};
use crate::steps::Steps;
use crate::workspace::Workspace;

/// The crates that are compiled for this machine. One cargo call takes them all, so that each dependency is compiled
/// once; `frontend` is left out, because it would switch `hydrate` on in `app`.
pub(crate) const NATIVE: [&str; 8] = [
    "--package=caravana-protocol",
    "--package=caravana-client",
    "--package=caravana-app",
    "--package=caravana-server",
    "--package=caravana-properties",
    "--package=xtask",
    "--features=caravana-app/ssr",
    "--locked",
];

/// Sets up, and runs all tests.
pub(crate) fn test(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::default();
    let tools = steps.run("setup", || {
        setup::setup(workspace, Needs { chromium: true, faults: true, postgres: true, ..Needs::default() })
    })?;
    run(workspace, &tools, &mut steps)?;
    steps.finish();
    Ok(())
}

/// The tests, as steps of a longer list. Answers the release build that they made.
pub(crate) fn run(workspace: &Workspace, tools: &Tools, steps: &mut Steps) -> Result<Built> {
    steps.run("tests of the crates", || process::run(tools.cargo(workspace).arg("test").args(NATIVE)))?;
    let built = steps.run("release build", || build::build(workspace, tools, Profile::Release))?;
    steps.run("browser tests", || e2e::playwright(workspace, tools, &built, &[]))?;
    Ok(built)
}
