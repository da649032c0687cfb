//! Measures and prints the time of each step of a long command.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The steps done so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    /// Runs a step under its name. A failure ends the whole command, and the error names the step.
    pub(crate) fn run<T>(&mut self, name: &'static str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("\n== {name}");
        let start = Instant::now();
        let result = step();
        self.done.push((name, start.elapsed()));
        if result.is_err() {
            print!("{}", self.table());
        }
        result.with_context(|| format!("step `{name}` failed"))
    }

    /// Prints how long each step took.
    pub(crate) fn finish(&self) {
        print!("{}", self.table());
        println!("{} steps passed, 0 failed", self.done.len());
    }

    fn table(&self) -> String {
        let mut lines = vec![String::new(), format!("{:<40} {:>8}", "step", "time")];
        lines.extend(self.done.iter().map(|(name, time)| format!("{name:<40} {:>8}", minutes(*time))));
        let total = self.done.iter().map(|(_, time)| *time).sum();
        lines.push(format!("{:<40} {:>8}\n", "total", minutes(total)));
        lines.join("\n")
    }
}

fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn a_failed_step_is_named() {
        let error = Steps::default().run("lint", || -> Result<()> { bail!("bad") }).unwrap_err();
        assert_eq!(format!("{error:#}"), "step `lint` failed: bad");
    }

    #[test]
    fn times_are_minutes_and_seconds() {
        assert_eq!(minutes(Duration::from_millis(61_900)), "1:01");
        assert_eq!(minutes(Duration::from_hours(1)), "60:00");
    }
}
