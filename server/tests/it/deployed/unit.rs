//! The unit of systemd, examined by systemd's own tool.

use std::process::Command;
use std::time::Duration;

use caravana_server::END_WITHIN;

use super::{file, skipped};
use crate::support::{end_of, server_binary};

/// The largest exposure that `systemd-analyze security` may find, in tenths: from 0 (none) to 100. Our network is 0.5 of
/// it, and a unit without hardening has 9.6.
const EXPOSURE: &str = "--threshold=15";

fn value<'a>(unit: &'a str, name: &str) -> &'a str {
    let found = unit.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("the unit has no {name}"))
}

#[test]
fn systemd_finds_no_error_in_the_unit_and_little_that_it_exposes() {
    const TEST: &str = "systemd_finds_no_error_in_the_unit_and_little_that_it_exposes";
    let unit = file("caravana.service");
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return skipped(TEST, "there is no systemd-analyze");
    }
    // The tool looks whether the program is there.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("caravana.service");
    let program = server_binary();
    std::fs::write(&path, unit.replace(value(&unit, "ExecStart"), program.to_str().unwrap())).unwrap();
    let verified = end_of(Command::new("systemd-analyze").arg("verify").arg(&path));
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && !said.contains("caravana.service"), "{said}");
    let examined = end_of(Command::new("systemd-analyze").args(["security", "--offline=true", EXPOSURE]).arg(&path));
    let said = String::from_utf8_lossy(&examined.stderr);
    if said.contains("unrecognized option") {
        return skipped(TEST, "this systemd-analyze is older than 250");
    }
    assert!(examined.status.success(), "{said}\n{}", String::from_utf8_lossy(&examined.stdout));
}

#[test]
fn the_unit_waits_for_the_planned_end_and_keeps_secrets_out_of_the_environment() {
    let unit = file("caravana.service");
    let seconds = Duration::from_secs(value(&unit, "TimeoutStopSec").parse().unwrap());
    assert!(seconds > END_WITHIN, "{seconds:?}");
    let (name, _) = value(&unit, "LoadCredential").split_once(':').unwrap();
    assert!(unit.contains(&format!("\nEnvironment=ENV_FILE=%d/{name}\n")), "the server reads the credential {name}");
    assert!(!unit.contains("JWT_SECRET="));
}
