//! The places that a mutant can name: functions, constants and types of all crates, and the definitions in the
//! migrations.
//!
//! A place is named by the end of its path, with as many words as make it unique: `Hub::post` is found in
//! `hub::writes::Hub::post`, and is still found when the type moves to another module or crate. The last word must be
//! the item's own name; between the words before it, others may be left out.

mod rust;
mod sql;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::layers::sources;
use crate::workspace::Workspace;

/// All places, and the texts of their files.
pub(super) struct Items {
    items: Vec<Item>,
    files: BTreeMap<PathBuf, String>,
}

/// A piece of a file that has a name.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// The crate or the folder, the modules, the type and its trait, the name.
    pub(super) path: Vec<String>,
    /// The file, seen from the root of the repository.
    pub(super) file: PathBuf,
    /// Its byte range in the file.
    pub(super) range: Range<usize>,
}

impl Items {
    /// Reads all sources but the tests.
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let mut all = Self { items: Vec::new(), files: BTreeMap::new() };
        for package in workspace.crates()?.into_iter().filter(|package| package.name != env!("CARGO_PKG_NAME")) {
            // `caravana-server` is `server` here, so that a module keeps its name when it becomes a crate.
            let name = package.name.trim_start_matches("caravana-").replace('-', "_");
            for file in sources::of_crate(&package.folder.join("src"))? {
                let text = fs::read_to_string(&file.path)?;
                let own = file.path.strip_prefix(&workspace.root)?.to_owned();
                let mut path = vec![name.clone()];
                path.extend(file.module);
                all.items.extend(rust::items(&own, &text, &path)?);
                all.files.insert(own, text);
            }
        }
        for file in sql::files(&workspace.root)? {
            let text = fs::read_to_string(workspace.root.join(&file))?;
            all.items.extend(sql::items(&file, &text));
            all.files.insert(file, text);
        }
        // A later migration may redefine what an earlier one defined: only the last definition counts.
        all.items = sql::without_replaced(all.items);
        Ok(all)
    }

    /// The only item with this name.
    pub(super) fn find(&self, name: &str) -> Result<&Item> {
        let found: Vec<&Item> = self.items.iter().filter(|item| item.is_called(name)).collect();
        match found[..] {
            [item] => Ok(item),
            [] => bail!("there is no {name}"),
            _ => {
                let names: Vec<String> = found.iter().map(|item| self.shortest_name(item)).collect();
                bail!("{name} is the name of several items; write one of {}", names.join(", "))
            }
        }
    }

    /// The text of a file, seen from the root of the repository.
    pub(super) fn text(&self, file: &Path) -> Result<&str> {
        self.files.get(file).map(String::as_str).with_context(|| format!("{} was not read", file.display()))
    }

    /// The shortest name that is unique to this item: its own name, with one word before it, two, or all.
    fn shortest_name(&self, item: &Item) -> String {
        let (own, before) = item.path.split_last().expect("an item has a name");
        let pairs = || (0..before.len()).rev().flat_map(|second| (0..second).rev().map(move |first| (first, second)));
        let one = before.iter().rev().map(|word| format!("{word}::{own}"));
        let two = pairs().map(|(first, second)| format!("{}::{}::{own}", before[first], before[second]));
        let is_unique = |name: &String| self.items.iter().filter(|other| other.is_called(name)).count() == 1;
        let unique = one.chain(two).chain([item.path.join("::")]).find(is_unique);
        unique.unwrap_or_else(|| format!("{} of {}", item.path.join("::"), item.file.display()))
    }
}

impl Item {
    fn is_called(&self, name: &str) -> bool {
        let mut words = name.rsplit("::");
        let Some((own, before)) = self.path.split_last() else { return false };
        if words.next() != Some(own.as_str()) {
            return false;
        }
        let mut before = before.iter().rev();
        words.all(|word| before.any(|other| other == word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(paths: &[&str]) -> Items {
        let item = |path: &&str| Item {
            path: path.split("::").map(str::to_owned).collect(),
            file: PathBuf::from("a.rs"),
            range: 0..0,
        };
        Items { items: paths.iter().map(item).collect(), files: BTreeMap::new() }
    }

    #[test]
    fn a_name_is_as_much_of_the_path_as_tells_it_from_others() {
        let all = items(&["server::hub::writes::Hub::post", "server::store::sqlite::Log::post", "client::post"]);
        for name in ["Hub::post", "hub::post", "writes::Hub::post", "server::hub::writes::Hub::post"] {
            assert_eq!(all.find(name).unwrap().path.join("::"), "server::hub::writes::Hub::post", "{name}");
        }
        assert!(all.find("Hub::edit").is_err());
        assert!(all.find("post::Hub").is_err());
        assert!(all.find("ub::post").is_err());
    }

    #[test]
    fn a_name_survives_a_move_into_another_module_or_crate() {
        for path in ["server::store::sqlite::log::append", "sqlite::append", "sqlite::log::inner::append"] {
            assert!(items(&[path, "postgres::append"]).find("sqlite::append").is_ok(), "{path}");
        }
    }

    #[test]
    fn an_ambiguous_name_is_told_what_to_write_instead() {
        let all = items(&["server::sqlite::log::append", "server::postgres::log::append"]);
        let error = all.find("append").unwrap_err().to_string();
        assert!(error.ends_with("write one of sqlite::append, postgres::append"), "{error}");
    }
}
