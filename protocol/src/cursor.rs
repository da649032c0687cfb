//! A position in a group's log.

use serde::{Deserialize, Serialize};

use crate::Epoch;

/// The position of an event in its group: 1, 2, 3 … without a hole. Zero is "before the first".
pub type Seq = u64;

/// All events of `epoch` up to and including `seq` are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cursor {
    /// The history that `seq` counts in.
    pub epoch: Epoch,
    /// The last known event.
    pub seq: Seq,
}
