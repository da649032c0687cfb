//! The list of switched-off mechanisms: the content of `xtask/mutants/*.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::items::Items;
use super::snippet;
use crate::workspace::Workspace;

/// A file of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListFile {
    /// Changes that several mutants make, by name.
    #[serde(default)]
    shared: BTreeMap<String, Change>,
    mutant: Vec<Mutant>,
}

/// A mechanism that is switched off.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mutant {
    /// The guarantee, and a word for the mechanism.
    pub(super) name: String,
    /// What the product no longer does.
    pub(super) what: String,
    /// The tests that must fail now, each of them.
    pub(super) tests: Vec<String>,
    /// Names of shared changes that are made too.
    #[serde(default)]
    with: Vec<String>,
    /// How it is switched off.
    #[serde(default)]
    change: Vec<Change>,
}

/// A place that is changed.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Change {
    /// The function, constant, type or SQL definition.
    r#in: String,
    /// The text to find there. It must occur once; its layout does not matter.
    find: String,
    /// The replacement.
    replace: String,
}

/// All mutants, file by file.
pub(super) fn read(workspace: &Workspace) -> Result<Vec<Mutant>> {
    let folder = workspace.root.join("xtask/mutants");
    let files = fs::read_dir(&folder).with_context(|| format!("{} can't be read", folder.display()))?;
    let mut files = files.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    files.sort();
    let mut all: Vec<Mutant> = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file)?;
        all.extend(parse(&text).with_context(|| file.display().to_string())?);
    }
    let mut names = BTreeSet::new();
    for mutant in &all {
        ensure!(names.insert(&mutant.name), "two mutants are called {}", mutant.name);
    }
    Ok(all)
}

fn parse(text: &str) -> Result<Vec<Mutant>> {
    let ListFile { shared, mut mutant } = toml::from_str(text)?;
    for mutant in &mut mutant {
        for name in &mutant.with {
            let change =
                shared.get(name).with_context(|| format!("{}: nothing shared is called {name}", mutant.name))?;
            mutant.change.push(change.clone());
        }
        ensure!(!mutant.change.is_empty() && !mutant.tests.is_empty(), "{} has no change or no test", mutant.name);
    }
    Ok(mutant)
}

impl Mutant {
    /// The changed files with their new texts, seen from the root of the repository.
    pub(super) fn changed(&self, items: &Items) -> Result<BTreeMap<PathBuf, String>> {
        let mut places: BTreeMap<&Path, Vec<(Range<usize>, &str)>> = BTreeMap::new();
        for change in &self.change {
            let place = || format!("{}: «{}» in {}", self.name, change.find, change.r#in);
            let item = items.find(&change.r#in).with_context(place)?;
            let body = &items.text(&item.file)?[item.range.clone()];
            let found = snippet::find(body, &change.find).with_context(place)?;
            let found = item.range.start + found.start..item.range.start + found.end;
            places.entry(&item.file).or_default().push((found, &change.replace));
        }
        let mut texts = BTreeMap::new();
        for (file, mut places) in places {
            // From the end, so that earlier ranges stay valid.
            places.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
            if places.windows(2).any(|pair| pair[1].0.end > pair[0].0.start) {
                bail!("{}: two changes overlap in {}", self.name, file.display());
            }
            let mut text = items.text(file)?.to_owned();
            for (range, replace) in places {
                text.replace_range(range, replace);
            }
            texts.insert(file.to_owned(), text);
        }
        Ok(texts)
    }
}
