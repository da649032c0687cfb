//! `cargo xtask test`: every test there is.

use anyhow::Result;

use crate::build::{self, Built, Profile};
use crate::e2e;
use crate::process;
use crate::setup::{self, Needs, Tools};
use crate::steps::Steps;
use crate::store::Store;
use crate::workspace::Workspace;

/// The crates that are compiled for this machine and have tests. One cargo call takes them all, so that each dependency
/// is compiled once; `frontend` is left out, because it would switch `hydrate` on in `app`.
pub(crate) const NATIVE: [&str; 14] = [
    "--package=caravana-protocol",
    "--package=caravana-client",
    "--package=caravana-browser",
    "--package=caravana-app",
    "--package=caravana-server",
    "--package=caravana-telemetry",
    "--package=caravana-store",
    "--package=caravana-sqlite",
    "--package=caravana-postgres",
    "--package=caravana-hub",
    "--package=caravana-properties",
    "--package=xtask",
    "--features=caravana-app/ssr",
    "--locked",
];

/// What the tests need.
pub(crate) const NEEDS: Needs = Needs {
    chromium: true,
    engines: true,
    emoji: false,
    cargo_leptos: false,
    schemathesis: false,
    faults: true,
    postgres: true,
    valgrind: false,
};

/// Sets up and runs all tests, or only those that depend on the database, on one of the two.
pub(crate) fn test(workspace: &Workspace, store: Option<Store>) -> Result<()> {
    let mut steps = Steps::default();
    let tools = steps.run("setup", || setup::setup(workspace, NEEDS))?;
    match store {
        None => drop(run(workspace, &tools, &mut steps)?),
        Some(store) => {
            steps.run("tests of the server", || server(workspace, &tools, store))?;
            let built = steps.run("optimised build", || build::build(workspace, &tools, Profile::Start))?;
            steps.run("browser tests", || e2e::playwright(workspace, &tools, &built, store, &[]))?;
        }
    }
    steps.finish();
    Ok(())
}

/// Runs the tests as steps of a longer list. Returns the build that the browser tests used.
pub(crate) fn run(workspace: &Workspace, tools: &Tools, steps: &mut Steps) -> Result<Built> {
    steps.run("tests of the crates", || process::run(tools.cargo(workspace).arg("test").args(NATIVE)))?;
    steps.run("tests of the server, PostgreSQL", || server(workspace, tools, Store::Postgres))?;
    let built = steps.run("optimised build", || build::build(workspace, tools, Profile::Start))?;
    steps.run("browser tests", || e2e::playwright(workspace, tools, &built, Store::Sqlite, &[]))?;
    steps.run("engines", || e2e::journey(workspace, tools, &built, &[]))?;
    steps.run("browser tests, PostgreSQL", || e2e::playwright(workspace, tools, &built, Store::Postgres, &[]))?;
    Ok(built)
}

/// The tests of the whole server on one of the databases. Skipped are the simulated world, which has its own kind of
/// database, and the tests that name their database themselves, which have already run.
fn server(workspace: &Workspace, tools: &Tools, store: Store) -> Result<()> {
    // `postgres::` is also a part of `faults::postgres::`.
    let skipped = ["--skip=world::", "--skip=store::", "--skip=postgres::", "--skip=import::"];
    process::run(
        tools
            .cargo(workspace)
            .arg("test")
            .args(NATIVE)
            .args(["--test=it", "--"])
            .args(skipped)
            .env("TEST_STORE", store.as_str()),
    )
}
