//! PostgreSQL's programs, with which the tests make their own temporary server, and PgBouncer, the pooler in front of
//! it.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::system;

/// The folder where Debian puts PostgreSQL's server programs: it has a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The first version that the server and its tests work with.
const OLDEST: u32 = 15;

/// Finds PostgreSQL, or installs Debian's where that is allowed. Where `TEST_DATABASE_URL` names a server, that one is used.
pub(super) fn ensure() -> Result<()> {
    if system::on_path("pgbouncer").is_none() {
        println!("setup: installing PgBouncer for the tests of poolers");
        system::apt_install(&["pgbouncer"]).context("the tests put a pooler before their PostgreSQL: pgbouncer")?;
    }
    if std::env::var_os("TEST_DATABASE_URL").is_some() || is_there() {
        return Ok(());
    }
    println!("setup: installing PostgreSQL for the tests of its side (about half a minute)");
    system::apt_install(&["postgresql"])
        .context("the tests start a PostgreSQL of their own; TEST_DATABASE_URL may name a server instead")?;
    if is_there() {
        Ok(())
    } else {
        bail!("PostgreSQL was installed, but {OLDEST} or later is not where Debian puts it")
    }
}

fn is_there() -> bool {
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|entry| entry.path());
    let has_programs = |folder: &Path| folder.join("bin/initdb").is_file();
    versions
        .filter(|folder| version(folder).is_some_and(|version| version >= OLDEST))
        .any(|folder| has_programs(&folder))
        || system::on_path("initdb").is_some()
}

fn version(folder: &Path) -> Option<u32> {
    folder.file_name()?.to_str()?.parse().ok()
}
