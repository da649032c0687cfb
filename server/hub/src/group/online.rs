//! Who is online in a group: by connections here, and on other instances until they no longer say so.

use std::collections::BTreeMap;

use caravana_protocol::UserId;
use tokio::time::Instant;

use crate::broker::InstanceId;

/// The connections of all users.
#[derive(Default)]
pub(super) struct Online(BTreeMap<UserId, Connections>);

/// The connections of one user. Never empty.
#[derive(Default)]
struct Connections {
    here: u32,
    elsewhere: BTreeMap<InstanceId, Elsewhere>,
}

/// What another instance has said last.
struct Elsewhere {
    connections: u32,
    /// It has to say it again before this moment.
    until: Instant,
}

impl Online {
    /// Adds a connection here. Returns whether the user was not online before.
    pub(super) fn came(&mut self, user: UserId) -> bool {
        let is_first = !self.has(user);
        self.0.entry(user).or_default().here += 1;
        is_first
    }

    /// Removes a connection here. Returns whether the user is no longer online.
    pub(super) fn went(&mut self, user: UserId) -> bool {
        self.change(user, |connections| connections.here = connections.here.saturating_sub(1))
    }

    /// Notes what another instance says. Returns whether the user is now online and was not before, or the other way
    /// round.
    pub(super) fn heard(&mut self, from: InstanceId, user: UserId, connections: u32, until: Instant) -> bool {
        if connections == 0 {
            return self.change(user, |known| known.elsewhere.retain(|instance, _| *instance != from));
        }
        let is_first = !self.has(user);
        self.0.entry(user).or_default().elsewhere.insert(from, Elsewhere { connections, until });
        is_first
    }

    /// Forgets what was not said again. Returns the users who are no longer online.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<UserId> {
        let is_over = |connections: &Connections| connections.elsewhere.values().any(|said| said.until <= now);
        let over: Vec<UserId> =
            self.0.iter().filter(|(_, connections)| is_over(connections)).map(|(user, _)| *user).collect();
        let forget = |connections: &mut Connections| connections.elsewhere.retain(|_, said| said.until > now);
        over.into_iter().filter(|user| self.change(*user, forget)).collect()
    }

    /// Changes what is known of a user. Returns whether the user was online and no longer is.
    fn change(&mut self, user: UserId, act: impl FnOnce(&mut Connections)) -> bool {
        let Some(connections) = self.0.get_mut(&user) else { return false };
        act(connections);
        let is_empty = connections.here == 0 && connections.elsewhere.is_empty();
        if is_empty {
            self.0.remove(&user);
        }
        is_empty
    }

    /// Whether a user is online.
    pub(super) fn has(&self, user: UserId) -> bool {
        self.0.contains_key(&user)
    }

    /// How many users are online.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The users who are online.
    pub(super) fn users(&self) -> impl Iterator<Item = UserId> {
        self.0.keys().copied()
    }

    /// The users who are online, and how many connections each of them has on all instances.
    pub(super) fn connections(&self) -> BTreeMap<UserId, u32> {
        let sum = |connections: &Connections| {
            connections.elsewhere.values().fold(connections.here, |sum, said| sum.saturating_add(said.connections))
        };
        self.0.iter().map(|(user, connections)| (*user, sum(connections))).collect()
    }

    /// How many connections a user has here.
    pub(super) fn here(&self, user: UserId) -> u32 {
        self.0.get(&user).map_or(0, |connections| connections.here)
    }

    /// The users with connections here.
    pub(super) fn users_here(&self) -> impl Iterator<Item = UserId> {
        self.0.iter().filter(|(_, connections)| connections.here > 0).map(|(user, _)| *user)
    }

    /// The users whom an instance has named, without these.
    pub(super) fn others_of(&self, instance: InstanceId, named: &[(UserId, u32)]) -> Vec<UserId> {
        let is_other = |user: &UserId| !named.iter().any(|(known, _)| known == user);
        let of_instance = self.0.iter().filter(|(_, connections)| connections.elsewhere.contains_key(&instance));
        of_instance.map(|(user, _)| *user).filter(is_other).collect()
    }

    /// Whether an instance has said that somebody is online.
    pub(super) fn knows(&self, instance: InstanceId) -> bool {
        self.0.values().any(|connections| connections.elsewhere.contains_key(&instance))
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::samples::user;

    #[test]
    fn a_user_is_online_while_there_is_a_connection_anywhere() {
        let (mut online, start) = (Online::default(), Instant::now());
        let (one, other) = (InstanceId::random(), InstanceId::random());
        let until = |seconds| start + Duration::from_secs(seconds);
        assert!(online.came(user(1)) && !online.came(user(1)));
        assert!(!online.heard(one, user(1), 2, until(50)) && online.heard(one, user(2), 1, until(50)));
        assert!(!online.heard(other, user(2), 3, until(60)));
        assert_eq!(online.connections(), [(user(1), 4), (user(2), 4)].into());
        assert_eq!(online.users_here().collect::<Vec<_>>(), [user(1)]);
        assert_eq!(online.here(user(1)), 2);
        assert!(online.knows(one) && online.knows(other));
        assert!(!online.went(user(1)) && !online.went(user(1)), "still on another instance");
        assert_eq!(online.expire(until(50)), [user(1)], "an instance that says nothing any more is forgotten");
        assert!(!online.knows(one) && online.has(user(2)));
        assert!(online.heard(other, user(2), 0, until(70)) && !online.heard(other, user(2), 0, until(70)));
        assert_eq!((online.len(), online.went(user(2))), (0, false));
    }
}
