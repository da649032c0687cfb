//! What is deployed: the binary with its commands, and the files in `deploy/`.
//!
//! Where a tool or a right is missing, the tests of these files print a line and pass: an image and a unit of systemd can't
//! be tried on every machine. `CARAVANA_SERVER=target/deploy/server` runs the tests with the file that is deployed.

mod commands;
#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod unit;

use std::path::PathBuf;

/// A file of the folder with what belongs to a deployment.
fn file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Says why a test could not be done here.
#[cfg(target_os = "linux")]
#[expect(clippy::print_stderr, reason = "a test that did nothing must say so")]
fn skipped(test: &str, why: &str) {
    eprintln!("skipped: {test}: {why}");
}
