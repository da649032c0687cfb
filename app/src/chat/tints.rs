//! The colours of a group's members.
//!
//! Owns [`Tints`]. Guarantees that the first members of a group, as many as there are colours, all have different ones,
//! and that a member's colour stays when others come. Everybody else, and who has left, has the colour of the id. The cost
//! does not grow with the group.

use caravana_protocol::UserId;
use caravana_protocol::rest::Member;
use uuid::Uuid;

/// How many tints the style sheet has, each with a contrast of at least 4.5:1 to its text in both themes.
pub const TINTS: usize = 12;

/// Who has which tint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tints([Option<UserId>; TINTS]);

/// The tint of an id alone: always the same one, on every device.
#[must_use]
pub fn of_id(id: Option<Uuid>) -> usize {
    // Version-7 ids begin with the time; only the sum of all bytes spreads ids that were made together.
    let sum = |id: Uuid| id.as_bytes().iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
    usize::from(id.map_or(0, sum)) % TINTS
}

/// The members who joined first, in the order in which they joined.
#[must_use]
pub(super) fn first_joined(members: &[Member]) -> Vec<UserId> {
    let mut joined: Vec<_> = members.iter().map(|member| (member.joined_at, member.user.id)).collect();
    if joined.len() > TINTS {
        joined.select_nth_unstable(TINTS);
        joined.truncate(TINTS);
    }
    joined.sort_unstable();
    joined.into_iter().map(|(_, user)| user).collect()
}

impl Tints {
    /// Those of a group's members.
    #[must_use]
    pub fn of(members: &[Member]) -> Self {
        Self::default().with(members)
    }

    /// The same, with those who came meanwhile: each takes the colour of the id, or the next one that is free.
    #[must_use]
    pub fn with(mut self, members: &[Member]) -> Self {
        for user in first_joined(members) {
            if !self.0.contains(&Some(user)) {
                let wanted = of_id(Some(user.uuid()));
                let free = (wanted..TINTS).chain(0..wanted).find(|number| self.0.get(*number) == Some(&None));
                if let Some(place) = free.and_then(|number| self.0.get_mut(number)) {
                    *place = Some(user);
                }
            }
        }
        self
    }

    /// The tint of a person.
    #[must_use]
    pub fn tint(&self, user: Option<Uuid>) -> usize {
        let place = |user: Uuid| self.0.iter().position(|known| known.is_some_and(|known| known.uuid() == user));
        user.and_then(place).unwrap_or_else(|| of_id(user))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use caravana_protocol::rest::{Sharing, User};
    use caravana_protocol::{Role, Timestamp};

    use super::*;

    fn member(number: u128) -> Member {
        let id: UserId = Uuid::from_u128(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_string().parse().unwrap();
        let display_name = format!("Persona {number}");
        let user = User { id, display_name, email: None, sharing: Sharing::default(), blocked: Vec::new() };
        let joined_at = Timestamp::from_unix_micros(i64::try_from(number).unwrap());
        Member { user, role: Role::Member, joined_at, online: false }
    }

    fn seen(tints: &Tints, members: &[Member]) -> Vec<usize> {
        members.iter().map(|member| tints.tint(Some(member.user.id.uuid()))).collect()
    }

    #[test]
    fn as_many_members_as_there_are_colours_all_differ() {
        for seed in 0..50 {
            let members: Vec<_> = (1..=TINTS as u128).map(|number| member(seed * 100 + number)).collect();
            let different: HashSet<_> = seen(&Tints::of(&members), &members).into_iter().collect();
            assert_eq!(different.len(), TINTS);
        }
    }

    #[test]
    fn nobody_changes_colour_when_others_come() {
        let members: Vec<_> = (1..=40).map(member).collect();
        let few = Tints::of(members.get(..5).unwrap());
        assert_eq!(seen(&few, &members).get(..5), seen(&Tints::of(&members), &members).get(..5));
        assert_eq!(few.with(&members), Tints::of(&members));
    }

    #[test]
    fn the_order_of_the_list_does_not_matter() {
        let mut members: Vec<_> = (1..=40).map(member).collect();
        let tints = Tints::of(&members);
        members.reverse();
        assert_eq!(Tints::of(&members), tints);
    }
}
