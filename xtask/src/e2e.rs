//! `cargo xtask e2e`: the browser tests, against the real server and the real site.
//!
//! By default the site is the one that is deployed, because another optimization of the browser's bundle may have other
//! bugs, and the server is the one that `cargo xtask run` starts. `--debug` helps to find the cause of a hydration error.

use std::process::Command;

use anyhow::{Context, Result};

use crate::build::{self, Built, Profile};
use crate::process;
use crate::setup::{self, Needs, Tools};
use crate::store::Store;
use crate::workspace::Workspace;

/// Builds the server and the site and runs Playwright; the arguments go to Playwright.
pub(crate) fn run(workspace: &Workspace, profile: Profile, store: Store, arguments: &[String]) -> Result<()> {
    let postgres = store == Store::Postgres;
    let tools = setup::setup(workspace, Needs { chromium: true, postgres, ..Needs::default() })?;
    let built = build::build(workspace, &tools, profile)?;
    playwright(workspace, &tools, &built, store, arguments)
}

/// Builds the server and the site and runs the journey in every engine; the arguments go to Playwright.
pub(crate) fn engines(workspace: &Workspace, profile: Profile, arguments: &[String]) -> Result<()> {
    let tools = setup::setup(workspace, Needs { chromium: true, engines: true, ..Needs::default() })?;
    let built = build::build(workspace, &tools, profile)?;
    check_types(workspace)?;
    journey(workspace, &tools, &built, arguments)
}

/// Makes the pictures of the documentation.
pub(crate) fn pictures(workspace: &Workspace, profile: Profile) -> Result<()> {
    let tools = setup::setup(workspace, Needs { chromium: true, emoji: true, ..Needs::default() })?;
    let built = build::build(workspace, &tools, profile)?;
    check_types(workspace)?;
    process::run(command(workspace, &tools, &built)?.arg("--config=pictures.config.ts"))
}

/// Checks the types of the browser tests: Playwright runs them without.
pub(crate) fn check_types(workspace: &Workspace) -> Result<()> {
    let folder = workspace.end2end_dir();
    process::run(process::program("node", &folder).args(["node_modules/typescript/bin/tsc", "--noEmit"]))
}

/// Runs Playwright against a build. The tests start and end the servers themselves, each with its own database.
pub(crate) fn playwright(
    workspace: &Workspace,
    tools: &Tools,
    built: &Built,
    store: Store,
    arguments: &[String],
) -> Result<()> {
    check_types(workspace)?;
    process::run(command(workspace, tools, built)?.args(arguments).env("TEST_STORE", store.as_str()))
}

/// Runs the journey in every engine against a build.
pub(crate) fn journey(workspace: &Workspace, tools: &Tools, built: &Built, arguments: &[String]) -> Result<()> {
    let mut command = command(workspace, tools, built)?;
    process::run(command.arg("--config=engines.config.ts").args(arguments))
}

/// Playwright, with what it tests.
fn command(workspace: &Workspace, tools: &Tools, built: &Built) -> Result<Command> {
    let chromium = tools.chromium.as_ref().context("the browser tests need Chromium")?;
    let mut command = process::program("node", &workspace.end2end_dir());
    command
        .args(["node_modules/@playwright/test/cli.js", "test"])
        .env("CARAVANA_SERVER", &built.server)
        .env("CARAVANA_SITE", &built.site)
        .env("CHROMIUM_PATH", chromium);
    Ok(command)
}
