//! Checks documents against the sources: tests that they name exist, and rules that they state are kept.
//!
//! This module has only tests; the command does not use it. The table of guarantees has a stricter check, with its
//! mutants.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::layers::sources;
use crate::named_tests::NamedTests;
use crate::workspace::Workspace;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// All files below these folders whose names end with `end`.
fn files(folders: &[&str], end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(end) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "nothing ends with {end}");
    found
}

/// The sources of all crates but this one, whose tests name what is forbidden.
fn product_files() -> Vec<PathBuf> {
    let crates = Workspace::find().unwrap().crates().unwrap();
    let product = crates.into_iter().filter(|package| package.name != env!("CARGO_PKG_NAME"));
    let files = product.flat_map(|package| sources::of_crate(&package.folder.join("src")).unwrap());
    files.map(|file| file.path).collect()
}

/// The names of all browser tests. For tests that are made in a loop, the name ends where the number begins.
fn browser_tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files(&["end2end/tests"], ".ts") {
        let text = fs::read_to_string(path).unwrap();
        for rest in text.split("test(").skip(1) {
            let Some(quote) = rest.chars().next().filter(|c| "'`\"".contains(*c)) else { continue };
            let name = rest[1..].split(quote).next().unwrap_or_default();
            names.insert(name.split(", ${").next().unwrap_or_default().to_owned());
        }
    }
    names
}

fn between(cell: &str, begin: char, end: char) -> impl Iterator<Item = &str> {
    cell.split(begin).skip(1).filter_map(move |rest| rest.split_once(end).map(|(inside, _)| inside))
}

/// The rows of the table in SECURITY.md: point, what it says, mechanism, tests.
fn points(document: &str) -> Vec<[&str; 4]> {
    let rows = document.lines().filter(|line| line.starts_with("| 5.") || line.starts_with("| G"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        cells.try_into().unwrap_or_else(|_| panic!("not four cells: {row}"))
    })
    .collect()
}

#[test]
fn every_point_of_security_has_its_row_and_the_tests_named_there_exist() {
    let (document, browser) = (read("SECURITY.md"), browser_tests());
    let tests = NamedTests::read(&Workspace::find().unwrap()).unwrap();
    let rows = points(&document);
    let expected: Vec<String> = (1..=14).map(|point| format!("5.{point}")).chain(["G9".into(), "G10".into()]).collect();
    let mut there: Vec<&str> = rows.iter().map(|[point, ..]| *point).collect();
    there.dedup();
    assert_eq!(there, expected);
    for [point, says, mechanism, named] in rows {
        let cargo: Vec<&str> = named.split('`').skip(1).step_by(2).collect();
        let pages: Vec<&str> = between(named, '«', '»').collect();
        assert!(!(says.is_empty() || mechanism.is_empty() || cargo.is_empty() && pages.is_empty()), "{point}: {says}");
        for name in cargo {
            assert!(tests.contains(name), "{point}: there is no test {name}");
        }
        for name in pages {
            assert!(browser.contains(name), "{point}: there is no browser test «{name}»");
        }
        // A broken link names a mechanism that no longer exists.
        for link in mechanism.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            assert!(root().join(link.0).exists(), "{point}: {} is not there", link.0);
        }
    }
}

/// What stands in «…», where a title may have such words itself.
fn titles(cell: &str) -> Vec<&str> {
    let (mut found, mut depth, mut begin) = (Vec::new(), 0_u32, 0);
    for (at, c) in cell.char_indices() {
        match c {
            '«' => {
                if depth == 0 {
                    begin = at + c.len_utf8();
                }
                depth += 1;
            }
            '»' => {
                depth -= 1;
                if depth == 0 {
                    found.push(&cell[begin..at]);
                }
            }
            _ => {}
        }
    }
    found
}

/// A test that is made in a loop is written with `…` for what differs: its name begins with what stands before that.
#[test]
fn the_tests_that_the_document_of_the_screen_names_exist() {
    let (document, browser) = (read("docs/screen.md"), browser_tests());
    let tests = NamedTests::read(&Workspace::find().unwrap()).unwrap();
    let rows = document.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| #"));
    let mut count = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [number, says, named] = cells[..] else { panic!("not three cells: {row}") };
        assert!(!(says.is_empty() || named.is_empty()), "{number}");
        // Other code that is named has no `_`.
        for name in named.split('`').skip(1).step_by(2).filter(|name| name.contains('_')) {
            assert!(tests.contains(name), "{number}: there is no test {name}");
        }
        for name in titles(named) {
            let begin = name.split('…').next().unwrap_or_default().trim_end_matches([',', ' ']);
            let is_there = browser.contains(name)
                || browser.contains(begin)
                || browser.iter().any(|known| known.contains('$') && known.starts_with(begin));
            assert!(is_there, "{number}: there is no browser test «{name}»");
        }
        count += 1;
    }
    assert!(count > 150, "{count} rows");
}

#[test]
fn no_crate_has_unsafe_code_and_the_server_survives_a_panic() {
    let workspace = read("Cargo.toml");
    for rule in ["unsafe_code = \"forbid\"", "unwrap_used = \"warn\"", "await_holding_lock = \"deny\""] {
        assert!(workspace.contains(rule), "{rule}");
    }
    let release = workspace.split("[profile.release]").nth(1).unwrap().split("[profile.").next().unwrap();
    assert!(release.contains("panic = \"unwind\""), "{release}");
    for package in Workspace::find().unwrap().crates().unwrap() {
        let manifest = fs::read_to_string(package.folder.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{}", package.name);
    }
    for path in product_files() {
        let text = fs::read_to_string(&path).unwrap();
        let product = text.split("#[cfg(test)]").next().unwrap();
        for lint in ["allow(unsafe_code", "expect(unsafe_code", "allow(clippy::unwrap_used"] {
            assert!(!product.contains(lint), "{}: {lint}", path.display());
        }
    }
}

/// Checks the bans and sources of `deny.toml` without cargo-deny.
#[test]
fn the_lock_file_names_one_registry_and_nothing_that_is_banned() {
    let (lock, rules) = (read("Cargo.lock"), read("deny.toml"));
    let sources: BTreeSet<&str> = lock.lines().filter_map(|line| line.strip_prefix("source = ")).collect();
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert!(sources.iter().all(|source| source.starts_with("\"registry+")), "{sources:?}");
    assert_eq!(
        rules.matches("unknown-registry = \"deny\"").count() + rules.matches("unknown-git = \"deny\"").count(),
        2
    );
    let banned: Vec<&str> = rules.split("{ crate = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(banned.len() > 3, "{banned:?}");
    for name in banned {
        assert!(!lock.contains(&format!("name = \"{name}\"\n")), "{name} is in the lock file");
    }
}

/// Every cargo call that compiles for tests or for a release uses the lock file as it is.
#[test]
fn whatever_is_built_is_built_as_locked() {
    for file in ["xtask/src/build.rs", "xtask/src/build/deployed.rs", "xtask/src/ci.rs", "xtask/src/test.rs"] {
        assert!(read(file).contains("--locked"), "{file}");
    }
    assert!(read(".cargo/config.toml").contains("--locked"), "cargo xtask itself");
    assert!(!read(".gitignore").lines().any(|line| line.contains("Cargo.lock")), "the lock file is committed");
}

/// §5.8 and §5.10: no text becomes markup, and there is no second way to write.
#[test]
fn the_screen_makes_no_markup_of_text_and_has_no_server_functions() {
    for path in product_files() {
        let text = fs::read_to_string(&path).unwrap();
        for way in [
            "inner_html",
            "set_inner_html",
            "outer_html",
            "insert_adjacent_html",
            "document.write",
            "#[server",
            "InertElement::new",
        ] {
            assert!(!text.contains(way), "{}: {way}", path.display());
        }
    }
}

/// The values of a theme, from its selector to the end of its block.
fn theme<'a>(sheet: &'a str, selector: &str) -> Vec<&'a str> {
    let block = sheet.split_once(selector).unwrap_or_else(|| panic!("no {selector}")).1.split_once('}').unwrap().0;
    block.lines().map(str::trim).filter(|line| line.starts_with("--") || line.starts_with("color-scheme")).collect()
}

// A reader who chose dark and one whose system is dark see the same.
#[test]
fn both_definitions_of_the_dark_theme_are_the_same() {
    let sheet = read("style/tokens.css");
    let chosen = theme(&sheet, ":root[data-theme=\"dark\"] {");
    assert!(chosen.len() > 10, "{chosen:?}");
    assert_eq!(chosen, theme(&sheet, ":root[data-theme=\"system\"] {"));
}
