//! Where somebody stands in a group's log.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The position of an event in its group: 1, 2, 3 … without a hole. Zero is "before the first".
pub type Seq = u64;

/// A random id of a group's event history. It changes when the history was rebuilt or restored, so that a cursor from
/// before is recognised and nobody continues on a silent fork.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(Uuid);

impl Epoch {
    /// Wraps the UUID that the store keeps for the group.
    #[must_use]
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Epoch({})", self.0)
    }
}

impl std::str::FromStr for Epoch {
    type Err = crate::IdError;

    fn from_str(text: &str) -> Result<Self, crate::IdError> {
        Uuid::try_parse(text).map(Self).map_err(|_| crate::IdError)
    }
}

/// All events of `epoch` up to and including `seq` are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cursor {
    /// The history that `seq` counts in.
    pub epoch: Epoch,
    /// The last known event.
    pub seq: Seq,
}
