//! Firefox and WebKitGTK, in which the browser tests make their journey once more.

use std::env;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::system;
use crate::process;

/// Programs, each with the Debian package of the program.
const PROGRAMS: [(&str, &str); 2] = [("WebKitWebDriver", "webkit2gtk-driver"), ("Xvfb", "xvfb")];

/// The program that opens a window of WebKitGTK needs these, and Debian's Python.
const WINDOW: [&str; 2] = ["python3-gi", "gir1.2-webkit2-4.1"];

/// Finds the engines, or installs Debian's where that is allowed. On other systems than Linux there is nothing to do: the
/// journey is made in Chromium alone there.
pub(super) fn ensure() -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    println!("setup: installing {} for the journey in every engine (about a minute)", missing.join(", "));
    system::apt_install(&missing)
        .context("the journey is made in Firefox and WebKitGTK, too; FIREFOX_PATH may name a Firefox")?;
    match self::missing().as_slice() {
        [] => Ok(()),
        still => bail!("{} was installed, but is not where Debian puts it", still.join(", ")),
    }
}

/// The packages of what is not there.
fn missing() -> Vec<&'static str> {
    let firefox = env::var_os("FIREFOX_PATH").is_none() && system::on_path("firefox-esr").is_none();
    let opens = "import gi; gi.require_version('Gtk', '3.0'); gi.require_version('WebKit2', '4.1')";
    let window = !process::succeeds(process::program("/usr/bin/python3", Path::new("/")).args(["-c", opens]));
    let programs = PROGRAMS.into_iter().filter(|(name, _)| system::on_path(name).is_none()).map(|(_, package)| package);
    let firefox = firefox.then_some("firefox-esr");
    firefox.into_iter().chain(programs).chain(WINDOW.into_iter().filter(|_| window)).collect()
}
