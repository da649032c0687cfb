//! wasm-bindgen's command line, which must be of exactly the version that the crate is locked to. Only cargo-leptos calls
//! it; our own build uses its library.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::toolchain::Toolchain;
use super::{quick_install, version_of};
use crate::process;
use crate::workspace::Workspace;

/// Finds the command line on the search path or in `.tools`, else compiles it there.
pub(super) fn ensure(workspace: &Workspace, toolchain: Toolchain) -> Result<()> {
    let version = workspace.locked_version("wasm-bindgen")?;
    let wanted = format!("wasm-bindgen {version}");
    let own = workspace.tools_dir().join("bin").join(format!("wasm-bindgen{}", std::env::consts::EXE_SUFFIX));
    for candidate in [own, PathBuf::from("wasm-bindgen")] {
        if version_of(&candidate, workspace).is_some_and(|found| found == wanted) {
            return Ok(());
        }
    }
    println!("setup: compiling wasm-bindgen {version} (two to three minutes on two cores)");
    let mut install = toolchain.cargo(workspace);
    // Without `--locked`: this tool's own lock file names a crate version that not every registry has (any more).
    install.args(["install", "wasm-bindgen-cli", "--version", &version, "--bin", "wasm-bindgen", "--force"]);
    // Its dependencies may have moved on to a newer compiler than ours.
    install.env("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS", "fallback");
    quick_install(&mut install, workspace);
    process::run(&mut install).context("could not install wasm-bindgen")
}
