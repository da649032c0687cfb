//! Prints the sizes of what a browser has to load. A chunk of WASM that exceeds its budget is a warning at the desk and an
//! error in the CI.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use super::files;

/// The bytes that each chunk may have after brotli: what it has today, and a few per cent for what is added without
/// thinking. A change that needs more raises its budget, and says why; one that makes a chunk smaller lowers it.
///
/// 475 to 560 kB for `caravana`: replies, reactions, edits, pins, mentions and the details of a group, with what they need of
/// the session and of the browser. 560 to 625: the rows of the list (drafts, typing, mentions, own settings), notifications,
/// formatted texts, the trip, the doors of the search. `invite`: the QR code. `group`: emoji, days, zone and notifications of a
/// group. `list` and `search` are new. 625 to 652, on 2026-12-01: conversations of two and blocks, colours dealt out, the kept place,
/// the way to mentions. `plain`: fields that say what is wrong with them. `message`: selecting several. `group`: blocking.
/// `message`: blocking and who has reacted; what it has in common with `group` is a file of its own.
const BUDGETS: [(&str, u64); 8] = [
    ("caravana", 652_000),
    ("split_plain", 62_500),
    ("split_invite", 36_000),
    ("split_message", 21_500),
    ("split_group", 35_500),
    ("split_emoji", 22_500),
    ("split_list", 26_500),
    ("split_search", 37_000),
];
/// The same for what several chunks share.
const SHARED_BUDGET: u64 = 8_000;

/// Prints the files of the `pkg` folder, as they are and after brotli.
pub(super) fn print(pkg: &Path) -> Result<()> {
    println!("\n{:<32} {:>10} {:>10}", "site", "raw", "brotli");
    let mut over = Vec::new();
    for file in files::walk(pkg)? {
        let Some(name) = file.file_name().and_then(|name| name.to_str()) else { continue };
        if is_twin(&file) {
            continue;
        }
        let raw = fs::metadata(&file)?.len();
        let packed = fs::metadata(pkg.join(format!("{name}.br"))).map_or(raw, |twin| twin.len());
        println!("{name:<32} {:>10} {:>10}", kilobytes(raw), kilobytes(packed));
        if is_ending(&file, "wasm") && packed > budget(name) {
            over.push(format!("{name} is over its budget of {} after brotli", kilobytes(budget(name))));
        }
    }
    println!();
    judge(&over, std::env::var_os("CI").is_some())
}

fn budget(chunk: &str) -> u64 {
    let name = chunk.strip_suffix(".wasm").unwrap_or(chunk);
    BUDGETS.iter().find(|(known, _)| *known == name).map_or(SHARED_BUDGET, |(_, budget)| *budget)
}

fn judge(over: &[String], is_ci: bool) -> Result<()> {
    ensure!(over.is_empty() || !is_ci, "{}", over.join("; "));
    for line in over {
        println!("warning: {line}");
    }
    Ok(())
}

fn is_twin(file: &Path) -> bool {
    is_ending(file, "br") || is_ending(file, "gz")
}

fn is_ending(file: &Path, ending: &str) -> bool {
    file.extension().is_some_and(|found| found == ending)
}

/// Kilobytes of 1,000 bytes with one decimal place, in whole numbers.
fn kilobytes(bytes: u64) -> String {
    let tenths = (bytes + 50) / 100;
    format!("{}.{} kB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_past_its_budget_fails_in_the_ci_and_is_a_warning_at_the_desk() {
        let over = ["plain.wasm is over its budget".to_owned()];
        assert!(judge(&over, true).unwrap_err().to_string().contains("plain.wasm"));
        assert!(judge(&over, false).is_ok() && judge(&[], true).is_ok());
    }

    #[test]
    fn each_chunk_has_its_own_budget_and_what_they_share_a_small_one() {
        assert_eq!(budget("split_plain.wasm"), 62_500);
        assert_eq!(budget("chunk_3.wasm"), SHARED_BUDGET);
    }

    #[test]
    fn sizes_are_rounded_to_tenths_of_a_kilobyte() {
        assert_eq!(kilobytes(0), "0.0 kB");
        assert_eq!(kilobytes(92_949), "92.9 kB");
        assert_eq!(kilobytes(92_950), "93.0 kB");
    }
}
