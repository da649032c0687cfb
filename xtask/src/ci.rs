//! `cargo xtask ci`: what must pass before a change is accepted.
//!
//! It is `cargo xtask test`, with quick checks before the tests, and after them what needs an optimised build or passed
//! tests. Every profile is compiled once: the lints and the documentation share one set of artefacts, all tests share a
//! second, and the release build is both measured and used by the browser tests.

use anyhow::Result;

use crate::api;
use crate::e2e;
use crate::guard;
use crate::layers;
use crate::mutants;
use crate::process;
use crate::setup::toolchain::WASM_TARGET;
use crate::setup::{self, Needs, Tools};
use crate::steps::Steps;
use crate::test;
use crate::workspace::Workspace;

/// The crates that are compiled for the browser, with the features they have there.
const BROWSER: [&str; 7] = [
    "--package=caravana-protocol",
    "--package=caravana-client",
    "--package=caravana-browser",
    "--package=caravana-app",
    "--package=caravana-frontend",
    "--features=caravana-app/hydrate",
    "--locked",
];

/// The crate whose work is counted. It is not among [`test::NATIVE`]: it includes a file of the server that has tests, which
/// don't compile there, and the mutants ask for the tests of all libraries by `--lib`.
const GUARD: &str = "--package=caravana-guard";

/// Runs every check and every test, and prints how long each took.
pub(crate) fn ci(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::default();
    let needs = Needs { schemathesis: true, valgrind: true, ..test::NEEDS };
    steps.run("layers", || layers::layers(workspace))?;
    let tools = steps.run("setup", || setup::setup(workspace, needs))?;
    steps.run("types of the browser tests", || e2e::check_types(workspace))?;
    steps.run("format", || process::run(tools.cargo(workspace).args(["fmt", "--all", "--check"])))?;
    steps.run("lints, native", || {
        process::run(tools.cargo(workspace).arg("clippy").args(test::NATIVE).args([
            GUARD,
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    steps.run("lints, browser", || {
        process::run(tools.cargo(workspace).arg("clippy").args(BROWSER).args([
            "--target",
            WASM_TARGET,
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    steps.run("documentation", || documentation(workspace, &tools))?;
    let built = test::run(workspace, &tools, &mut steps)?;
    steps.run("REST interface", || api::try_out(workspace, &tools, &built.server, &[]))?;
    // The optimised build has compiled what it needs.
    steps.run("instructions", || guard::count(workspace, &tools, false, &[]))?;
    steps.run("mutants of today", || mutants::todays(workspace, &tools))?;
    steps.finish();
    Ok(())
}

/// A broken link in the documentation is an error.
fn documentation(workspace: &Workspace, tools: &Tools) -> Result<()> {
    let doc = || {
        let mut command = tools.cargo(workspace);
        // With the private items, because the readers are the developers of this project.
        command
            .args(["doc", "--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links");
        command
    };
    process::run(doc().args(test::NATIVE).arg(GUARD))?;
    process::run(doc().args([
        "--package=caravana-browser",
        "--package=caravana-frontend",
        "--lib",
        "--locked",
        "--target",
        WASM_TARGET,
    ]))
}
