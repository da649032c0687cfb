//! SQLite's primary result codes that have a meaning for callers.

use ::sqlx::error::DatabaseError;

use super::Meaning;

/// Another connection holds the lock of the file.
pub const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READ_ONLY: i32 = 8;
const INPUT_OUTPUT: i32 = 10;
const FULL: i32 = 13;
const CANNOT_OPEN: i32 = 14;

/// What a result code means for callers; its lower byte is the primary code.
pub(super) fn meaning(error: &dyn DatabaseError) -> Meaning {
    match error.code().and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff) {
        Some(FULL) => Meaning::Full,
        Some(BUSY | LOCKED | READ_ONLY | INPUT_OUTPUT | CANNOT_OPEN) => Meaning::Unavailable,
        Some(_) | None => Meaning::Failed,
    }
}
