//! Unsent messages, in the storage that outlives the page.
//!
//! Each message has its own entry under its id, so that two tabs never overwrite each other's messages.

use caravana_client::ports::NotKept;
use caravana_client::{IntentId, SavedIntent};

use crate::belongings;
use crate::device::storage;

const PREFIX: &str = "caravana.outbox.";

fn key(id: IntentId) -> String {
    format!("{PREFIX}{id}")
}

/// The id in a storage key; `None` if the key is not of the outbox.
pub(crate) fn id_of(key: &str) -> Option<IntentId> {
    key.strip_prefix(PREFIX)?.parse().ok()
}

/// All kept messages. Entries that cannot be read are skipped and stay in the storage.
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

/// Keeps a message; it replaces the entry with the same id.
pub(crate) fn save(message: &SavedIntent) -> Result<(), NotKept> {
    let text = serde_json::to_string(message).map_err(|_| NotKept)?;
    // After a sign-out in another page, this page must not keep anything.
    let storage = storage().filter(|_| belongings::may_keep(message.user_id)).ok_or(NotKept)?;
    storage.set_item(&key(message.id), &text).map_err(|_| NotKept)
}

/// Removes a message.
pub(crate) fn forget(id: IntentId) {
    if let Some(storage) = storage() {
        // If the removal fails, the message is sent again later, and the server answers that it already has it.
        let _ = storage.remove_item(&key(id));
    }
}
