//! The system's Chromium, which the browser tests drive.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::system;

/// Names under which Chromium and Chrome are installed.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Where Chrome is on a Mac, whose applications are not on the search path.
const MAC: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/// Finds the browser, or installs Debian's where that is allowed.
pub(super) fn ensure() -> Result<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM_PATH") {
        let path = PathBuf::from(named);
        if !path.is_file() {
            bail!("CHROMIUM_PATH names {}, which is not there", path.display());
        }
        return Ok(path);
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    println!("setup: installing Chromium for the browser tests (about a minute)");
    system::apt_install(&["chromium", "fonts-liberation"])
        .context("no Chromium or Chrome was found for the browser tests; CHROMIUM_PATH may name one")?;
    find().context("Chromium was installed, but is not on the search path")
}

fn find() -> Option<PathBuf> {
    let mac = Path::new(MAC);
    NAMES.iter().find_map(|name| system::on_path(name)).or_else(|| mac.is_file().then(|| mac.to_owned()))
}
