//! How long to wait before the next attempt.
//!
//! Owns the count of failed attempts and the session's only randomness, a small generator that is seeded from outside.
//! Promises full jitter (G12): every wait is drawn evenly from zero to a window that doubles up to [`LONGEST_MS`], so
//! that ten thousand clients of a restarted server do not come back in one wave. Called by the link; other retries use
//! its windows only.

/// The window of the first wait. Small, because most losses are a hiccup of the network and not of the server.
pub const FIRST_MS: u64 = 1_000;
/// The largest window.
pub const LONGEST_MS: u64 = 30_000;
/// A link that was online for this long is healthy, and the count starts again at zero. After a shorter one the count
/// goes on, so that a server that accepts and drops at once gets no flood of attempts.
pub const STABLE_MS: u64 = 60_000;
/// The largest window while a server that announced its restart is expected back. It is also the longest that a person
/// waits once the server is back.
pub const PLANNED_MS: u64 = 3_000;
/// How many failures still count when a person looks at the page again or the network has changed. Older failures say
/// little about the new situation.
const EASED_FAILURES: u32 = 1;

/// The count of failed attempts, and the waits that follow from it.
#[derive(Debug, Clone)]
pub struct Backoff {
    failures: u32,
    jitter: Jitter,
}

impl Backoff {
    /// No failures yet. The same seed gives the same waits.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { failures: 0, jitter: Jitter(seed) }
    }

    /// How many attempts failed since the link was last healthy.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Counts a failure and draws the wait that follows it, in milliseconds.
    pub fn fail(&mut self) -> u64 {
        let window = window(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.jitter.up_to(window)
    }

    /// Counts a failure for which the server named a wait. Gives that wait plus a jitter of up to the same length (at
    /// least the first window), so that clients that were told the same time do not return in the same millisecond.
    pub fn fail_after(&mut self, asked_ms: u64) -> u64 {
        self.failures = self.failures.saturating_add(1);
        let asked_ms = asked_ms.min(LONGEST_MS);
        asked_ms + self.jitter.up_to(asked_ms.max(FIRST_MS))
    }

    /// Counts a failure to reach a server that announced its restart, and draws a short wait.
    pub fn fail_planned(&mut self) -> u64 {
        let window = window(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.jitter.up_to(window.min(PLANNED_MS))
    }

    /// A person looks at the page again, or the network has changed: the next waits are short. Not all failures are
    /// forgotten, so that pages that come to the front do not connect in a loop to a server that accepts and drops at
    /// once.
    pub fn ease(&mut self) {
        self.failures = self.failures.min(EASED_FAILURES);
    }

    /// The link was healthy.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }
}

/// The window after so many failures, in milliseconds.
#[must_use]
pub(crate) fn window(failures: u32) -> u64 {
    FIRST_MS.checked_shl(failures).filter(|window| *window >= FIRST_MS).unwrap_or(LONGEST_MS).min(LONGEST_MS)
}

/// SplitMix64: eight bytes of state, and good enough to spread clients over a window.
#[derive(Debug, Clone)]
struct Jitter(u64);

impl Jitter {
    /// Evenly from zero to `most`, both possible. The bias of the remainder is below one in 10^14 here.
    const fn up_to(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_wait_lies_in_a_window_that_doubles_up_to_thirty_seconds(seed: u64, failures in 0_u32..200) {
            let mut backoff = Backoff::new(seed);
            for before in 0..failures {
                let most = if before < 5 { FIRST_MS << before } else { LONGEST_MS };
                prop_assert!(backoff.fail() <= most);
            }
            prop_assert_eq!(backoff.failures(), failures);
        }

        #[test]
        fn a_server_that_restarts_is_looked_for_every_three_seconds_at_least(seed: u64, failures in 1_u32..200) {
            let mut backoff = Backoff::new(seed);
            for _ in 0..failures {
                prop_assert!(backoff.fail_planned() <= PLANNED_MS);
            }
            prop_assert_eq!(backoff.failures(), failures);
        }

        #[test]
        fn a_wait_that_the_server_names_is_never_cut_short(seed: u64, asked in 0_u64..100_000) {
            let wait = Backoff::new(seed).fail_after(asked);
            let honoured = asked.min(LONGEST_MS);
            prop_assert!((honoured..=honoured * 2 + FIRST_MS).contains(&wait));
        }
    }

    #[test]
    fn the_jitter_is_full() {
        let mut fifths = [0_u32; 5];
        for seed in 0..1_000 {
            fifths[usize::try_from(Backoff::new(seed).fail() / 201).unwrap()] += 1;
        }
        assert!(fifths.iter().all(|count| (120..=280).contains(count)), "{fifths:?}");
    }
}
