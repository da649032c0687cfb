//! `cargo xtask mutants`: switches off each mechanism that keeps a guarantee, and looks whether its tests notice.
//!
//! Owns the list of switched-off mechanisms (`xtask/mutants/*.toml`, read by [`list`]) and a copy of the tree in which they
//! are tried; the sources themselves are never touched. A mutant names the function in which it changes something, wherever
//! that function stands. In the copy it must compile; then each test that docs/guarantees.md names for it must fail. A test
//! that passes proves less than it says, and is an error here. Before that the same tests must pass on the unchanged copy,
//! or their failure would mean nothing. What a change of the sources does to the list is checked by xtask's own tests: a
//! place that is no longer there is noticed at once.

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

/// Tries the mutants whose name begins with one of `names`, or those of a share; all of them without either.
pub(crate) fn mutants(workspace: &Workspace, names: &[String], share: Option<Share>) -> Result<()> {
    let tools = setup::setup(workspace, Needs { faults: true, postgres: true, ..Needs::default() })?;
    let mut chosen = list::read(workspace)?;
    chosen.retain(|mutant| names.is_empty() || names.iter().any(|name| mutant.name.starts_with(name.as_str())));
    if let Some(share) = share {
        chosen = share.take(chosen);
    }
    try_out(workspace, &tools, &chosen, Which::All)
}

/// Tries the share of today, after the tests have passed on this tree: only those that `cargo test` leaves out have still to
/// be seen to pass.
pub(crate) fn todays(workspace: &Workspace, tools: &Tools) -> Result<()> {
    let share = Share::of_today()?;
    println!("today's share; again by: cargo xtask mutants --share {share}");
    try_out(workspace, tools, &share.take(list::read(workspace)?), Which::Ignored)
}

/// Tries these mutants; `beforehand` says which of their tests must be seen to pass before.
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

/// Everything that trying a mutant needs.
struct Trial<'a> {
    copy: Copy<'a>,
    items: Items,
    tests: NamedTests,
    /// Where the tests' output goes.
    log: PathBuf,
}

impl Trial<'_> {
    /// Tells what is wrong with a mutant: tests that did not notice it.
    fn mutant(&self, mutant: &Mutant) -> Result<Vec<String>> {
        let changed = mutant.changed(&self.items)?;
        let originals: BTreeMap<PathBuf, &str> =
            changed.keys().map(|file| Ok((file.clone(), self.items.text(file)?))).collect::<Result<_>>()?;
        self.copy.put(&changed)?;
        let outcome = self.tests(&mutant.tests.iter().collect::<Vec<_>>(), Which::All);
        self.copy.put(&originals)?;
        // The others are tried all the same.
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
