//! `cargo xtask mutants`: switches off each mechanism that keeps a guarantee, and checks that its tests notice.
//!
//! Owns the list of switched-off mechanisms (`xtask/mutants/*.toml`, read by [`list`]) and a copy of the tree in which
//! they are tried; the sources themselves never change. A mutant names the function that it changes, and finds it in
//! any file. The changed copy must compile; then each test that docs/guarantees.md names for the mutant must fail. A
//! test that passes proves less than it claims, and is an error. Before that, the same tests must pass on the unchanged
//! copy, because otherwise their failure would mean nothing. xtask's own tests check the list against the sources: a
//! mutant whose place no longer exists is reported at once.

mod copy;
mod items;
mod list;
mod run;
pub(crate) mod share;
mod snippet;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::named_tests::{NamedTests, Program};
use crate::setup::{self, Needs, Tools};
use crate::workspace::Workspace;
use copy::Copy;
use items::Items;
use list::Mutant;
use run::{Outcome, Which};
use share::Share;

/// Tries the mutants whose name begins with one of `names`, or those of a share; without either, all mutants.
pub(crate) fn mutants(workspace: &Workspace, names: &[String], share: Option<Share>) -> Result<()> {
    let tools = setup::setup(workspace, Needs { faults: true, postgres: true, ..Needs::default() })?;
    let mut chosen = list::read(workspace)?;
    chosen.retain(|mutant| names.is_empty() || names.iter().any(|name| mutant.name.starts_with(name.as_str())));
    if let Some(share) = share {
        chosen = share.take(chosen);
    }
    try_out(workspace, &tools, &chosen, Which::All)
}

/// Tries today's share, after the tests have passed on this tree: only the tests that `cargo test` ignores must still
/// be run on the unchanged copy.
pub(crate) fn todays(workspace: &Workspace, tools: &Tools) -> Result<()> {
    let share = Share::of_today()?;
    println!("today's share; again by: cargo xtask mutants --share {share}");
    try_out(workspace, tools, &share.take(list::read(workspace)?), Which::Ignored)
}

/// Tries these mutants; `beforehand` says which of their tests must first pass on the unchanged copy.
fn try_out(workspace: &Workspace, tools: &Tools, mutants: &[Mutant], beforehand: Which) -> Result<()> {
    ensure!(!mutants.is_empty(), "no mutant is called that");
    let trial = Trial {
        copy: Copy::make(workspace, tools)?,
        items: Items::read(workspace)?,
        tests: NamedTests::read(workspace)?,
        log: workspace.target.join("mutants/output.log"),
    };
    println!("\n== nothing switched off");
    let all: Vec<&String> = mutants.iter().flat_map(|mutant| &mutant.tests).collect();
    let failed = trial.tests(&all, beforehand)?.failed;
    ensure!(failed.is_empty(), "without any mutant these fail: {failed:?}");
    let mut survivors = Vec::new();
    for mutant in mutants {
        println!("\n== {}: {}", mutant.name, mutant.what);
        survivors.extend(trial.mutant(mutant)?);
    }
    println!("\n{} mutants tried", mutants.len());
    if !survivors.is_empty() {
        bail!("not noticed:\n{}", survivors.join("\n"));
    }
    Ok(())
}

/// Everything that is needed to try a mutant.
struct Trial<'a> {
    copy: Copy<'a>,
    items: Items,
    tests: NamedTests,
    /// The file for the tests' output.
    log: PathBuf,
}

impl Trial<'_> {
    /// The problems of a mutant: the tests that did not notice it.
    fn mutant(&self, mutant: &Mutant) -> Result<Vec<String>> {
        let changed = mutant.changed(&self.items)?;
        let originals: BTreeMap<PathBuf, &str> =
            changed.keys().map(|file| Ok((file.clone(), self.items.text(file)?))).collect::<Result<_>>()?;
        self.copy.put(&changed)?;
        let outcome = self.tests(&mutant.tests.iter().collect::<Vec<_>>(), Which::All);
        self.copy.put(&originals)?;
        // An error of one mutant does not stop the others.
        let Outcome { passed, failed } = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                println!("NOT TRIED: {error:#}");
                return Ok(vec![format!("{} was not tried", mutant.name)]);
            }
        };
        for test in failed {
            println!("noticed by {test}");
        }
        for test in &passed {
            println!("NOT NOTICED by {test}");
        }
        Ok(passed.iter().map(|test| format!("{} by {test}", mutant.name)).collect())
    }

    /// Builds the copy as it is, once, and runs tests.
    fn tests(&self, written: &[&String], which: Which) -> Result<Outcome> {
        let mut by_program: BTreeMap<&Program, BTreeSet<&str>> = BTreeMap::new();
        for name in written {
            let plain = name.split_once('/').map_or(name.as_str(), |(_, name)| name);
            by_program.entry(self.tests.program(name)?).or_default().insert(plain);
        }
        let start = Instant::now();
        let built = self.copy.build(&by_program.keys().copied().collect())?;
        println!("built in {} s", start.elapsed().as_secs());
        let start = Instant::now();
        let mut outcome = Outcome::default();
        for (program, names) in by_program {
            let built = built.get(program).with_context(|| format!("no {program} was built"))?;
            let Outcome { passed, failed } = run::tests(built, &names, which, &self.log)?;
            outcome.passed.extend(passed);
            outcome.failed.extend(failed);
        }
        println!("tested in {} s", start.elapsed().as_secs());
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests;
