//! The storage that outlives the page.

use std::collections::HashMap;

use caravana_app::ports::Kept;
use caravana_protocol::{GroupId, UserId};
use web_sys::Storage;

/// The prefix of a draft's key; the person's and the group's ids follow.
pub(crate) const DRAFT: &str = "caravana.draft.";

/// The prefix of the keys of a person's choices; the person's id and a word follow.
pub(crate) const CHOICE: &str = "caravana.choice.";

/// The storage that outlives the page, if the browser allows it.
pub(crate) fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}

/// The key of the draft of this person in this group.
pub(crate) fn draft_key(user: UserId, group: GroupId) -> String {
    format!("{DRAFT}{user}.{group}")
}

/// The key of what is kept for this person.
pub(crate) fn kept_key(user: UserId, what: Kept) -> String {
    format!("{CHOICE}{user}.{}", what.word())
}

/// All drafts of this person.
pub(crate) fn drafts(storage: &Storage, user: UserId) -> HashMap<GroupId, String> {
    let prefix = format!("{DRAFT}{user}.");
    let keys = (0..storage.length().unwrap_or(0)).filter_map(|number| storage.key(number).ok()?);
    let draft = |key: String| {
        let group = key.strip_prefix(&prefix)?.parse().ok()?;
        Some((group, storage.get_item(&key).ok()??))
    };
    keys.filter_map(draft).collect()
}
