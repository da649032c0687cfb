//! `cargo xtask dev`: cargo-leptos with this project's tools on its search path.

use std::{fs, io};

use anyhow::{Result, bail};

use crate::process;
use crate::setup::{self, Needs};
use crate::workspace::Workspace;

/// What cargo-leptos must leave in the `pkg` folder for the server to find it.
const BUNDLE: [&str; 3] = ["css", "js", "wasm"];

/// Rebuilds and reloads on every change.
pub(crate) fn dev(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let tools = setup::setup(workspace, Needs { cargo_leptos: true, ..Needs::default() })?;
    process::become_process(tools.cargo_with_tools_on_path(workspace)?.args(["leptos", "watch"]).args(arguments))
}

/// Builds once with cargo-leptos and checks that it produces what `cargo xtask build` produces. Both read the same
/// metadata; only this check shows that both still interpret it in the same way.
pub(crate) fn check(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let tools = setup::setup(workspace, Needs { cargo_leptos: true, ..Needs::default() })?;
    let leptos = &workspace.leptos;
    let pkg = leptos.site_root.join(&leptos.site_pkg_dir);
    let bundle = BUNDLE.map(|ending| pkg.join(format!("{}.{ending}", leptos.output_name)));
    for file in &bundle {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
    }
    process::run(tools.cargo_with_tools_on_path(workspace)?.args(["leptos", "build"]).args(arguments))?;
    for file in &bundle {
        if !file.is_file() {
            bail!("cargo-leptos left no {}", file.display());
        }
    }
    println!("cargo-leptos left the same files as `cargo xtask build`");
    Ok(())
}
