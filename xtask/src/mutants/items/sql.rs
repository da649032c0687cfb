//! The definitions in migrations: triggers, functions, tables.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Item;

/// Folders without sources of this project.
const FOREIGN: [&str; 3] = ["target", "node_modules", "fuzz"];

/// All SQL files, in the order in which migrations run, seen from the root.
pub(super) fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if entry.file_type()?.is_dir() {
                if !name.starts_with('.') && !FOREIGN.contains(&name.as_ref()) {
                    folders.push(path);
                }
            } else if path.extension() == Some(OsStr::new("sql")) {
                found.push(path.strip_prefix(root)?.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The definitions in a file. A definition begins at the start of a line, and ends where the next statement begins.
pub(super) fn items(file: &Path, text: &str) -> Vec<Item> {
    let mut path: Vec<String> = file.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    path.pop();
    let starts = statements(text);
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let definitions = starts.iter().copied().zip(ends).filter_map(|(start, end)| {
        let name = defined(&text[start..end])?;
        let path = [path.as_slice(), &[name.to_owned()]].concat();
        Some(Item { path, file: file.to_owned(), range: start..end })
    });
    definitions.collect()
}

/// Only the last definition of each name in a folder; items of other files stay as they are.
pub(super) fn without_replaced(mut items: Vec<Item>) -> Vec<Item> {
    let mut seen = HashSet::new();
    items.reverse();
    items.retain(|item| item.file.extension() != Some(OsStr::new("sql")) || seen.insert(item.path.clone()));
    items.reverse();
    items
}

fn statements(text: &str) -> Vec<usize> {
    const FIRST_WORDS: [&str; 11] =
        ["alter", "comment", "create", "delete", "do", "drop", "grant", "insert", "revoke", "select", "update"];
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.split(' ').next().is_some_and(|word| FIRST_WORDS.contains(&word)) {
            starts.push(at);
        }
        at += line.len();
    }
    starts
}

/// The name that a `create` gives.
fn defined(statement: &str) -> Option<&str> {
    const KINDS: [&str; 7] = ["function", "index", "procedure", "table", "trigger", "type", "view"];
    let mut words = statement.split_whitespace();
    words.next().filter(|word| *word == "create")?;
    words.find(|word| KINDS.contains(word))?;
    let name = words.find(|word| !["if", "not", "exists"].contains(word))?;
    name.split('(').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "create table t (a text);\n\ncreate trigger moved after insert on t begin\n    \
        update t set a = 1;\nend;\n\ncreate or replace function caravana.append(\n    x uuid) as $$\nbegin\nend\n$$;\n";

    fn found(file: &str, text: &str) -> Vec<Item> {
        items(Path::new(file), text)
    }

    #[test]
    fn definitions_are_found_with_their_bodies() {
        let names: Vec<String> =
            found("migrations/sqlite/1.sql", FIRST).iter().map(|item| item.path.join("::")).collect();
        let expected = ["t", "moved", "caravana.append"].map(|name| format!("migrations::sqlite::{name}"));
        assert_eq!(names, expected);
        let [_, moved, append] = &found("a/1.sql", FIRST)[..] else { panic!() };
        assert!(FIRST[moved.range.clone()].trim_end().ends_with("end;"));
        assert!(FIRST[append.range.clone()].trim_end().ends_with("$$;"));
    }

    #[test]
    fn of_several_definitions_the_last_one_counts() {
        let later = "create trigger moved after delete on t begin\nend;\n";
        let all = [found("a/1.sql", FIRST), found("a/2.sql", later), found("b/1.sql", FIRST)].concat();
        let left = without_replaced(all);
        let moved: Vec<&Path> =
            left.iter().filter(|item| item.path[1] == "moved").map(|item| item.file.as_path()).collect();
        assert_eq!(moved, [Path::new("a/2.sql"), Path::new("b/1.sql")]);
    }
}
