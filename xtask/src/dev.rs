//! `cargo xtask dev`: cargo-leptos with our tools on its search path.

use anyhow::Result;

use crate::process;
use crate::setup::{self, Needs};
use crate::workspace::Workspace;

/// Rebuilds and reloads on every change.
pub(crate) fn dev(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let tools = setup::setup(workspace, Needs { cargo_leptos: true, chromium: false })?;
    process::become_process(tools.cargo_with_tools_on_path(workspace)?.args(["leptos", "watch"]).args(arguments))
}
