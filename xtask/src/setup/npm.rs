//! The npm packages: Playwright and axe for the browser tests, Binaryen's wasm-opt for the release build.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

/// Installs what `package-lock.json` says, unless exactly that is installed already.
pub(super) fn ensure(workspace: &Workspace) -> Result<()> {
    let folder = workspace.end2end_dir();
    let lock = fs::read_to_string(folder.join("package-lock.json"))?;
    let installed = folder.join("node_modules").join(".installed-lock.json");
    if fs::read_to_string(&installed).is_ok_and(|known| known == lock) {
        return Ok(());
    }
    println!("setup: installing the npm packages of end2end/ (seconds)");
    process::run(
        process::program(NPM, &folder)
            .args(["ci", "--no-audit", "--no-fund"])
            // Playwright would download browsers; the tests use the system's Chromium.
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"),
    )
    .context("Node.js 20 or newer with npm is needed: https://nodejs.org")?;
    fs::write(installed, lock)?;
    Ok(())
}

/// A program that an npm package brought along.
pub(super) fn executable(workspace: &Workspace, name: &str) -> PathBuf {
    let file = if cfg!(windows) { format!("{name}.cmd") } else { name.to_owned() };
    workspace.end2end_dir().join("node_modules").join(".bin").join(file)
}

const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };
