//! Selects a twentieth of the list for each day, so that twenty days of the CI try all of it.

use std::str::FromStr;
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};

/// The number of days for the whole list.
const PARTS: u64 = 20;

/// Every `of`-th mutant of the list, beginning with the `number`-th: `3/10` is the 3rd, the 13th, the 23rd …
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    number: u64,
    of: u64,
}

impl Share {
    /// The part of today (UTC).
    pub(crate) fn of_today() -> Result<Self> {
        Ok(Self::of_day(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs() / (24 * 60 * 60)))
    }

    fn of_day(day: u64) -> Self {
        Self { number: day % PARTS + 1, of: PARTS }
    }

    /// Selects this share's elements of a list.
    pub(super) fn take<T>(self, list: Vec<T>) -> Vec<T> {
        let is_in = |at: u64| at % self.of == self.number - 1;
        (0..).zip(list).filter(|(at, _)| is_in(*at)).map(|(_, member)| member).collect()
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Share {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (number, of) = text.split_once('/').context("a share is written as 3/10")?;
        let share = Self { number: number.parse()?, of: of.parse()? };
        ensure!((1..=share.of).contains(&share.number), "the shares are 1/{} to {}/{}", share.of, share.of, share.of);
        Ok(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_days_take_each_member_once() {
        let list: Vec<u64> = (0..104).collect();
        let mut taken: Vec<u64> = (20_000..20_020).flat_map(|day| Share::of_day(day).take(list.clone())).collect();
        taken.sort_unstable();
        assert_eq!(taken, list);
        assert_eq!(Share::of_day(20_786).to_string(), "7/20");
    }

    #[test]
    fn a_share_is_written_as_it_is_printed() {
        let share = Share::of_day(3);
        assert_eq!(share.to_string().parse::<Share>().unwrap(), share);
        assert_eq!("2/3".parse::<Share>().unwrap().take(vec!['a', 'b', 'c', 'd', 'e']), ['b', 'e']);
        for wrong in ["", "3", "0/10", "11/10", "a/10"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
    }
}
