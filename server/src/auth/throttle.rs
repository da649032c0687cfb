//! Brakes: on guessing passwords, and on how fast one address may knock.
//!
//! Both keep a bounded number of keys and take the time as an argument.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures are counted for this long from the first one on.
const WINDOW: Duration = Duration::from_mins(5);
/// Failures of one address on one account: the sixth try is refused.
const PER_ACCOUNT_AND_ADDRESS: u32 = 5;
/// Failures of one address on all accounts; a family or an office behind one address stays below.
const PER_ADDRESS: u32 = 30;
/// Failures on one account from everywhere. High, because it lets strangers lock somebody out for a while.
const PER_ACCOUNT: u32 = 60;
/// Keys that are remembered; the memory of the brake itself must be bounded.
const KEYS: usize = 50_000;

/// Counts failed sign-ins.
#[derive(Debug, Default)]
pub struct Throttle {
    failures: Mutex<HashMap<Key, Failures>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Both(Box<str>, IpAddr),
    Account(Box<str>),
    Address(IpAddr),
}

impl Key {
    fn all(account: &str, address: IpAddr) -> [(Self, u32); 3] {
        [
            (Self::Both(account.into(), address), PER_ACCOUNT_AND_ADDRESS),
            (Self::Account(account.into()), PER_ACCOUNT),
            (Self::Address(address), PER_ADDRESS),
        ]
    }
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    since: Instant,
    count: u32,
}

impl Throttle {
    /// Asks before a try, and counts it as failed in the same step, so that tries in parallel are counted too. `Err`:
    /// how long to wait.
    pub fn begin(&self, account: &str, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = Key::all(account, address);
        for (key, limit) in &keys {
            if let Some(known) = failures.get(key)
                && known.count >= *limit
                && let Some(rest) = WINDOW.checked_sub(now.saturating_duration_since(known.since))
                && !rest.is_zero()
            {
                return Err(rest);
            }
        }
        for (key, _) in keys {
            make_room(&mut failures, now, |known| known.since);
            let known = failures.entry(key).or_insert(Failures { since: now, count: 0 });
            if now.saturating_duration_since(known.since) >= WINDOW {
                *known = Failures { since: now, count: 0 };
            }
            known.count += 1;
        }
        Ok(())
    }

    /// The try that [`Self::begin`] counted came to nothing for a reason that is not its own: it is taken back.
    pub fn take_back(&self, account: &str, address: IpAddr) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, _) in Key::all(account, address) {
            if let Some(known) = failures.get_mut(&key) {
                known.count = known.count.saturating_sub(1);
            }
        }
    }

    /// The try that [`Self::begin`] counted succeeded: it is taken back, and the account's failures from this address
    /// are forgotten.
    pub fn succeeded(&self, account: &str, address: IpAddr) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let [(both, _), (of_account, _), (of_address, _)] = Key::all(account, address);
        failures.remove(&both);
        for key in [of_account, of_address] {
            if let Some(known) = failures.get_mut(&key) {
                known.count = known.count.saturating_sub(1);
            }
        }
    }
}

/// A token bucket for each address.
#[derive(Debug)]
pub struct Buckets {
    rate: f64,
    burst: f64,
    of_addresses: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Buckets {
    /// `rate` a second, twice as many at once.
    #[must_use]
    pub fn new(rate: u32) -> Self {
        Self { rate: f64::from(rate), burst: f64::from(rate) * 2.0, of_addresses: Mutex::default() }
    }

    /// Takes a token. `Err`: how long until there is one.
    pub fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.of_addresses.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut buckets, now, |bucket| bucket.at);
        let bucket = buckets.entry(address).or_insert(Bucket { tokens: self.burst, at: now });
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * self.rate).min(self.burst);
        bucket.at = now;
        if bucket.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.tokens) / self.rate));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

/// Drops what is over when the table is full; when nothing is over, the oldest tenth.
fn make_room<K: Hash + Eq, V>(table: &mut HashMap<K, V>, now: Instant, since: impl Fn(&V) -> Instant) {
    if table.len() < KEYS {
        return;
    }
    table.retain(|_, value| now.saturating_duration_since(since(value)) < WINDOW);
    if table.len() >= KEYS {
        let mut ages: Vec<Instant> = table.values().map(&since).collect();
        let (_, median, _) = ages.select_nth_unstable(KEYS / 10);
        let oldest_kept = *median;
        table.retain(|_, value| since(value) > oldest_kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(9, 9, 9, 9));

    #[test]
    fn the_sixth_failed_try_waits_and_other_people_do_not() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        for _ in 0..5 {
            assert_eq!(throttle.begin("ana", HERE, start), Ok(()));
        }
        assert_eq!(throttle.begin("ana", HERE, start + Duration::from_secs(100)), Err(Duration::from_secs(200)));
        assert_eq!(throttle.begin("ana", THERE, start), Ok(()), "the owner is not locked out by a stranger");
        assert_eq!(throttle.begin("luis", HERE, start), Ok(()));
        assert_eq!(throttle.begin("ana", HERE, start + WINDOW), Ok(()));
    }

    #[test]
    fn a_success_forgets_the_failures() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..200 {
            assert_eq!(throttle.begin("ana", HERE, now), Ok(()));
            throttle.succeeded("ana", HERE);
        }
    }

    #[test]
    fn a_try_that_is_taken_back_does_not_count_and_those_before_it_do() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..4 {
            assert_eq!(throttle.begin("ana", HERE, now), Ok(()));
        }
        for _ in 0..200 {
            assert_eq!(throttle.begin("ana", HERE, now), Ok(()));
            throttle.take_back("ana", HERE);
        }
        assert_eq!(throttle.begin("ana", HERE, now), Ok(()));
        assert!(throttle.begin("ana", HERE, now).is_err());
    }

    #[test]
    fn one_address_can_not_try_all_accounts() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let tried = (0..100).filter(|account| throttle.begin(&account.to_string(), HERE, now).is_ok()).count();
        assert_eq!(tried, 30);
    }

    #[test]
    fn a_bucket_fills_with_time() {
        let (buckets, now) = (Buckets::new(2), Instant::now());
        assert_eq!((0..10).filter(|_| buckets.take(HERE, now).is_ok()).count(), 4);
        assert_eq!(buckets.take(HERE, now), Err(Duration::from_millis(500)));
        assert_eq!(buckets.take(HERE, now + Duration::from_millis(500)), Ok(()));
        assert_eq!(buckets.take(THERE, now), Ok(()));
    }

    #[test]
    fn the_memory_of_a_brake_is_bounded() {
        let (buckets, now) = (Buckets::new(1), Instant::now());
        for n in 0..u32::try_from(KEYS + 1_000).unwrap() {
            let _ = buckets.take(IpAddr::V4(n.into()), now + Duration::from_millis(u64::from(n)));
        }
        assert!(buckets.of_addresses.lock().unwrap().len() <= KEYS);
    }
}
