//! The storage that outlives the page.

use caravana_protocol::{GroupId, UserId};
use web_sys::Storage;

/// The prefix of a draft's key; the person's and the group's ids follow.
pub(crate) const DRAFT: &str = "caravana.draft.";

/// The storage that outlives the page, if the browser allows it.
pub(crate) fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}

/// The key of the draft of this person in this group.
pub(crate) fn draft_key(user: UserId, group: GroupId) -> String {
    format!("{DRAFT}{user}.{group}")
}
