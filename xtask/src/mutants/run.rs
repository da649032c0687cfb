//! Runs tests by name in a built program, and reports the result of each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::copy::Built;
use crate::process;

/// The time limit of a program: a mutant may make a test wait for ever, which counts as a failure.
const PATIENCE: Duration = Duration::from_mins(5);

/// Selects tests of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// All tests, including those that `cargo test` ignores.
    All,
    /// Only the tests that `cargo test` ignores.
    Ignored,
}

/// Runs the tests of these names.
pub(super) fn tests(built: &Built, names: &BTreeSet<&str>, which: Which, log: &Path) -> Result<Outcome> {
    let listed = process::output(built.command().arg("--list").args((which == Which::Ignored).then_some("--ignored")))?;
    let listed: BTreeSet<&str> = listed.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    let mut chosen: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in names {
        let end = format!("::{name}");
        let full: Vec<&str> = listed.iter().copied().filter(|test| test == name || test.ends_with(&end)).collect();
        // A name without a test would always pass.
        ensure!(!full.is_empty() || which == Which::Ignored, "there is no test {name}");
        chosen.insert(name, full);
    }
    let all: BTreeSet<&str> = chosen.values().flatten().copied().collect();
    let passed = if all.is_empty() { BTreeSet::new() } else { passed(built, &all, log)? };
    let mut outcome = Outcome::default();
    for (name, full) in chosen {
        let of_name =
            if full.iter().all(|test| passed.contains(*test)) { &mut outcome.passed } else { &mut outcome.failed };
        of_name.insert(name.to_owned());
    }
    Ok(outcome)
}

/// The results of tests. If several tests have the same name, one failure counts for all.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) passed: BTreeSet<String>,
    pub(super) failed: BTreeSet<String>,
}

/// The tests that have passed. All of them run in one process. If one test ends the process, each test that did not run
/// gets a process of its own.
fn passed<'a>(built: &Built, tests: &BTreeSet<&'a str>, log: &Path) -> Result<BTreeSet<&'a str>> {
    let ended = run(built, tests, log)?;
    let output = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    let said = |end: &str| tests.iter().copied().filter(|test| is_told(&output, test, end)).collect::<BTreeSet<&str>>();
    let (mut passed, failed) = (said("ok"), said("FAILED"));
    let untold = tests.iter().copied().filter(|test| !passed.contains(test) && !failed.contains(test));
    // Tests that had not ended within the time limit have failed.
    for test in untold.filter(|_| ended).collect::<Vec<_>>() {
        let log = log.with_extension("single.log");
        run(built, &BTreeSet::from([test]), &log)?;
        if is_told(&String::from_utf8_lossy(&fs::read(&log)?), test, "ok") {
            passed.insert(test);
        }
    }
    Ok(passed)
}

fn is_told(output: &str, test: &str, end: &str) -> bool {
    let line = format!("test {test} ... {end}");
    output.lines().any(|told| told == line)
}

/// Whether the program ended by itself.
fn run(built: &Built, tests: &BTreeSet<&str>, log: &Path) -> Result<bool> {
    let file = File::create(log)?;
    let mut command = built.command();
    command.args(tests).args(["--exact", "--include-ignored"]).stdout(file.try_clone()?).stderr(file);
    Ok(process::status_within(&mut command, PATIENCE)?.is_some())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A program of four tests: one passes, one fails, and one that ends the program stands before the last.
    const PROGRAM: &str = "#!/bin/sh\ncase \"$*\" in\n\
        '--list --ignored') echo 'm::long: test' ;;\n\
        --list) for name in good bad crash last long; do echo \"m::$name: test\"; done ;;\n\
        *) for name in good bad crash last long; do\n\
        case \" $* \" in *\" m::$name \"*)\n\
        case $name in bad) echo \"test m::$name ... FAILED\" ;; crash) exit 134 ;; *) echo \"test m::$name ... ok\" ;; esac ;;\n\
        esac; done ;;\nesac\n";

    fn outcome(names: &[&str], which: Which) -> Result<Outcome> {
        let folder = tempfile::tempdir().unwrap();
        let built = Built { executable: folder.path().join("program"), folder: folder.path().to_owned() };
        fs::write(&built.executable, PROGRAM).unwrap();
        fs::set_permissions(&built.executable, fs::Permissions::from_mode(0o755)).unwrap();
        tests(&built, &names.iter().copied().collect(), which, &folder.path().join("output.log"))
    }

    #[test]
    fn a_test_fails_for_itself_and_not_for_one_that_ended_the_program() {
        let Outcome { passed, failed } = outcome(&["good", "bad", "crash", "m::last"], Which::All).unwrap();
        assert_eq!(passed, ["good", "m::last"].map(str::to_owned).into());
        assert_eq!(failed, ["bad", "crash"].map(str::to_owned).into());
    }

    #[test]
    fn a_name_that_no_test_has_is_an_error_and_a_part_of_a_name_is_none() {
        assert!(outcome(&["goo"], Which::All).is_err());
        assert!(outcome(&["other::good"], Which::All).is_err());
    }

    #[test]
    fn beforehand_only_those_are_run_that_were_left_out() {
        let Outcome { passed, failed } = outcome(&["bad", "long"], Which::Ignored).unwrap();
        assert_eq!(passed, ["bad", "long"].map(str::to_owned).into());
        assert!(failed.is_empty());
    }
}
