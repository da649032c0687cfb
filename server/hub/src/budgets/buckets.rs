//! Token buckets, by the generic cell rate algorithm: the state of a bucket is one moment, the time at which all its
//! taken tokens are back.
//!
//! A [`Bucket`] is a single one, stored next to what it limits; [`Buckets`] hold one per key. We use our own code
//! because a repeated send must not be charged, and whether a send is a repetition is known only after the charge: no
//! available crate can refund a charge.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When there are this many keys, the full buckets are removed.
const SWEEP_AT: usize = 4_096;

/// How fast tokens come back, and how many there are at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// The time that one token takes to come back.
    interval: Duration,
    /// How far ahead of now `paid_at` may be: the burst.
    depth: Duration,
}

impl Rate {
    /// `burst` tokens, which come back at `per_second`.
    pub(crate) fn new(per_second: f64, burst: u32) -> Self {
        Self::every(Duration::from_secs_f64(1.0 / per_second.clamp(1e-6, 1e9)), burst)
    }

    /// `burst` tokens, one of which comes back in each `interval`.
    pub(crate) const fn every(interval: Duration, burst: u32) -> Self {
        let burst = if burst == 0 { 1 } else { burst };
        Self { interval, depth: interval.saturating_mul(burst) }
    }
}

/// One bucket. It is full at first.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bucket {
    /// When all taken tokens are back. `None`: no token was taken.
    paid_at: Option<Instant>,
}

impl Bucket {
    /// Takes a token, or returns how long it takes until there is one.
    pub(crate) fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        let paid_at = self.after_one_more(rate, now);
        if let Some(excess) = (paid_at - now).checked_sub(rate.depth).filter(|excess| !excess.is_zero()) {
            return Err(excess);
        }
        self.paid_at = Some(paid_at);
        Ok(())
    }

    /// Takes a token even if there is none; the next caller then waits longer.
    pub(crate) fn owe(&mut self, rate: Rate, now: Instant) {
        self.paid_at = Some(self.after_one_more(rate, now));
    }

    /// Gives a token back.
    pub(crate) fn refund(&mut self, rate: Rate) {
        self.paid_at = self.paid_at.map(|paid| paid.checked_sub(rate.interval).unwrap_or(paid));
    }

    /// When there will be a token. `None`: there is one now.
    pub(crate) fn ready_at(&self, rate: Rate) -> Option<Instant> {
        self.paid_at.and_then(|paid| (paid + rate.interval).checked_sub(rate.depth))
    }

    fn is_full(&self, now: Instant) -> bool {
        self.paid_at.is_none_or(|paid| paid <= now)
    }

    fn after_one_more(&self, rate: Rate, now: Instant) -> Instant {
        self.paid_at.map_or(now, |paid| paid.max(now)) + rate.interval
    }
}

/// Buckets that fill at one rate. A key is kept until its bucket is full again. So there are never more keys than could
/// be charged within the time of a burst.
#[derive(Debug)]
pub(crate) struct Buckets<K> {
    rate: Rate,
    used: Mutex<Used<K>>,
}

#[derive(Debug)]
struct Used<K> {
    buckets: HashMap<K, Bucket>,
    sweep_at: usize,
}

impl<K: Eq + Hash + Copy> Buckets<K> {
    /// All buckets are full.
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, used: Mutex::new(Used { buckets: HashMap::new(), sweep_at: SWEEP_AT }) }
    }

    /// Takes a token, or returns how long it takes until there is one.
    pub(crate) fn charge(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.buckets.len() >= used.sweep_at {
            used.buckets.retain(|_, bucket| !bucket.is_full(now));
            used.sweep_at = (used.buckets.len() * 2).max(SWEEP_AT);
        }
        used.buckets.entry(key).or_default().take(self.rate, now)
    }

    /// Gives a token back.
    pub(crate) fn refund(&self, key: K) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = used.buckets.get_mut(&key) {
            bucket.refund(self.rate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let buckets = Buckets::new(Rate::new(2.0, 10));
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
        let buckets = Buckets::new(Rate::new(1.0, 1));
        let now = Instant::now();
        buckets.charge(1, now).unwrap();
        buckets.refund(1);
        assert_eq!(buckets.charge(1, now), Ok(()));
    }

    #[test]
    fn paid_debts_are_forgotten() {
        let buckets = Buckets::new(Rate::new(1_000.0, 1));
        let start = Instant::now();
        for key in 0..SWEEP_AT {
            buckets.charge(key, start).unwrap();
        }
        buckets.charge(usize::MAX, start + Duration::from_secs(1)).unwrap();
        assert_eq!(buckets.used.lock().unwrap().buckets.len(), 1);
    }

    #[test]
    fn what_is_owed_is_waited_for() {
        let (rate, start) = (Rate::every(Duration::from_millis(100), 2), Instant::now());
        let mut bucket = Bucket::default();
        assert_eq!(bucket.ready_at(rate), None);
        for _ in 0..2 {
            assert!(bucket.ready_at(rate).is_none_or(|ready| ready <= start), "within the burst nobody waits");
            bucket.owe(rate, start);
        }
        assert_eq!(bucket.ready_at(rate), Some(start + Duration::from_millis(100)));
        bucket.owe(rate, start);
        assert_eq!(bucket.ready_at(rate), Some(start + Duration::from_millis(200)));
        assert_eq!(bucket.take(rate, start), Err(Duration::from_millis(200)));
        bucket.refund(rate);
        assert_eq!(bucket.ready_at(rate), Some(start + Duration::from_millis(100)));
        assert_eq!(bucket.take(rate, start + Duration::from_millis(100)), Ok(()));
    }
}
