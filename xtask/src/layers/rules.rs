//! The allowed directions, as data: `server → app ← frontend`, below them `client → protocol`, and inside the server
//! `http → hub → {store, broker} → protocol`.

use super::paths::NamedPath;

/// The imports that one crate may not have.
pub(super) struct CrateRule {
    package: &'static str,
    folder: &'static str,
    /// The only crates of this project that it may depend on.
    ours: &'static [&'static str],
    /// Crates of other projects that it may not name; each stands for its family, `gloo` for `gloo_net` too.
    crates: &'static [&'static str],
    /// Paths that it may not name, through any re-export.
    paths: &'static [&'static [&'static str]],
    reason: &'static str,
    /// Narrower rules for its top-level modules.
    modules: &'static [ModuleRule],
}

/// The imports that one top-level module of a crate may not have.
struct ModuleRule {
    module: &'static str,
    crates: &'static [&'static str],
    paths: &'static [&'static [&'static str]],
    reason: &'static str,
}

const BROWSER: [&str; 3] = ["gloo", "web_sys", "js_sys"];
const OWN: &str = "caravana_";

const RULES: [CrateRule; 8] = [
    CrateRule {
        package: "caravana-protocol",
        folder: "protocol",
        ours: &[],
        crates: &[
            "axum",
            "getrandom",
            "gloo",
            "js_sys",
            "leptos",
            "rand",
            "redis",
            "reqwest",
            "sqlx",
            "tokio",
            "web_sys",
        ],
        paths: &[&["std", "fs"], &["std", "net"], &["std", "process"], &["std", "thread"], &["SystemTime", "now"]],
        reason: "the wire knows nothing of ours and does no I/O",
        modules: &[],
    },
    CrateRule {
        package: "caravana-client",
        folder: "client",
        ours: &["caravana_protocol"],
        crates: &[
            "axum",
            "getrandom",
            "gloo",
            "js_sys",
            "leptos",
            "rand",
            "redis",
            "reqwest",
            "sqlx",
            "tokio",
            "web_sys",
        ],
        paths: &[
            &["std", "fs"],
            &["std", "net"],
            &["std", "process"],
            &["std", "thread"],
            &["std", "time", "Instant"],
            &["std", "time", "SystemTime"],
            &["Instant", "now"],
            &["SystemTime", "now"],
            &["Uuid", "new_v4"],
            &["Uuid", "now_v7"],
        ],
        reason: "the session has no I/O, no clock and no randomness; they are plugged in",
        modules: &[],
    },
    CrateRule {
        package: "caravana-app",
        folder: "app",
        ours: &["caravana_client", "caravana_protocol"],
        crates: &["axum", "gloo", "js_sys", "leptos_axum", "redis", "sqlx", "web_sys"],
        paths: &[&["leptos", "web_sys"]],
        reason: "the screen reaches the server and the browser through its ports",
        modules: &[],
    },
    CrateRule {
        package: "caravana-browser",
        folder: "browser",
        ours: &["caravana_client", "caravana_protocol"],
        crates: &["axum", "leptos", "redis", "sqlx", "tokio"],
        paths: &[],
        reason: "other people's pages have it without a UI framework",
        modules: &[],
    },
    CrateRule {
        package: "caravana-frontend",
        folder: "frontend",
        ours: &["caravana_app", "caravana_browser", "caravana_client", "caravana_protocol"],
        crates: &["axum", "leptos_axum", "redis", "sqlx", "tokio"],
        paths: &[],
        reason: "the browser's adapters know nothing of the server",
        modules: &[],
    },
    CrateRule {
        package: "caravana-server",
        folder: "server",
        ours: &["caravana_app", "caravana_client", "caravana_protocol"],
        crates: &BROWSER,
        paths: &[],
        reason: "the server knows nothing of the browser's adapters",
        modules: &[
            ModuleRule {
                module: "hub",
                crates: &["axum", "leptos", "redis", "sqlx"],
                paths: &[
                    &["crate", "http"],
                    &["crate", "store", "sqlite"],
                    &["crate", "store", "postgres"],
                    &["crate", "broker", "local"],
                    &["crate", "broker", "postgres"],
                    &["crate", "broker", "redis"],
                ],
                reason: "the hub knows only the ports",
            },
            ModuleRule {
                module: "store",
                crates: &["axum", "leptos"],
                paths: &[
                    &["crate", "http"],
                    &["crate", "hub"],
                    &["crate", "broker"],
                    &["crate", "auth"],
                    &["crate", "settings"],
                ],
                reason: "the store knows nothing above or beside it",
            },
            ModuleRule {
                module: "settings",
                crates: &["leptos", "sqlx"],
                paths: &[
                    &["crate", "http"],
                    &["crate", "hub"],
                    &["crate", "store", "sqlite"],
                    &["crate", "store", "postgres"],
                ],
                reason: "settings are values; whoever acts on them knows them, and not the other way round",
            },
            ModuleRule {
                module: "auth",
                crates: &["leptos", "sqlx"],
                paths: &[&["crate", "http"], &["crate", "hub"], &["crate", "settings"]],
                reason: "who somebody is does not depend on the way they come",
            },
            ModuleRule {
                module: "metrics",
                crates: &["leptos", "sqlx"],
                paths: &[&["crate", "http"], &["crate", "hub"], &["crate", "settings"], &["crate", "store"]],
                reason: "figures know nothing of what calls them",
            },
            ModuleRule {
                module: "broker",
                crates: &["axum", "leptos"],
                paths: &[&["crate", "http"], &["crate", "hub"], &["crate", "store"]],
                reason: "the broker knows nothing above or beside it",
            },
        ],
    },
    CrateRule {
        package: "caravana-properties",
        folder: "server/properties",
        ours: &["caravana_protocol"],
        crates: &["axum", "leptos", "redis", "reqwest", "sqlx", "web_sys"],
        paths: &[],
        reason: "a fuzzer builds it with sanitizers, so it is made of the decoders alone",
        modules: &[],
    },
    CrateRule {
        package: "xtask",
        folder: "xtask",
        ours: &[],
        crates: &[],
        paths: &[],
        reason: "xtask must build before, and without, everything else",
        modules: &[],
    },
];

/// The rule of a package, by its name in the manifest.
pub(super) fn of_crate(package: &str) -> Option<&'static CrateRule> {
    RULES.iter().find(|rule| rule.package == package)
}

impl CrateRule {
    /// The crate's folder in the repository.
    pub(super) fn folder(&self) -> &'static str {
        self.folder
    }

    /// Why the crate may not be built from this one, by its name in source code.
    pub(super) fn forbids_crate(&self, name: &str) -> Option<&'static str> {
        let is_foreign_own = name.starts_with(OWN) && !self.ours.contains(&name) && !self.is_itself(name);
        (is_foreign_own || is_in_family(name, self.crates)).then_some(self.reason)
    }

    /// Why the crate may not name this path at this place.
    pub(super) fn forbids_path(&self, path: &NamedPath) -> Option<&'static str> {
        let first = path.segments.first()?;
        if let Some(reason) = self.forbids_crate(first) {
            return Some(reason);
        }
        if contains_any(&path.segments, self.paths) {
            return Some(self.reason);
        }
        let module = path.module.first()?;
        let rule = self.modules.iter().find(|rule| rule.module == module)?;
        (is_in_family(first, rule.crates) || contains_any(&path.segments, rule.paths)).then_some(rule.reason)
    }

    /// A binary names its own library by the crate's name.
    fn is_itself(&self, name: &str) -> bool {
        self.package.replace('-', "_") == name
    }
}

fn is_in_family(name: &str, families: &[&str]) -> bool {
    families.iter().any(|family| name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')))
}

fn contains_any(segments: &[String], forbidden: &[&[&str]]) -> bool {
    forbidden.iter().any(|path| segments.windows(path.len()).any(|window| window == *path))
}
