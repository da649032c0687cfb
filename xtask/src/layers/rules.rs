//! The allowed directions, as data: `server → app ← frontend → browser`, below them `client → protocol`, and below the
//! server `{hub, sqlite, postgres} → store → protocol`. What a rule does not name is not allowed.

use super::paths::NamedPath;

/// What one crate may depend on.
pub(super) struct CrateRule {
    package: &'static str,
    folder: &'static str,
    /// The crates of this project.
    ours: &'static [&'static str],
    /// The crates of other projects.
    others: Others,
    /// Paths that its sources may not name, for what every crate can reach: the standard library, and what a crate of
    /// another project re-exports.
    never: &'static [&'static [&'static str]],
    reason: &'static str,
}

/// Which crates of other projects a crate may depend on.
enum Others {
    /// These and no more: a new one is a decision.
    Only(&'static [&'static str]),
    /// Any: the crate exists to connect things.
    Any,
}

use Others::{Any, Only};

const RULES: [CrateRule; 14] = [
    CrateRule {
        package: "caravana-protocol",
        folder: "protocol",
        ours: &[],
        others: Only(&["serde", "serde_json", "thiserror", "time", "unicode_normalization", "utoipa", "uuid"]),
        never: &[&["std", "fs"], &["std", "net"], &["std", "process"], &["std", "thread"], &["SystemTime", "now"]],
        reason: "the wire knows nothing of ours and does no I/O",
    },
    CrateRule {
        package: "caravana-client",
        folder: "client",
        ours: &["protocol"],
        others: Only(&["futures", "serde", "thiserror", "uuid", "wasm_split_helpers"]),
        never: &[
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
    },
    CrateRule {
        package: "caravana-app",
        folder: "app",
        ours: &["client", "protocol"],
        others: Only(&[
            "leptos",
            "leptos_meta",
            "leptos_router",
            "qrcodegen",
            "reactive_stores",
            "serde",
            "thiserror",
            "uuid",
            "wasm_split_helpers",
        ]),
        never: &[&["leptos", "web_sys"]],
        reason: "the screen reaches the server and the browser through its ports",
    },
    CrateRule {
        package: "caravana-browser",
        folder: "browser",
        ours: &["client", "protocol"],
        others: Only(&[
            "futures",
            "getrandom",
            "gloo_events",
            "gloo_net",
            "gloo_timers",
            "js_sys",
            "serde",
            "serde_json",
            "uuid",
            "wasm_bindgen",
            "wasm_bindgen_futures",
            "web_sys",
        ]),
        never: &[],
        reason: "other people's pages have it without a UI framework",
    },
    CrateRule {
        package: "caravana-frontend",
        folder: "frontend",
        ours: &["app", "browser", "client", "protocol"],
        others: Any,
        never: &[],
        reason: "the page knows nothing of the server",
    },
    CrateRule {
        package: "caravana-telemetry",
        folder: "server/telemetry",
        ours: &["protocol"],
        others: Only(&["metrics"]),
        never: &[],
        reason: "figures know nothing of what calls them, nor of who fetches them",
    },
    CrateRule {
        package: "caravana-store",
        folder: "server/store",
        ours: &["protocol", "telemetry"],
        others: Only(&[
            "async_trait",
            "futures",
            "serde",
            "serde_json",
            "sqlx",
            "thiserror",
            "tokio",
            "tracing",
            "unicode_normalization",
            "uuid",
        ]),
        never: &[],
        reason: "the ports know no adapter, and nothing above or beside them",
    },
    CrateRule {
        package: "caravana-sqlite",
        folder: "server/sqlite",
        ours: &["protocol", "store", "telemetry"],
        others: Any,
        never: &[],
        reason: "an adapter knows its ports and its database",
    },
    CrateRule {
        package: "caravana-postgres",
        folder: "server/postgres",
        ours: &["protocol", "store", "telemetry"],
        others: Any,
        never: &[],
        reason: "an adapter knows its ports and its database",
    },
    CrateRule {
        package: "caravana-hub",
        folder: "server/hub",
        ours: &["protocol", "store", "telemetry"],
        others: Only(&[
            "bytes",
            "futures",
            "rand",
            "serde_json",
            "thiserror",
            "tokio",
            "tokio_util",
            "tracing",
            "uuid",
        ]),
        never: &[],
        reason: "the hub knows the ports, and no transport or database",
    },
    CrateRule {
        package: "caravana-server",
        folder: "server",
        ours: &["app", "hub", "postgres", "protocol", "sqlite", "store", "telemetry"],
        others: Any,
        never: &[],
        reason: "the server knows nothing of the browser's adapters",
    },
    CrateRule {
        package: "caravana-properties",
        folder: "server/properties",
        ours: &["protocol"],
        others: Only(&["serde_json", "tokio"]),
        never: &[],
        reason: "a fuzzer builds it with sanitizers, so it is made of the decoders alone",
    },
    CrateRule {
        package: "caravana-guard",
        folder: "server/guard",
        ours: &["app", "client", "hub", "protocol", "sqlite", "store"],
        others: Any,
        never: &[],
        reason: "it does the work of the others, and nothing depends on it",
    },
    CrateRule {
        package: "xtask",
        folder: "xtask",
        ours: &[],
        others: Any,
        never: &[],
        reason: "xtask must build before, and without, everything else",
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

    /// Why the crate may not depend on this one, by its name in source code.
    pub(super) fn forbids_crate(&self, name: &str) -> Option<&'static str> {
        let is_allowed = match (name.strip_prefix("caravana_"), &self.others) {
            (Some(own), _) => self.ours.contains(&own),
            (None, Only(others)) => others.contains(&name),
            (None, Any) => true,
        };
        (!is_allowed).then_some(self.reason)
    }

    /// Why the crate's sources may not name this path.
    pub(super) fn forbids_path(&self, path: &NamedPath) -> Option<&'static str> {
        let is_named = |never: &&[&str]| path.segments.windows(never.len()).any(|window| window == *never);
        self.never.iter().any(is_named).then_some(self.reason)
    }
}
