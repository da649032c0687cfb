//! Token buckets.
//!
//! One per key, by the generic cell rate algorithm: one moment per key, "when this key's debts are paid".
//! Our own because a repeated send must not be charged, and whether a send was a repetition is known only after the
//! charge: no crate at hand can give a charge back.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Keys are looked through for paid debts when this many have come together.
const SWEEP_AT: usize = 4_096;

/// Token buckets that fill at one rate. A key is remembered until its debts are paid, so that there are never more of them
/// than could be charged within the time of a burst.
#[derive(Debug)]
pub(crate) struct Buckets<K> {
    /// Time that one token takes to come back.
    interval: Duration,
    /// How far ahead of now a key's debts may reach: the burst.
    depth: Duration,
    debts: Mutex<Debts<K>>,
}

#[derive(Debug)]
struct Debts<K> {
    paid_at: HashMap<K, Instant>,
    sweep_at: usize,
}

impl<K: Eq + Hash + Copy> Buckets<K> {
    /// Buckets of `burst` tokens that get `per_second` back.
    pub(crate) fn new(per_second: f64, burst: u32) -> Self {
        Self::every(Duration::from_secs_f64(1.0 / per_second.clamp(1e-6, 1e9)), burst)
    }

    /// Buckets of `burst` tokens, one of which comes back in each `interval`.
    pub(crate) fn every(interval: Duration, burst: u32) -> Self {
        let debts = Mutex::new(Debts { paid_at: HashMap::new(), sweep_at: SWEEP_AT });
        Self { interval, depth: interval * burst.max(1), debts }
    }

    /// Takes a token, or tells how long it takes until there is one.
    pub(crate) fn charge(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut debts = self.debts.lock().unwrap_or_else(PoisonError::into_inner);
        if debts.paid_at.len() >= debts.sweep_at {
            debts.paid_at.retain(|_, paid| *paid > now);
            debts.sweep_at = (debts.paid_at.len() * 2).max(SWEEP_AT);
        }
        let paid = debts.paid_at.entry(key).or_insert(now);
        let next = (*paid).max(now) + self.interval;
        let ahead = next - now;
        if let Some(excess) = ahead.checked_sub(self.depth).filter(|excess| !excess.is_zero()) {
            return Err(excess);
        }
        *paid = next;
        Ok(())
    }

    /// Gives a token back.
    pub(crate) fn refund(&self, key: K) {
        let mut debts = self.debts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(paid) = debts.paid_at.get_mut(&key) {
            *paid = paid.checked_sub(self.interval).unwrap_or(*paid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let buckets = Buckets::new(2.0, 10);
        let start = Instant::now();
        for _ in 0..10 {
            assert_eq!(buckets.charge("ana", start), Ok(()));
        }
        assert_eq!(buckets.charge("ana", start), Err(Duration::from_millis(500)));
        assert_eq!(buckets.charge("bob", start), Ok(()));
        assert_eq!(buckets.charge("ana", start + Duration::from_millis(500)), Ok(()));
        assert!(buckets.charge("ana", start + Duration::from_millis(500)).is_err());
    }

    #[test]
    fn a_refund_makes_room_at_once() {
        let buckets = Buckets::new(1.0, 1);
        let now = Instant::now();
        buckets.charge(1, now).unwrap();
        buckets.refund(1);
        assert_eq!(buckets.charge(1, now), Ok(()));
    }

    #[test]
    fn paid_debts_are_forgotten() {
        let buckets = Buckets::new(1_000.0, 1);
        let start = Instant::now();
        for key in 0..SWEEP_AT {
            buckets.charge(key, start).unwrap();
        }
        buckets.charge(usize::MAX, start + Duration::from_secs(1)).unwrap();
        assert_eq!(buckets.debts.lock().unwrap().paid_at.len(), 1);
    }
}
