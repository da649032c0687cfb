//! PostgreSQL's codes (SQLSTATE) that have a meaning for callers.

use super::Meaning;

/// What a code (SQLSTATE) means for callers.
pub(super) fn meaning(code: &str) -> Meaning {
    match code {
        // disk_full
        "53100" => Meaning::Full,
        // read_only_sql_transaction, lock_not_available, query_canceled (by its timeout), transaction_timeout,
        // idle_in_transaction_session_timeout, serialization_failure, deadlock_detected
        "25006" | "55P03" | "57014" | "25P03" | "25P04" | "40001" | "40P01" => Meaning::Unavailable,
        // classes: connection failed (08), no resources (53), server shuts down, starts or recovers (57P), disk or
        // files fail (58)
        _ if ["08", "53", "57P", "58"].iter().any(|class| code.starts_with(class)) => Meaning::Unavailable,
        _ => Meaning::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_a_meaning_for_callers() {
        for code in ["25006", "55P03", "57014", "57P01", "57P03", "08006", "53300", "40001", "40P01", "58030"] {
            assert_eq!(meaning(code), Meaning::Unavailable, "{code}");
        }
        assert_eq!(meaning("53100"), Meaning::Full);
        assert_eq!(meaning("42P01"), Meaning::Failed);
    }
}
