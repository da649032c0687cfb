//! `cargo xtask run`: from a clean clone to a chat that can be used.

use std::env;

use anyhow::Result;

use crate::build::{self, Profile};
use crate::process;
use crate::setup::{self, Needs};
use crate::workspace::Workspace;

/// Builds what is needed and replaces this process by the server, on SQLite unless the environment names another database.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let tools = setup::setup(workspace, Needs::default())?;
    let built = build::build(workspace, &tools, Profile::Start)?;
    let address = env::var("LEPTOS_SITE_ADDR").unwrap_or_else(|_| workspace.leptos.site_addr.clone());
    let database = env::var("DATABASE_URL").map_or("data/caravana.db", |_| "what DATABASE_URL names");
    println!("Caravana: http://{address} (messages are kept in {database}; Ctrl+C ends it)");
    process::become_process(
        process::program(&built.server, &workspace.root)
            .args(arguments)
            .env("LEPTOS_SITE_ADDR", address)
            .env("LEPTOS_SITE_ROOT", built.site),
    )
}
