//! `cargo xtask mutants`: switches off each mechanism that keeps a guarantee, and looks whether its tests notice.
//!
//! Owns the list of switched-off mechanisms ([`list`]) and a copy of the tree in which they are tried; the sources
//! themselves are never touched. For each mutant the copy is changed at one place and must still compile; then each test
//! that docs/guarantees.md names for it must fail. A test that passes proves less than it says, and is an error here.
//! Before that the same tests must pass on the unchanged copy, or their failure would mean nothing. What a change of the
//! sources does to the list is checked by xtask's own tests: a place that is no longer there is noticed at once.

mod list;

use std::fs;
#[cfg(test)]
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::process;
use crate::workspace::Workspace;
use list::{Change, Mutant, Run};

/// A mutant may make a test wait for ever; then it has failed.
const PATIENCE: Duration = Duration::from_mins(5);

/// Tries the mutants whose name begins with one of `names`; all of them without names.
pub(crate) fn mutants(workspace: &Workspace, names: &[String]) -> Result<()> {
    let chosen: Vec<&Mutant> = list::all()
        .filter(|mutant| names.is_empty() || names.iter().any(|name| mutant.name.starts_with(name.as_str())))
        .collect();
    ensure!(!chosen.is_empty(), "no mutant is called that");
    let copy = Copy::make(workspace)?;
    println!("\n== nothing switched off");
    for run in distinct(&chosen) {
        copy.build(run)?;
        ensure!(copy.exists(run)?, "there is no test {run}");
        copy.test(run).with_context(|| format!("{run} fails without any mutant"))?;
    }
    let mut survivors = Vec::new();
    for mutant in &chosen {
        println!("\n== {}: {}", mutant.name, mutant.what);
        let originals = copy.change(mutant)?;
        let outcome = copy.try_mutant(mutant);
        for (path, original) in originals {
            fs::write(path, original)?;
        }
        survivors.extend(outcome?);
    }
    println!("\n{} mutants tried", chosen.len());
    if !survivors.is_empty() {
        bail!("not noticed:\n{}", survivors.join("\n"));
    }
    Ok(())
}

fn distinct<'a>(mutants: &[&'a Mutant]) -> Vec<&'a Run> {
    let mut runs: Vec<&Run> = mutants.iter().flat_map(|mutant| mutant.tests).collect();
    runs.sort();
    runs.dedup();
    runs
}

/// A copy of the tree that may be broken.
struct Copy {
    root: PathBuf,
    target: PathBuf,
}

impl Copy {
    fn make(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.target.join("mutants");
        let copy = Self { root: folder.join("tree"), target: folder.join("target") };
        let listed = process::output(process::program("git", &workspace.root).args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))?;
        for file in listed.lines() {
            let (from, to) = (workspace.root.join(file), copy.root.join(file));
            // Listed and not there: deleted, and not committed yet.
            let Ok(content) = fs::read(&from) else { continue };
            // Only what differs, so that cargo compiles only what differs.
            if fs::read(&to).ok().as_ref() != Some(&content) {
                fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
                fs::write(&to, content)?;
            }
        }
        Ok(copy)
    }

    /// Switches a mechanism off. Gives back the files as they were.
    fn change(&self, mutant: &Mutant) -> Result<Vec<(PathBuf, String)>> {
        let mut originals = Vec::new();
        for change in mutant.changes {
            let path = self.root.join(change.file);
            let text = fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
            fs::write(&path, changed(mutant, change, &text)?)?;
            originals.push((path, text));
        }
        // Of two changes in one file the first original is the one to go back to.
        originals.reverse();
        Ok(originals)
    }

    /// Tells which tests did not notice.
    fn try_mutant(&self, mutant: &Mutant) -> Result<Vec<String>> {
        let mut survivors = Vec::new();
        for run in mutant.tests {
            self.build(run).with_context(|| format!("{} does not compile", mutant.name))?;
            if self.test(run).is_ok() {
                println!("NOT NOTICED by {run}");
                survivors.push(format!("{} by {run}", mutant.name));
            } else {
                println!("noticed by {run}");
            }
        }
        Ok(survivors)
    }

    /// Takes as long as it takes; only the test itself has a limit.
    fn build(&self, run: &Run) -> Result<()> {
        process::run(&mut self.cargo(run, &["--no-run"]))
    }

    /// A name that no test has would pass, whatever is switched off.
    fn exists(&self, run: &Run) -> Result<bool> {
        let tests = process::output(self.cargo(run, &[]).arg("--list"))?;
        Ok(tests.lines().any(|line| line.ends_with(": test")))
    }

    fn test(&self, run: &Run) -> Result<()> {
        process::run_within(&mut self.cargo(run, &[]), PATIENCE)
    }

    fn cargo(&self, run: &Run, options: &[&str]) -> std::process::Command {
        let mut cargo = process::program("cargo", &self.root);
        cargo.env("CARGO_TARGET_DIR", &self.target).env("RUST_BACKTRACE", "0").arg("test").arg("--quiet");
        cargo.args(run.cargo.split(' ')).args(options);
        if options.is_empty() {
            cargo.arg("--").arg(run.test).arg("--include-ignored");
        }
        cargo
    }
}

fn changed(mutant: &Mutant, change: &Change, text: &str) -> Result<String> {
    let places = text.matches(change.find).count();
    ensure!(
        places == 1,
        "{}: {} has {places} places like «{}», and must have one",
        mutant.name,
        change.file,
        change.find
    );
    Ok(text.replacen(change.find, change.replace, 1))
}

/// The text of a file of the repository.
#[cfg(test)]
fn read(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// What stands in a table of the guarantees about one of them.
    #[derive(Default)]
    struct Row {
        tests: BTreeSet<String>,
        mutants: BTreeSet<String>,
    }

    #[test]
    fn every_mutant_still_finds_its_places() {
        for mutant in list::all() {
            for change in mutant.changes {
                // Each change finds its place whether the others are made or not.
                changed(mutant, change, &read(change.file)).unwrap();
            }
        }
    }

    /// Both tables, by guarantee.
    fn rows() -> BTreeMap<String, Row> {
        let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        for line in read("docs/guarantees.md").lines().filter(|line| line.starts_with("| G")) {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [.., tests, mutants, _] = cells[..] else { panic!("{line}") };
            let row = rows.entry(cells[1].to_lowercase()).or_default();
            row.tests.extend(quoted(tests));
            row.mutants.extend(quoted(mutants));
        }
        rows
    }

    /// Both ways: a test that no mutant names was not seen to fail, and a mutant that the table does not name is not
    /// found by its readers.
    #[test]
    fn the_table_of_guarantees_names_each_mutant_and_just_the_tests_that_notice() {
        for (guarantee, Row { tests, mutants }) in rows() {
            let notice: BTreeSet<String> = list::all()
                .filter(|mutant| mutants.contains(mutant.name))
                .flat_map(|mutant| mutant.tests.iter().map(|run| run.test.to_owned()))
                .collect();
            assert!(tests.is_subset(&notice), "{guarantee}: no mutant for {:?}", tests.difference(&notice));
            let prefix = format!("{guarantee}-");
            let own = list::all().filter(|mutant| mutant.name.starts_with(&prefix));
            let own: BTreeSet<String> = own.map(|mutant| mutant.name.to_owned()).collect();
            assert!(own.is_subset(&mutants), "{guarantee} does not name {:?}", own.difference(&mutants));
        }
    }

    #[test]
    fn every_guarantee_has_its_row_and_something_that_is_switched_off() {
        let rows = rows();
        for number in 1..=19 {
            let row = rows.get(&format!("g{number}"));
            assert!(row.is_some_and(|row| !row.tests.is_empty() && !row.mutants.is_empty()), "G{number}");
        }
    }
}
