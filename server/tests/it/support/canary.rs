//! Checks every log line of every server in the tests for what a log must never contain (RELIABILITY §5.12).
//!
//! Servers in the test's process log into [`watch`]'s subscriber, at the most verbose level of our crates. For servers
//! in their own process, the test reads standard error line by line. If a line contains a secret, the test whose server
//! ends next fails and shows the line. That test need not be the one that logged it.

use std::io;
use std::sync::{Mutex, Once, PoisonError};

use super::PASSWORD;
use super::server::JWT_SECRET;

/// A text that tests put where they expect it not to be logged. It has only letters and digits, so that it needs no
/// escaping in an address, a name, a header or a query.
pub(crate) const CANARY: &str = "kanarienvogel7b1e";
/// The most verbose level of our crates and the router. The module `logs` enables it for all crates, which is too slow
/// for the whole suite.
pub(crate) const TALKATIVE: &str =
    "info,caravana_server=trace,caravana_app=trace,caravana_client=trace,caravana_protocol=trace,axum=trace";
/// The length of our secrets in base64url.
const SECRET: usize = 43;

static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What a line contains that it must not contain.
pub(crate) fn secret_in(line: &str) -> Option<&'static str> {
    let is_secret = |run: &str| run.len() == SECRET || run.starts_with("eyJ");
    let mut runs = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    if line.contains(CANARY) {
        Some("the canary")
    } else if line.contains(PASSWORD) {
        Some("a password")
    } else if line.contains("@example.org") {
        Some("an e-mail address")
    } else if line.contains(JWT_SECRET) || runs.any(is_secret) {
        Some("a token")
    } else {
        None
    }
}

/// Checks one log line.
pub(crate) fn judge(line: &str) {
    if let Some(what) = secret_in(line) {
        found().push(format!("{what}: {line}"));
    }
}

/// Fails if any checked line contained a secret.
#[track_caller]
pub(crate) fn assert_nothing_was_found() {
    let found = found().clone();
    assert!(found.is_empty(), "logs hold what they must not: {found:#?}");
}

fn found() -> std::sync::MutexGuard<'static, Vec<String>> {
    FOUND.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on, the logs of this process go to [`judge`].
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt().with_env_filter(TALKATIVE).with_ansi(false).with_writer(|| Judge).init();
    });
}

/// A writer that gets one log line per call, as the subscriber writes them.
struct Judge;

impl io::Write for Judge {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        judge(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn each_kind_of_secret_is_recognised_and_an_ordinary_line_is_none() {
    let secret = caravana_server::auth::Secret::generate();
    for line in [
        format!("message={CANARY}"),
        format!("password={PASSWORD:?}"),
        "user=ana@example.org".into(),
        format!("cookie=caravana_session={}", secret.expose()),
        format!("authorization: Bearer {}", super::jwt(&serde_json::json!({"sub": 1}))),
        format!("secret={JWT_SECRET}"),
    ] {
        assert!(secret_in(&line).is_some(), "{line}");
    }
    let id = uuid::Uuid::now_v7();
    let ordinary = format!("DEBUG caravana_server::http::envelope: answered request_id={} group={id}", id.simple());
    assert_eq!(secret_in(&ordinary), None);
}
