//! Durations of many single things, and their percentiles.

use std::time::Duration;

/// The most samples that are kept; a window of a few seconds needs fewer.
const SAMPLES: usize = 4_000_000;
/// The unit of a stored sample: with 100 ns, four bytes reach up to seven minutes.
const UNIT: Duration = Duration::from_nanos(100);

/// A bounded list of durations.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    /// Adds a sample, while there is room.
    pub(crate) fn record(&mut self, took: Duration) {
        if self.0.len() < SAMPLES {
            self.0.push(u32::try_from(took.as_nanos() / UNIT.as_nanos()).unwrap_or(u32::MAX));
        }
    }

    /// Removes all samples, but keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The duration that this share of all samples (0.5, 0.99) does not exceed; zero when there are none.
    pub(crate) fn percentile(&mut self, share: f64) -> Duration {
        let Some(last) = self.0.len().checked_sub(1) else { return Duration::ZERO };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index below the length")]
        #[expect(clippy::cast_precision_loss, reason = "the length is far below 2^52")]
        let index = (last as f64 * share).round() as usize;
        let (_, found, _) = self.0.select_nth_unstable(index.min(last));
        UNIT * *found
    }
}
