//! Output: tables for readers, JSON lines for programs.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use crate::other_servers;
use crate::process::load_average;
use crate::workload::Outcome;

/// Width of a column of figures.
const COLUMN: usize = 11;
/// Width of the column of names.
const NAMES: usize = 24;
/// Width of another server's column.
const OTHER: usize = 21;

/// Prints one table for each case.
#[expect(clippy::print_stdout, reason = "the tables are what the benchmark is for")]
pub(crate) fn print(outcomes: &[Outcome]) {
    for repetitions in outcomes.chunk_by(|left, right| left.case == right.case) {
        println!("{}", table(repetitions));
    }
}

/// Adds a line for each repetition to `<folder>/<workload>.jsonl`.
pub(crate) fn save(folder: &Path, workload: &str, server: &Path, outcomes: &[Outcome]) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    let path = folder.join(format!("{workload}.jsonl"));
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    let at = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    for outcome in outcomes {
        let figures: Map<String, Value> =
            outcome.figures.iter().map(|figure| (figure.name.to_owned(), json!(figure.value))).collect();
        let line = json!({"at": at, "server": server, "case": outcome.case, "load_average": load_average(), "figures": figures});
        writeln!(file, "{line}")?;
    }
    Ok(())
}

/// The repetitions of one case: minimum, median and maximum of each figure, the target, the other servers.
fn table(repetitions: &[Outcome]) -> String {
    let Some(first) = repetitions.first() else { return String::new() };
    let (case, others) = (&first.case, other_servers::names(&first.case));
    let times = repetitions.len();
    let mut table = format!("\n{case} ({times} repetitions, load average {:.1})\n", load_average());
    let mut line =
        format!("{:NAMES$}{:>COLUMN$}{:>COLUMN$}{:>COLUMN$}{:>COLUMN$}", "", "min", "median", "max", "target");
    for other in &others {
        let _ = write!(line, "{other:>OTHER$}");
    }
    table.push_str(line.trim_end());
    for figure in &first.figures {
        let mut values: Vec<f64> = repetitions
            .iter()
            .flat_map(|outcome| &outcome.figures)
            .filter(|other| other.name == figure.name)
            .map(|other| other.value)
            .collect();
        values.sort_by(f64::total_cmp);
        let mut line = format!(
            "{:NAMES$}{:>COLUMN$}{:>COLUMN$}{:>COLUMN$}{:>COLUMN$}",
            figure.name,
            values.first().copied().map_or_else(String::new, number),
            median(&values).map_or_else(String::new, number),
            values.last().copied().map_or_else(String::new, number),
            other_servers::target(case, figure.name)
        );
        for other in &others {
            let value = other_servers::figure(case, other, figure.name).map_or_else(String::new, number);
            let _ = write!(line, "{value:>OTHER$}");
        }
        table.push('\n');
        table.push_str(line.trim_end());
    }
    table
}

/// The middle of sorted values; between the two in the middle if their number is even.
fn median(sorted: &[f64]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

/// Three significant digits or a whole number with its thousands apart.
fn number(value: f64) -> String {
    if value.abs() < 10.0 {
        return format!("{value:.2}");
    }
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
