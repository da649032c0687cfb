//! What `server --version` says.

use std::sync::LazyLock;

use crate::BUILD;

/// The commit that this binary was built from. Only `cargo xtask build` names it, because otherwise each commit would
/// compile the server again.
const COMMIT: Option<&str> = option_env!("CARAVANA_COMMIT");

static LONG: LazyLock<String> = LazyLock::new(|| {
    let commit = COMMIT.map(|commit| format!(" (commit {commit})")).unwrap_or_default();
    let site = if cfg!(feature = "embedded-site") { "in this binary" } else { "in a folder, see LEPTOS_SITE_ROOT" };
    format!("{BUILD}{commit}\ndatabases: SQLite (in this binary), PostgreSQL 15 or later\nsite: {site}")
});

/// The version with the commit, the databases that this build can use, and where its site is.
pub(super) fn long() -> &'static str {
    &LONG
}
