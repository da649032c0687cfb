//! Records when a connection's `typing` was last accepted in each group. Further ones soon after it are repetitions.

use std::collections::BTreeMap;
use std::time::Duration;

use caravana_protocol::GroupId;
use caravana_protocol::limits::TYPING_ACCEPT_MS;
use tokio::time::Instant;

const TYPING_ACCEPT: Duration = Duration::from_millis(TYPING_ACCEPT_MS);

/// An entry is kept only as long as it counts, so a client that goes through endless groups leaves nothing behind.
/// Leaving a group does not remove its entry: otherwise a client could leave and join again instead of waiting.
#[derive(Debug, Default)]
pub(super) struct TypingTaken(BTreeMap<GroupId, Instant>);

impl TypingTaken {
    /// Whether a `typing` was accepted in this group a moment ago.
    pub(super) fn repeats(&self, group: GroupId, now: Instant) -> bool {
        self.0.get(&group).is_some_and(|taken| counts(*taken, now))
    }

    /// Records that a `typing` was accepted. Scans at most as many entries as the connection's frame rate allows within
    /// the time in which an entry counts.
    pub(super) fn take(&mut self, group: GroupId, now: Instant) {
        self.forget(now);
        self.0.insert(group, now);
    }

    /// Forgets the entries that no longer count.
    pub(super) fn forget(&mut self, now: Instant) {
        self.0.retain(|_, taken| counts(*taken, now));
    }
}

fn counts(taken: Instant, now: Instant) -> bool {
    now.duration_since(taken) < TYPING_ACCEPT
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Before the fix, `subscribe`, `typing` and `unsubscribe` with one made-up group after the other left 160 entries
    /// a second, for as long as the socket lived.
    #[test]
    fn groups_that_somebody_has_typed_in_are_forgotten_when_it_no_longer_counts() {
        let (mut taken, start) = (TypingTaken::default(), Instant::now());
        let group = |n: u32| GroupId::new(Uuid::from_u128(n.into()));
        for n in 0..10_000 {
            taken.take(group(n), start + n * Duration::from_millis(5));
        }
        let end = start + 9_999 * Duration::from_millis(5);
        assert_eq!(taken.0.len(), 400, "as many as came within two seconds");
        assert!(taken.repeats(group(9_999), end) && taken.repeats(group(9_600), end));
        assert!(!taken.repeats(group(9_599), end) && !taken.repeats(group(9_999), end + TYPING_ACCEPT));
        taken.forget(end + TYPING_ACCEPT);
        assert!(taken.0.is_empty(), "an idle connection keeps nothing");
    }
}
