//! The source files of a crate, each with the module that it is.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::paths;

/// A source file and the module path that its place in the folder gives it.
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    /// `["hub", "connection"]` for `src/hub/connection.rs`, nothing for `src/lib.rs`.
    pub(crate) module: Vec<String>,
}

/// The files below a crate's `src`, without those that are only compiled for tests.
pub(crate) fn of_crate(folder: &Path) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    collect(folder, &mut Vec::new(), &mut files)?;
    let mut only_tests = HashSet::new();
    for file in &files {
        let text = fs::read_to_string(&file.path)?;
        for name in paths::test_modules(&text) {
            only_tests.insert([file.module.as_slice(), &[name]].concat());
        }
    }
    files.retain(|file| !(1..=file.module.len()).any(|depth| only_tests.contains(&file.module[..depth])));
    Ok(files)
}

fn collect(folder: &Path, module: &mut Vec<String>, files: &mut Vec<SourceFile>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))?;
    let mut entries = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    entries.sort();
    for path in entries {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            module.push(stem);
            collect(&path, module, files)?;
            module.pop();
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let is_root = module.is_empty() && (stem == "lib" || stem == "main");
            let own = if is_root { Vec::new() } else { [module.as_slice(), &[stem]].concat() };
            files.push(SourceFile { path, module: own });
        }
    }
    Ok(())
}
