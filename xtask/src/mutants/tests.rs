//! Checks the list against the sources, the tests and the table of guarantees, without compiling anything.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;

use super::*;

fn workspace() -> Workspace {
    Workspace::find().unwrap()
}

fn mutants() -> Vec<Mutant> {
    list::read(&workspace()).unwrap()
}

/// The content of a table row about one guarantee.
#[derive(Default)]
struct Row {
    tests: BTreeSet<String>,
    mutants: BTreeSet<String>,
}

#[test]
fn every_mutant_finds_its_places_and_is_still_rust() {
    let items = Items::read(&workspace()).unwrap();
    let mut lost = Vec::new();
    for mutant in mutants() {
        // Reports all errors at once: after a refactoring there are several.
        let changed = match mutant.changed(&items) {
            Ok(changed) => changed,
            Err(error) => {
                lost.push(format!("{error:#}"));
                continue;
            }
        };
        for (file, text) in changed {
            if file.extension() == Some(OsStr::new("rs")) {
                let parsed = syn::parse_file(&text).map(drop);
                parsed.unwrap_or_else(|error| panic!("{} in {}: {error}", mutant.name, file.display()));
            }
            assert_ne!(text, items.text(&file).unwrap(), "{} changes nothing", mutant.name);
        }
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

#[test]
fn every_test_of_a_mutant_exists() {
    let tests = NamedTests::read(&workspace()).unwrap();
    for mutant in mutants() {
        for test in &mutant.tests {
            tests.program(test).unwrap_or_else(|error| panic!("{}: {error:#}", mutant.name));
        }
    }
}

/// Both tables, by guarantee.
fn rows() -> BTreeMap<String, Row> {
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let document = fs::read_to_string(workspace().root.join("docs/guarantees.md")).unwrap();
    for line in document.lines().filter(|line| line.starts_with("| G")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [.., tests, mutants, _] = cells[..] else { panic!("{line}") };
        let row = rows.entry(cells[1].to_lowercase()).or_default();
        row.tests.extend(quoted(tests));
        row.mutants.extend(quoted(mutants));
    }
    rows
}

/// A test's name without the word for its program.
fn plain(test: &str) -> String {
    test.split_once('/').map_or(test, |(_, name)| name).to_owned()
}

/// Both directions are checked: a test that no mutant names was never seen to fail, and a mutant that the table does
/// not name can't be found by its readers.
#[test]
fn the_table_of_guarantees_names_each_mutant_and_just_the_tests_that_notice() {
    let all = mutants();
    for (guarantee, Row { tests, mutants }) in rows() {
        let named = all.iter().filter(|mutant| mutants.contains(&mutant.name));
        let notice: BTreeSet<String> = named.flat_map(|mutant| mutant.tests.iter().map(|test| plain(test))).collect();
        assert!(tests.is_subset(&notice), "{guarantee}: no mutant for {:?}", tests.difference(&notice));
        let prefix = format!("{guarantee}-");
        let own = all.iter().filter(|mutant| mutant.name.starts_with(&prefix));
        let own: BTreeSet<String> = own.map(|mutant| mutant.name.clone()).collect();
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
