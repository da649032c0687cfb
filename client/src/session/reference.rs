//! The references that connect an answer with the frame that it answers.

use std::fmt;

use caravana_protocol::GroupId;

use crate::IntentId;

/// What the `ref` of this client's frames says. Every form fits into its 64 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference {
    Intent(IntentId),
    /// Numbered, because the answer to an earlier request about the group may arrive after a later request was sent.
    Follow(GroupId, u32),
    Read(GroupId),
}

impl Reference {
    /// Reads the `ref` that an answer repeats.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(':')?;
        Some(match kind {
            "intent" => Self::Intent(id.parse().ok()?),
            "follow" => {
                let (group, number) = id.split_once(':')?;
                Self::Follow(group.parse().ok()?, number.parse().ok()?)
            }
            "read" => Self::Read(id.parse().ok()?),
            _ => return None,
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intent(id) => write!(f, "intent:{id}"),
            Self::Follow(id, number) => write!(f, "follow:{id}:{number}"),
            Self::Read(id) => write!(f, "read:{id}"),
        }
    }
}
