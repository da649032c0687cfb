//! Valgrind, which counts instructions.

use anyhow::{Context as _, Result, bail};

use super::system;

/// The program, and Debian's package of the same name.
const NAME: &str = "valgrind";

/// Finds it, or installs Debian's where that is allowed. On other systems than Linux nothing is counted.
pub(super) fn ensure() -> Result<()> {
    if !cfg!(target_os = "linux") || system::on_path(NAME).is_some() {
        return Ok(());
    }
    println!("setup: installing {NAME}, which counts instructions (about 10 s)");
    system::apt_install(&[NAME]).context("instructions are counted by valgrind's callgrind")?;
    if system::on_path(NAME).is_none() {
        bail!("{NAME} was installed, but is not on the search path");
    }
    Ok(())
}
