//! The throttle against guessing passwords, and against causing many letters.
//!
//! Takes the time as an argument. Promises that its memory is bounded, whatever is tried: it keeps keyed hashes, never
//! the texts, and at most [`KEYS`] of them. Promises also that an attacker can't remove a full counter by filling the
//! table with others.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use caravana_hub::Network;

/// How long failures count, from the first one on.
const WINDOW: Duration = Duration::from_mins(5);
/// Failures of one address on one account: the sixth attempt is refused.
const PER_ACCOUNT_AND_ADDRESS: u32 = 5;
/// Failures of one address on all accounts. A family or an office behind one address stays below this.
const PER_ADDRESS: u32 = 30;
/// Failures on one account from all addresses. High, because strangers can use it to lock a user out for a while.
const PER_ACCOUNT: u32 = 60;
/// How many keys are remembered. An attempt has three keys and costs one password hashing, so an attacker can't fill
/// the table within the window.
const KEYS: usize = 50_000;
/// The same limit in bytes, including the half of a table that may be empty.
const BYTES: usize = 4 * 1024 * 1024;
const _: () = assert!(2 * KEYS * size_of::<(u64, Failures)>() <= BYTES);

/// Counts failed attempts.
#[derive(Debug, Default)]
pub struct Throttle {
    /// Its random key prevents an attacker from choosing texts that have the same hash.
    hasher: RandomState,
    failures: Mutex<HashMap<u64, Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    since: Instant,
    count: u32,
    /// The maximum count.
    limit: u32,
}

impl Failures {
    /// How long these failures still count.
    fn rest(&self, now: Instant) -> Option<Duration> {
        WINDOW.checked_sub(now.saturating_duration_since(self.since)).filter(|rest| !rest.is_zero())
    }

    fn is_full(&self) -> bool {
        self.count >= self.limit
    }
}

impl Throttle {
    /// Called before an attempt. Checks the limits and counts the attempt as failed in the same step, so that parallel
    /// attempts are counted too. `Err`: how long to wait.
    pub fn begin(&self, account: &str, address: impl Into<Option<IpAddr>>, now: Instant) -> Result<(), Duration> {
        let keys = self.keys(account, address.into());
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let full = keys.all().filter_map(|(key, _)| failures.get(&key)).filter(|known| known.is_full());
        if let Some(rest) = full.filter_map(|known| known.rest(now)).max() {
            return Err(rest);
        }
        make_room(&mut failures, keys.all().count(), now)?;
        for (key, limit) in keys.all() {
            let known = failures.entry(key).or_insert(Failures { since: now, count: 0, limit });
            if known.rest(now).is_none() {
                *known = Failures { since: now, count: 0, limit };
            }
            known.count += 1;
        }
        Ok(())
    }

    /// Removes the attempt that [`Self::begin`] counted, because it failed for a reason that the client did not cause.
    pub fn take_back(&self, account: &str, address: impl Into<Option<IpAddr>>) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, _) in self.keys(account, address.into()).all() {
            uncount(&mut failures, key);
        }
    }

    /// Removes the attempt that [`Self::begin`] counted, because it succeeded, and forgets the account's failures from
    /// this address.
    pub fn succeeded(&self, account: &str, address: impl Into<Option<IpAddr>>) {
        let address = address.into();
        self.take_back(account, address);
        self.forgive(account, address);
    }

    /// Forgets the account's failures from this address, after the user has shown without a password that the account
    /// is theirs. The address's failures on all accounts stay. Otherwise an attacker with own accounts would get more
    /// guesses.
    pub fn forgive(&self, account: &str, address: impl Into<Option<IpAddr>>) {
        if let Some((both, _)) = self.keys(account, address.into()).both {
            self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&both);
        }
    }

    /// The keys of an attempt, each with its limit.
    fn keys(&self, account: &str, address: Option<IpAddr>) -> Keys {
        let network = address.map(Network::of);
        let of_both = |network| (self.hasher.hash_one((0_u8, account, network)), PER_ACCOUNT_AND_ADDRESS);
        let of_address = |network| (self.hasher.hash_one((2_u8, network)), PER_ADDRESS);
        Keys {
            account: (self.hasher.hash_one((1_u8, account)), PER_ACCOUNT),
            both: network.map(of_both),
            address: network.map(of_address),
        }
    }
}

/// The keys of one attempt. If its address is unknown, only the account counts.
struct Keys {
    account: (u64, u32),
    both: Option<(u64, u32)>,
    address: Option<(u64, u32)>,
}

impl Keys {
    fn all(&self) -> impl Iterator<Item = (u64, u32)> + use<> {
        [Some(self.account), self.both, self.address].into_iter().flatten()
    }
}

fn uncount(failures: &mut HashMap<u64, Failures>, key: u64) {
    if let Some(known) = failures.get_mut(&key) {
        known.count = known.count.saturating_sub(1);
        if known.count == 0 {
            failures.remove(&key);
        }
    }
}

/// Makes room for `more` keys: removes expired counters first, then the tenth with the fewest failures. A full counter
/// is never removed. If only full counters are left, the attempt is refused.
fn make_room(failures: &mut HashMap<u64, Failures>, more: usize, now: Instant) -> Result<(), Duration> {
    let fits = |failures: &HashMap<u64, Failures>| failures.len() + more <= KEYS;
    if fits(failures) {
        return Ok(());
    }
    failures.retain(|_, known| known.rest(now).is_some());
    if !fits(failures) {
        let weight = |known: &Failures| (known.is_full(), known.count, known.since);
        let mut weights: Vec<_> = failures.values().map(weight).collect();
        let (_, &mut heaviest, _) = weights.select_nth_unstable(KEYS / 10);
        failures.retain(|_, known| known.is_full() || weight(known) > heaviest);
    }
    if fits(failures) { Ok(()) } else { Err(WINDOW) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(9, 9, 9, 9));

    /// The `n`th IPv4 address.
    fn address(n: usize) -> IpAddr {
        IpAddr::V4(u32::try_from(n).unwrap().into())
    }

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
        assert_eq!(throttle.failures.lock().unwrap().len(), 0);
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

    /// Before the fix, each used link removed one failure of its address, so an attacker with own accounts got more
    /// guesses.
    #[test]
    fn who_is_forgiven_has_no_more_guesses_on_other_accounts() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let tried = (0..100).filter(|account| {
            let tried = throttle.begin(&account.to_string(), HERE, now).is_ok();
            throttle.forgive("ana", HERE);
            tried
        });
        assert_eq!(tried.count(), 30);
        for _ in 0..5 {
            assert_eq!(throttle.begin("ana", THERE, now), Ok(()));
        }
        throttle.forgive("ana", THERE);
        assert_eq!(throttle.begin("ana", THERE, now), Ok(()));
    }

    /// Before the fix, a proxy that writes `unknown` made all users one address: thirty mistakes of thirty users locked
    /// out the site.
    #[test]
    fn who_comes_from_nobody_knows_where_is_counted_by_the_account_only() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for account in 0..1_000 {
            assert_eq!(throttle.begin(&account.to_string(), None, now), Ok(()));
        }
        let tried = (0..100).filter(|_| throttle.begin("ana", None, now).is_ok()).count();
        assert_eq!(tried, 60);
        throttle.succeeded("ana", None);
        assert_eq!(throttle.begin("ana", None, now), Ok(()));
    }

    #[test]
    fn one_address_can_not_try_all_accounts() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let tried = (0..100).filter(|account| throttle.begin(&account.to_string(), HERE, now).is_ok()).count();
        assert_eq!(tried, 30);
    }

    /// A client with one IPv6 address has 2^64 of them, and could try an account from each.
    #[test]
    fn addresses_of_one_slash_64_are_one_address() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let tried = (1..100).filter(|n| {
            let address: IpAddr = format!("2001:db8::{n:x}").parse().unwrap();
            throttle.begin("ana", address, now).is_ok()
        });
        assert_eq!(tried.count(), 5);
        let neighbour: IpAddr = "2001:db8:0:1::1".parse().unwrap();
        assert_eq!(throttle.begin("ana", neighbour, now), Ok(()));
    }

    /// Before the fix, the keys were the e-mails as typed, of any length, up to 50,000 of them: 3,000 requests without
    /// an account used 290 MB.
    #[test]
    fn the_memory_of_the_brake_is_bounded_in_bytes() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let long = "a".repeat(60_000);
        for n in 0..KEYS {
            let _ = throttle.begin(&format!("{n}{}", &long[..if n < 500 { 60_000 } else { 0 }]), address(n), now);
        }
        let failures = throttle.failures.lock().unwrap();
        assert!(failures.len() <= KEYS);
        assert!(failures.capacity() * (size_of::<(u64, Failures)>() + 1) <= BYTES, "{}", failures.capacity());
    }

    #[test]
    fn an_account_under_attack_stays_locked_however_many_others_are_tried() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        while throttle.begin("ana", HERE, now).is_ok() {}
        let mut from = 1_000_000..;
        while throttle.begin("eva", address(from.next().unwrap()), now).is_ok() {}
        for n in 0..2 * KEYS {
            let _ = throttle.begin(&n.to_string(), address(n), now + Duration::from_millis(1));
        }
        assert!(throttle.begin("ana", HERE, now + Duration::from_secs(1)).is_err());
        assert!(throttle.begin("eva", THERE, now + Duration::from_secs(1)).is_err());
        assert_eq!(throttle.begin("luis", THERE, now), Ok(()), "others are let in all the same");
    }

    #[test]
    fn where_everything_is_full_nobody_tries_before_some_of_it_is_over() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let full = Failures { since: now, count: 5, limit: 5 };
        throttle.failures.lock().unwrap().extend((0..KEYS as u64).map(|key| (key, full)));
        assert_eq!(throttle.begin("ana", HERE, now), Err(WINDOW));
        assert_eq!(throttle.begin("ana", HERE, now + WINDOW), Ok(()));
    }
}
