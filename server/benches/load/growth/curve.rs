//! One figure at several sizes, and the exponent of its growth.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde_json::json;

use crate::process::load_average;

/// An exponent above this is worse than linear.
const LINEAR: f64 = 1.1;
/// Width of the column of names.
const NAMES: usize = 40;
/// Width of a column of figures.
const COLUMN: usize = 12;

/// A figure at several sizes.
#[derive(Debug)]
pub(super) struct Curve {
    /// Its name, with the unit.
    name: &'static str,
    points: Vec<(usize, f64)>,
}

impl Curve {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, points: Vec::new() }
    }

    pub(super) fn add(&mut self, size: usize, value: f64) {
        self.points.push((size, value));
    }

    /// The exponent over all sizes.
    fn exponent(&self) -> Option<f64> {
        exponent(&self.points)
    }

    /// The exponent over the last two sizes: what costs the same for any size hides the growth in the first ones.
    fn at_the_end(&self) -> Option<f64> {
        exponent(&self.points[self.points.len().saturating_sub(2)..])
    }
}

/// The slope of the straight line through the logarithms, by least squares.
#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn exponent(points: &[(usize, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points
        .iter()
        .filter(|(_, value)| *value > 0.0)
        .map(|(size, value)| ((*size as f64).ln(), value.ln()))
        .collect();
    let count = logs.len() as f64;
    let (x, y) = (logs.iter().map(|log| log.0).sum::<f64>() / count, logs.iter().map(|log| log.1).sum::<f64>() / count);
    let spread: f64 = logs.iter().map(|log| (log.0 - x).powi(2)).sum();
    let slope = logs.iter().map(|log| (log.0 - x) * (log.1 - y)).sum::<f64>() / spread;
    (logs.len() > 1).then_some(slope)
}

/// Prints the curves of the same sizes as one table.
#[expect(clippy::print_stdout, reason = "the tables are what the benchmark is for")]
pub(super) fn print(what: &str, database: &str, curves: &[Curve]) {
    let Some(first) = curves.first() else { return };
    let sizes: Vec<String> = first.points.iter().map(|(size, _)| format!("{size:>COLUMN$}")).collect();
    let sizes = sizes.concat();
    println!("\ngrowth: {what} ({database}, load average {:.1})", load_average());
    println!("{:NAMES$}{sizes}{:>COLUMN$}{:>COLUMN$}", "", "exponent", "at the end");
    for curve in curves {
        let values: Vec<String> = curve.points.iter().map(|(_, value)| format!("{value:>COLUMN$.2}")).collect();
        let values = values.concat();
        let shown = |exponent: Option<f64>| exponent.map_or_else(String::new, |exponent| format!("{exponent:.2}"));
        let (all, end) = (curve.exponent(), curve.at_the_end());
        let is_worse = [all, end].into_iter().flatten().any(|exponent| exponent > LINEAR);
        let mark = if is_worse { "  worse than linear" } else { "" };
        println!("{:NAMES$}{values}{:>COLUMN$}{:>COLUMN$}{mark}", curve.name, shown(all), shown(end));
    }
}

/// Adds a line for each curve to `growth.jsonl`.
pub(super) fn save(folder: &Path, database: &str, server: &Path, curves: &[Curve]) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = OpenOptions::new().create(true).append(true).open(folder.join("growth.jsonl"))?;
    let at = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    for curve in curves {
        let line = json!({"at": at, "server": server, "database": database, "load_average": load_average(),
            "figure": curve.name, "points": curve.points, "exponent": curve.exponent(), "at_the_end": curve.at_the_end()});
        writeln!(file, "{line}")?;
    }
    Ok(())
}
