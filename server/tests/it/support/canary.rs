//! What no line of a log may hold (RELIABILITY §5.12), looked for in every line that any server of the suite writes.
//!
//! Servers of the test's own process log into [`watch`]'s subscriber, at the most talkative level of our crates; those in a
//! process of their own have their standard error read line by line. A find fails the test whose server ends next, with
//! the line: whichever test it is, something was logged that must never be.

use std::io;
use std::sync::{Mutex, Once, PoisonError};

use super::PASSWORD;
use super::server::JWT_SECRET;

/// Put into whatever a test wants to find again: letters and digits, so that it stands in an address, a name, a header or
/// a query as it is.
pub(crate) const CANARY: &str = "kanarienvogel7b1e";
/// Everything that our crates and the router can say; `logs` lets all crates talk, which is too slow for a whole suite.
pub(crate) const TALKATIVE: &str =
    "info,caravana_server=trace,caravana_app=trace,caravana_client=trace,caravana_protocol=trace,axum=trace";
/// Characters of a secret of ours, in base64url.
const SECRET: usize = 43;

static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What a line holds that it must not.
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

/// Looks at a line of a log.
pub(crate) fn judge(line: &str) {
    if let Some(what) = secret_in(line) {
        found().push(format!("{what}: {line}"));
    }
}

/// Fails when anything was found.
#[track_caller]
pub(crate) fn assert_nothing_was_found() {
    let found = found().clone();
    assert!(found.is_empty(), "logs hold what they must not: {found:#?}");
}

fn found() -> std::sync::MutexGuard<'static, Vec<String>> {
    FOUND.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Logs of this process go to [`judge`] from here on.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt().with_env_filter(TALKATIVE).with_ansi(false).with_writer(|| Judge).init();
    });
}

/// Takes one line a call, as the subscriber writes them.
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
