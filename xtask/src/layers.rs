//! `cargo xtask layers`: checks that dependencies only go in the directions that ARCHITECTURE allows.
//!
//! Reads the dependencies of every crate and the paths in its sources. Code behind `#[cfg(test)]` and the `tests` and
//! `benches` folders are exempt: a test may use any module.

mod paths;
mod rules;
pub(crate) mod sources;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace::Workspace;
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

/// The forbidden paths among those in the crate's sources.
fn check_sources(rule: &CrateRule, folder: &Path) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for file in sources::of_crate(folder)? {
        let text = fs::read_to_string(&file.path)?;
        let found = paths::in_source(&text, &file.module)
            .with_context(|| format!("{} is not Rust that can be read", file.path.display()))?;
        for path in found {
            if let Some(reason) = rule.forbids_path(&path) {
                let place = file.path.strip_prefix(folder).unwrap_or(&file.path).display();
                let named = path.segments.join("::");
                violations.push(format!("{}/src/{place}:{}: names {named}: {reason}", rule.folder(), path.line));
            }
        }
    }
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

    fn is_forbidden(package: &str, file: &str, text: &str) -> bool {
        !violations(package, file, text).is_empty()
    }

    #[test]
    fn this_repository_keeps_its_directions() {
        layers(&Workspace::find().unwrap()).unwrap();
    }

    #[test]
    fn a_violation_says_where_it_is_and_why() {
        let found = violations("caravana-server", "hub/registry.rs", "\nuse axum::Router;\n");
        assert_eq!(found, ["server/src/hub/registry.rs:2: names axum::Router: the hub knows only the ports"]);
    }

    #[test]
    fn the_hub_knows_neither_the_transport_nor_a_database_nor_an_adapter() {
        for line in [
            "use axum::extract::ws::WebSocket;",
            "fn f() { let pool: sqlx::SqlitePool; }",
            "use {std::fmt, redis::Client};",
            "use leptos_axum::LeptosRoutes;",
            "use crate::http::Session;",
            "use crate::{state, http::{self, Session}};",
            "use super::super::http::Session;",
            "use crate::store::sqlite::SqliteStore;",
            "use crate::broker::redis::RedisBroker;",
        ] {
            assert!(is_forbidden("caravana-server", "hub/connection.rs", line), "{line}");
        }
        for line in ["use crate::store::Store;", "use crate::broker::Broker;", "use super::registry::Registry;"] {
            assert!(!is_forbidden("caravana-server", "hub/connection.rs", line), "{line}");
        }
    }

    #[test]
    fn the_store_and_the_broker_know_nothing_above_or_beside_them() {
        assert!(is_forbidden("caravana-server", "store/sqlite.rs", "use crate::hub::Hub;"));
        assert!(is_forbidden("caravana-server", "store.rs", "use crate::http::error::ApiError;"));
        assert!(is_forbidden("caravana-server", "broker/redis.rs", "use crate::store::Store;"));
        assert!(!is_forbidden("caravana-server", "broker/redis.rs", "use redis::Client;"));
        assert!(!is_forbidden("caravana-server", "http/messages.rs", "use crate::{hub::Hub, store::Store};"));
    }

    #[test]
    fn the_client_has_neither_a_clock_nor_randomness_nor_a_socket() {
        for line in [
            "use std::time::{Duration, Instant};",
            "fn f() { std::time::SystemTime::now(); }",
            "fn f() { Uuid::now_v7(); }",
            "use gloo_timers::future::sleep;",
            "use tokio::sync::mpsc;",
            "use web_sys::WebSocket;",
            "use rand::Rng;",
        ] {
            assert!(is_forbidden("caravana-client", "session.rs", line), "{line}");
        }
        assert!(!is_forbidden("caravana-client", "session.rs", "use std::time::Duration;"));
    }

    #[test]
    fn the_screen_knows_neither_the_server_nor_the_browser() {
        for line in ["use axum::Router;", "use leptos_axum::ResponseOptions;", "use leptos::web_sys::window;"] {
            assert!(is_forbidden("caravana-app", "pages/group.rs", line), "{line}");
        }
        assert!(!is_forbidden("caravana-app", "pages/group.rs", "use leptos::prelude::*;"));
    }

    #[test]
    fn comments_strings_and_tests_are_free() {
        let text = "//! See axum::Router.\n/* use axum::Router; */\nconst A: &str = \"axum::Router\";\n\
                    #[cfg(test)]\nmod tests {\n    use axum::Router;\n}\n";
        assert!(!is_forbidden("caravana-server", "hub.rs", text));
    }

    #[test]
    fn a_module_that_is_only_a_test_is_free_in_its_own_file_too() {
        let folder = crate_with(&[
            ("hub.rs", "#[cfg(test)]\nmod fixtures;\n"),
            ("hub/fixtures.rs", "use axum::Router;"),
            ("hub/fixtures/deep.rs", "use axum::Router;"),
        ]);
        let rule = rules::of_crate("caravana-server").unwrap();
        assert_eq!(check_sources(rule, folder.path()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_manifest_may_not_point_up_or_sideways() {
        let rule = rules::of_crate("caravana-client").unwrap();
        let package = serde_json::json!({ "dependencies": [
            { "name": "caravana-protocol", "kind": null },
            { "name": "caravana-server", "kind": null },
            { "name": "gloo-net", "kind": null },
            { "name": "tokio", "kind": "dev" },
        ] });
        let found = check_manifest(rule, &package);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("caravana-server") && found[1].contains("gloo-net"));
    }
}
