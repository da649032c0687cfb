//! The group, the users and the messages of a simulation.

use std::ops::Range;

use caravana_protocol::{GroupId, MessageId, UserId};
use uuid::Uuid;

/// The group of all simulations.
#[must_use]
pub fn group() -> GroupId {
    GroupId::new(Uuid::from_u128(0x1))
}

/// The user whose session it is.
#[must_use]
pub fn me() -> UserId {
    UserId::new(Uuid::from_u128(0xa))
}

/// Another member.
#[must_use]
pub fn ana() -> UserId {
    UserId::new(Uuid::from_u128(0xb))
}

/// A message's id.
#[must_use]
pub fn id(number: u128) -> MessageId {
    MessageId::new(Uuid::from_u128(number))
}

/// The texts of [`Simulation::post_numbers`](super::Simulation::post_numbers).
#[must_use]
pub fn numbers(posted: Range<usize>) -> Vec<String> {
    posted.map(|number| number.to_string()).collect()
}
