//! `cargo xtask layers`: checks that dependencies only go in the directions that ARCHITECTURE allows.
//!
//! Reads the dependencies of every crate and the paths in its sources. A crate may depend on what its rule names; no two
//! modules of a crate may depend on each other. Code behind `#[cfg(test)]` and the `tests` and `benches` folders are
//! exempt: a test may use any module.

mod circles;
mod paths;
mod rules;
pub(crate) mod sources;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace::Workspace;
use circles::Uses;
use rules::CrateRule;

/// Prints every forbidden import; fails if there is one, and if a crate has no rule.
pub(crate) fn layers(workspace: &Workspace) -> Result<()> {
    let mut violations = Vec::new();
    for package in &workspace.packages {
        let name = package["name"].as_str().context("cargo metadata lists a package without a name")?;
        let Some(rule) = rules::of_crate(name) else {
            bail!("the crate {name} has no rule in xtask/src/layers/rules.rs; decide what it may know");
        };
        violations.extend(check_manifest(rule, package));
        let manifest = package["manifest_path"].as_str().context("a package without a manifest")?;
        let folder = Path::new(manifest).parent().context("a manifest without a folder")?.join("src");
        violations.extend(check_sources(rule, &folder)?);
    }
    for violation in &violations {
        println!("{violation}");
    }
    if !violations.is_empty() {
        bail!("{} forbidden imports", violations.len());
    }
    println!("layers: {} crates, no forbidden import", workspace.packages.len());
    Ok(())
}

/// The forbidden dependencies among those that are compiled into the crate.
fn check_manifest(rule: &CrateRule, package: &Value) -> Vec<String> {
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    dependencies
        .iter()
        .filter(|dependency| dependency["kind"].is_null())
        .filter_map(|dependency| dependency["name"].as_str())
        .filter_map(|name| {
            let reason = rule.forbids_crate(&name.replace('-', "_"))?;
            Some(format!("{}/Cargo.toml: depends on {name}: {reason}", rule.folder()))
        })
        .collect()
}

/// The forbidden paths among those in the crate's sources, and the circles between its modules.
fn check_sources(rule: &CrateRule, folder: &Path) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    let files = sources::of_crate(folder)?;
    let mut uses = Uses::default();
    for file in &files {
        uses.module(&file.module);
    }
    for file in files {
        let text = fs::read_to_string(&file.path)?;
        let found = paths::in_source(&text, &file.module)
            .with_context(|| format!("{} is not Rust that can be read", file.path.display()))?;
        for path in found {
            if let Some(reason) = rule.forbids_path(&path) {
                let place = file.path.strip_prefix(folder).unwrap_or(&file.path).display();
                let named = path.segments.join("::");
                violations.push(format!("{}/src/{place}:{}: names {named}: {reason}", rule.folder(), path.line));
            }
            uses.path(&path);
        }
    }
    let circles = uses.circles().into_iter();
    violations.extend(circles.map(|circle| format!("{}/src: a circle: {circle}", rule.folder())));
    Ok(violations)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn violations(package: &str, file: &str, text: &str) -> Vec<String> {
        let folder = crate_with(&[(file, text)]);
        check_sources(rules::of_crate(package).unwrap(), folder.path()).unwrap()
    }

    fn depends(package: &str, on: &str) -> Vec<String> {
        let package_of_cargo = serde_json::json!({ "dependencies": [{ "name": on, "kind": null }] });
        check_manifest(rules::of_crate(package).unwrap(), &package_of_cargo)
    }

    #[test]
    fn this_repository_keeps_its_directions() {
        layers(&Workspace::find().unwrap()).unwrap();
    }

    /// Cargo adds up features, so a dependency that looks harmless could bring the driver into the hub.
    #[test]
    fn the_hub_does_not_switch_on_the_driver_in_the_store() {
        let workspace = Workspace::find().unwrap();
        let dependency = |package: &str, on: &str| {
            let package = workspace.packages.iter().find(|known| known["name"] == package).unwrap();
            let dependencies = package["dependencies"].as_array().unwrap();
            dependencies.iter().find(|known| known["name"] == on).unwrap().clone()
        };
        assert_eq!(dependency("caravana-hub", "caravana-store")["features"], serde_json::json!([]));
        assert_eq!(dependency("caravana-store", "sqlx")["optional"], true);
    }

    #[test]
    fn a_violation_says_where_it_is_and_why() {
        let found = violations("caravana-client", "session/input.rs", "\nuse std::time::Instant;\n");
        let reason = "the session has no I/O, no clock and no randomness; they are plugged in";
        assert_eq!(found, [format!("client/src/session/input.rs:2: names std::time::Instant: {reason}")]);
        let found = depends("caravana-hub", "sqlx");
        assert_eq!(
            found,
            ["server/hub/Cargo.toml: depends on sqlx: the hub knows the ports, and no transport or database"]
        );
    }

    #[test]
    fn a_crate_depends_on_what_its_rule_names_and_on_nothing_else() {
        for (package, on) in [
            ("caravana-protocol", "tokio"),
            ("caravana-client", "gloo-net"),
            ("caravana-client", "caravana-server"),
            ("caravana-app", "axum"),
            ("caravana-browser", "leptos"),
            ("caravana-hub", "axum"),
            ("caravana-hub", "caravana-sqlite"),
            ("caravana-store", "caravana-hub"),
            ("caravana-sqlite", "caravana-postgres"),
            ("caravana-server", "caravana-frontend"),
            // A crate that nobody has decided on.
            ("caravana-client", "once-upon-a-time"),
        ] {
            assert_eq!(depends(package, on).len(), 1, "{package} {on}");
        }
        for (package, on) in [("caravana-hub", "caravana-store"), ("caravana-server", "axum"), ("xtask", "clap")] {
            assert_eq!(depends(package, on), Vec::<String>::new());
        }
    }

    #[test]
    fn what_only_tests_depend_on_is_free() {
        let package = serde_json::json!({ "dependencies": [{ "name": "tokio", "kind": "dev" }] });
        assert_eq!(check_manifest(rules::of_crate("caravana-client").unwrap(), &package), Vec::<String>::new());
    }

    #[test]
    fn the_client_has_neither_a_clock_nor_randomness_nor_files() {
        for line in [
            "use std::time::{Duration, Instant};",
            "fn f() { std::time::SystemTime::now(); }",
            "fn f() { Uuid::now_v7(); }",
            "use std::{fmt, fs};",
        ] {
            assert_eq!(violations("caravana-client", "session.rs", line).len(), 1, "{line}");
        }
        assert_eq!(violations("caravana-client", "session.rs", "use std::time::Duration;"), Vec::<String>::new());
    }

    #[test]
    fn the_screen_does_not_reach_the_browser_through_its_framework() {
        assert_eq!(violations("caravana-app", "pages/group.rs", "use leptos::web_sys::window;").len(), 1);
        assert_eq!(violations("caravana-app", "pages/group.rs", "use leptos::prelude::*;"), Vec::<String>::new());
    }

    #[test]
    fn comments_strings_and_tests_are_free() {
        let text = "//! See std::fs.\n/* use std::fs; */\nconst A: &str = \"std::fs\";\n\
                    #[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        assert_eq!(violations("caravana-client", "session.rs", text), Vec::<String>::new());
    }

    #[test]
    fn a_module_that_is_only_a_test_is_free_in_its_own_file_too() {
        let folder = crate_with(&[
            ("session.rs", "#[cfg(test)]\nmod fixtures;\n"),
            ("session/fixtures.rs", "use std::fs;"),
            ("session/fixtures/deep.rs", "use std::fs;"),
        ]);
        let rule = rules::of_crate("caravana-client").unwrap();
        assert_eq!(check_sources(rule, folder.path()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn two_modules_that_use_each_other_are_a_violation() {
        let folder =
            crate_with(&[("a.rs", "use crate::b::B;"), ("b.rs", "use super::a::A;"), ("lib.rs", "mod a;\nmod b;")]);
        let rule = rules::of_crate("caravana-hub").unwrap();
        assert_eq!(check_sources(rule, folder.path()).unwrap(), ["server/hub/src: a circle: crate: a → b → a"]);
    }
}
