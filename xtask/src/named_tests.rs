//! The tests of all crates by name, with the test program of cargo that contains them.
//!
//! Read from the sources, without compiling anything. The list of mutants and the checks of documents use it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// A test program that cargo builds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Program {
    /// The package.
    pub(crate) package: String,
    /// The name of a file or folder in the crate's `tests`; `None` is the program of the crate's own unit tests.
    pub(crate) integration: Option<String>,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.integration.as_deref().unwrap_or_else(|| self.short_name()))
    }
}

impl Program {
    fn short_name(&self) -> &str {
        self.package.trim_start_matches("caravana-")
    }

    /// Whether `word` names this program: `it` is the program of that name in a crate's `tests`, `lib` any crate's own
    /// tests, `hub` all tests of a crate.
    fn is_called(&self, word: &str) -> bool {
        match &self.integration {
            Some(name) => name == word || self.short_name() == word,
            None => word == "lib" || self.short_name() == word,
        }
    }
}

/// All tests that cargo runs.
pub(crate) struct NamedTests {
    programs: BTreeMap<String, BTreeSet<Program>>,
}

impl NamedTests {
    /// Reads the sources of all crates.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self> {
        let mut all = Self { programs: BTreeMap::new() };
        for package in workspace.crates()? {
            let own = |integration| Program { package: package.name.clone(), integration };
            all.take(&package.folder.join("src"), &own(None))?;
            let tests = package.folder.join("tests");
            for path in entries(&tests)? {
                let name = path.file_stem().context("a file without a name")?.to_string_lossy().into_owned();
                all.take(&path, &own(Some(name)))?;
            }
        }
        Ok(all)
    }

    /// Whether there is a test of that name anywhere.
    #[cfg(test)]
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.programs.contains_key(name)
    }

    /// The program of a test. It is written as `name`, or as `word/name` if several programs have a test of that name.
    /// A name may begin with modules, to tell it from others in the program: `postgres::name`.
    pub(crate) fn program(&self, written: &str) -> Result<&Program> {
        let (word, name) = written.split_once('/').map_or((None, written), |(word, name)| (Some(word), name));
        let own = name.rsplit("::").next().unwrap_or(name);
        let programs = self.programs.get(own).with_context(|| format!("there is no test {own}"))?;
        let found: Vec<&Program> =
            programs.iter().filter(|program| word.is_none_or(|word| program.is_called(word))).collect();
        match found[..] {
            [program] => Ok(program),
            [] => bail!("no test {own} is in {}", word.unwrap_or_default()),
            _ => {
                let names: Vec<String> = found.iter().map(|program| format!("{program}/{name}")).collect();
                bail!("several programs have a test {own}; write one of {}", names.join(", "))
            }
        }
    }

    /// Collects all tests in a file, or in all files below a folder.
    fn take(&mut self, path: &Path, program: &Program) -> Result<()> {
        if path.is_dir() {
            return entries(path)?.iter().try_for_each(|path| self.take(path, program));
        }
        if path.extension() == Some(OsStr::new("rs")) {
            for name in in_source(&fs::read_to_string(path)?) {
                self.programs.entry(name).or_default().insert(program.clone());
            }
        }
        Ok(())
    }
}

/// The entries of a folder; empty if there is no such folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

/// The names of the tests in a source, also of those inside a macro's braces.
fn in_source(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut is_test, mut is_listed) = (false, false);
    for line in text.lines().map(str::trim) {
        // Each line of such a list is a test for each database.
        if is_listed && line != "}" {
            names.push(line.to_owned());
        }
        is_listed = line == "on_both! {" || is_listed && line != "}";
        let name = line.trim_start_matches("async ").strip_prefix("fn ").and_then(|rest| rest.split_once('('));
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((name, _)) = name {
            if is_test {
                names.push(name.to_owned());
            }
            is_test = false;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(package: &str, integration: Option<&str>) -> Program {
        Program { package: package.to_owned(), integration: integration.map(str::to_owned) }
    }

    #[test]
    fn tests_are_found_in_functions_and_in_lists() {
        let text = "#[test]\nfn a() {}\nfn b() {}\n#[tokio::test(start_paused = true)]\n#[ignore]\nasync fn c() {}\n\
            on_both! {\n    d\n    e\n}\n";
        assert_eq!(in_source(text), ["a", "c", "d", "e"]);
    }

    #[test]
    fn a_name_in_several_programs_needs_a_word() {
        let programs = BTreeSet::from([program("caravana-server", Some("it")), program("caravana-hub", None)]);
        let all = NamedTests { programs: BTreeMap::from([("held".to_owned(), programs)]) };
        let error = all.program("held").unwrap_err().to_string();
        assert!(error.ends_with("write one of hub/held, it/held"), "{error}");
        assert_eq!(all.program("it/sqlite::held").unwrap().package, "caravana-server");
        for word in ["hub", "lib"] {
            assert_eq!(all.program(&format!("{word}/held")).unwrap().package, "caravana-hub");
        }
        assert!(all.program("app/held").is_err());
        assert!(all.program("helt").is_err());
    }
}
