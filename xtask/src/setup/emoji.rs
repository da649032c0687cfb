//! A font with colour emoji, without which the pictures of the documentation show empty boxes.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::system;

/// Debian's package, and the file in it.
const PACKAGE: &str = "fonts-noto-color-emoji";
const FILE: &str = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf";

/// Finds the font, or installs Debian's where that is allowed. Other systems than Linux bring one along.
pub(super) fn ensure() -> Result<()> {
    if !cfg!(target_os = "linux") || Path::new(FILE).is_file() {
        return Ok(());
    }
    println!("setup: installing {PACKAGE} for the pictures of the documentation (seconds)");
    system::apt_install(&[PACKAGE]).context("the pictures need colour emoji")?;
    if !Path::new(FILE).is_file() {
        bail!("{PACKAGE} was installed, but {FILE} is not there");
    }
    Ok(())
}
