//! The system programs for the tests of real faults: strace, which injects the faults, and libfaketime.

use anyhow::{Context, Result, bail};

use super::system;

/// Programs, each with the Debian package of the same name.
const TOOLS: [&str; 2] = ["strace", "faketime"];

/// Finds the tools, or installs Debian's where that is allowed. On other systems than Linux there is nothing to do: those
/// tests are not compiled there.
pub(super) fn ensure() -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    println!("setup: installing {} for the tests of faults", missing.join(" and "));
    system::apt_install(&missing).context("the tests of faults let system calls fail and clocks jump")?;
    match self::missing().as_slice() {
        [] => Ok(()),
        still => bail!("{} was installed, but is not on the search path", still.join(" and ")),
    }
}

fn missing() -> Vec<&'static str> {
    TOOLS.into_iter().filter(|name| system::on_path(name).is_none()).collect()
}
