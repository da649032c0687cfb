//! What waits to be said, in the storage that outlives the page.
//!
//! One entry each under its id, so that two tabs never overwrite each other's.

use caravana_client::ports::NotKept;
use caravana_client::{IntentId, SavedIntent};

use crate::belongings;
use crate::device::storage;

const PREFIX: &str = "caravana.outbox.";

fn key(id: IntentId) -> String {
    format!("{PREFIX}{id}")
}

/// What is kept under this key of the storage; nothing for a key that is not of the outbox.
pub(crate) fn id_of(key: &str) -> Option<IntentId> {
    key.strip_prefix(PREFIX)?.parse().ok()
}

/// All that is kept; what can't be read is left where it is.
pub(crate) fn load() -> Vec<SavedIntent> {
    let Some(storage) = storage() else { return Vec::new() };
    let keys: Vec<String> = (0..storage.length().unwrap_or(0)).filter_map(|at| storage.key(at).ok()?).collect();
    let mut found: Vec<SavedIntent> = keys
        .iter()
        .filter(|key| key.starts_with(PREFIX))
        .filter_map(|key| serde_json::from_str(&storage.get_item(key).ok()??).ok())
        .collect();
    found.sort_by_key(|message| (message.order, message.id));
    found
}

/// Keeps this in place of what is kept under its id.
pub(crate) fn save(message: &SavedIntent) -> Result<(), NotKept> {
    let text = serde_json::to_string(message).map_err(|_| NotKept)?;
    // Who has signed out in another page leaves nothing behind here.
    let storage = storage().filter(|_| belongings::may_keep(message.user_id)).ok_or(NotKept)?;
    storage.set_item(&key(message.id), &text).map_err(|_| NotKept)
}

/// Keeps it no longer.
pub(crate) fn forget(id: IntentId) {
    if let Some(storage) = storage() {
        // What can't be removed is done, and will be answered as that when it is said again.
        let _ = storage.remove_item(&key(id));
    }
}
