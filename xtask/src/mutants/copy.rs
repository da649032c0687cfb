//! A copy of the tree that may be broken, with its own target folder.
//!
//! The copy reuses cargo's artefacts of third-party crates, so that only this project's crates are compiled, and those
//! incrementally: a mutant then costs seconds and not the minute that a whole server takes.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::named_tests::Program;
use crate::process;
use crate::setup::Tools;
use crate::test;
use crate::workspace::Workspace;

pub(super) struct Copy<'a> {
    workspace: &'a Workspace,
    tools: &'a Tools,
    root: PathBuf,
    target: PathBuf,
}

/// A test program that was built, and the folder of its package in the copy.
pub(super) struct Built {
    pub(super) executable: PathBuf,
    pub(super) folder: PathBuf,
}

impl<'a> Copy<'a> {
    /// Updates the copy to the state of the tree.
    pub(super) fn make(workspace: &'a Workspace, tools: &'a Tools) -> Result<Self> {
        let folder = workspace.target.join("mutants");
        let copy = Self { workspace, tools, root: folder.join("tree"), target: folder.join("target") };
        let listed = files(&workspace.root)?;
        for file in &listed {
            // A file that is listed but missing was deleted, and the deletion is not committed yet.
            let Ok(content) = fs::read(workspace.root.join(file)) else { continue };
            copy.write(Path::new(file), &content)?;
        }
        copy.remove_others(&listed.iter().map(PathBuf::from).collect())?;
        for part in ["deps", "build", ".fingerprint"] {
            take_over(&workspace.target.join("debug").join(part), &copy.target.join("debug").join(part))?;
        }
        Ok(copy)
    }

    /// Writes the files that differ.
    pub(super) fn put<T: AsRef<str>>(&self, files: &BTreeMap<PathBuf, T>) -> Result<()> {
        files.iter().try_for_each(|(file, text)| self.write(file, text.as_ref().as_bytes()))
    }

    /// Writes only a file that differs, so that cargo compiles only what differs.
    fn write(&self, file: &Path, content: &[u8]) -> Result<()> {
        let path = self.root.join(file);
        if fs::read(&path).is_ok_and(|there| there == content) {
            return Ok(());
        }
        fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        fs::write(&path, content).with_context(|| format!("{} can't be written", path.display()))
    }

    /// Removes files that are no longer in the tree: such a file would still be a migration or a test.
    fn remove_others(&self, listed: &BTreeSet<PathBuf>) -> Result<()> {
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if !listed.contains(path.strip_prefix(&self.root)?) {
                    fs::remove_file(path)?;
                }
            }
        }
        Ok(())
    }

    /// Builds these programs in one call, with the features that all tests use. There is no time limit.
    pub(super) fn build(&self, programs: &BTreeSet<&Program>) -> Result<BTreeMap<Program, Built>> {
        let mut cargo = self.tools.cargo(self.workspace);
        cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target).env("CARGO_INCREMENTAL", "1");
        cargo.arg("test").args(test::NATIVE).args(["--quiet", "--no-run", "--message-format=json-render-diagnostics"]);
        if programs.iter().any(|program| program.integration.is_none()) {
            cargo.arg("--lib");
        }
        let integrations: BTreeSet<&String> =
            programs.iter().filter_map(|program| program.integration.as_ref()).collect();
        cargo.args(integrations.iter().map(|name| format!("--test={name}")));
        let mut built = BTreeMap::new();
        for line in process::output(&mut cargo)?.lines() {
            let message: Value = serde_json::from_str(line).context("cargo's messages are JSON")?;
            built.extend(executable(&message));
        }
        for program in programs {
            ensure!(built.contains_key(program), "cargo built no {program} of {}", program.package);
        }
        Ok(built)
    }
}

impl Built {
    /// The program, run as cargo would run it.
    pub(super) fn command(&self) -> Command {
        let mut command = process::program(&self.executable, &self.folder);
        command.env("CARGO_MANIFEST_DIR", &self.folder).env("RUST_BACKTRACE", "0");
        command
    }
}

/// The files of the tree, committed or not.
fn files(root: &Path) -> Result<Vec<String>> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    Ok(process::output(process::program("git", root).args(arguments))?.lines().map(str::to_owned).collect())
}

/// The test program that one of cargo's messages describes.
fn executable(message: &Value) -> Option<(Program, Built)> {
    let executable = PathBuf::from(message["executable"].as_str()?);
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
    message["profile"]["test"].as_bool().filter(|test| *test)?;
    let target = &message["target"];
    let integration = (target["kind"][0].as_str()? == "test").then(|| target["name"].as_str()).flatten();
    // Only the manifest has the package's name in a stable form.
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let manifest: toml::Table = toml::from_str(&manifest).ok()?;
    let package = manifest.get("package")?.get("name")?.as_str()?.to_owned();
    Some((Program { package, integration: integration.map(str::to_owned) }, Built { executable, folder }))
}

/// Takes over the entries of cargo's target folder that the copy's lacks. Files that cargo replaces are linked; files
/// that it may write into are copied. The times are kept, because cargo compares them.
fn take_over(from: &Path, to: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(from) else { return Ok(()) };
    fs::create_dir_all(to)?;
    for entry in entries {
        let (path, there) =
            (entry.as_ref().map(fs::DirEntry::path), entry.as_ref().map(|entry| to.join(entry.file_name())));
        let (Ok(path), Ok(there)) = (path, there) else { continue };
        if path.is_dir() {
            take_over(&path, &there)?;
        } else if !there.exists() {
            let is_library =
                ["rlib", "rmeta", "so", "dylib", "a"].iter().any(|end| path.extension() == Some(OsStr::new(end)));
            if !is_library || fs::hard_link(&path, &there).is_err() {
                fs::copy(&path, &there)?;
                File::options().write(true).open(&there)?.set_modified(fs::metadata(&path)?.modified()?)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_over_keeps_its_time_and_nothing_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("a")).unwrap();
        fs::create_dir_all(&to).unwrap();
        for name in ["libx.rlib", "a/x.d", "both.d"] {
            fs::write(from.join(name), "theirs").unwrap();
        }
        fs::write(to.join("both.d"), "ours").unwrap();
        take_over(&from, &to).unwrap();
        for name in ["libx.rlib", "a/x.d"] {
            let time = |folder: &Path| fs::metadata(folder.join(name)).unwrap().modified().unwrap();
            assert_eq!(time(&from), time(&to), "{name}");
        }
        assert_eq!(fs::read_to_string(to.join("both.d")).unwrap(), "ours");
        fs::write(to.join("a/x.d"), "ours").unwrap();
        assert_eq!(fs::read_to_string(from.join("a/x.d")).unwrap(), "theirs");
        take_over(&folder.path().join("nowhere"), &to).unwrap();
    }
}
