//! The intents that the session saves over a reload, in the storage that outlives the page.
//!
//! Each intent has its own entry under its id, so that two tabs never overwrite each other's entries.

use caravana_client::ports::NotSaved;
use caravana_client::{IntentId, SavedIntent};
use caravana_protocol::UserId;

const PREFIX: &str = "caravana.outbox.";

fn key(id: IntentId) -> String {
    format!("{PREFIX}{id}")
}

/// The saved intents of all pages of this browser.
#[derive(Clone, Copy)]
pub struct SavedOutbox {
    may_keep: fn(UserId) -> bool,
}

impl SavedOutbox {
    /// A page saves only intents of users for whom `may_keep` is true. It is called before each entry, because after a
    /// sign-out in another tab, for example, a page must not keep anything.
    #[must_use]
    pub const fn new(may_keep: fn(UserId) -> bool) -> Self {
        Self { may_keep }
    }

    /// The id in a storage key; `None` if the key is not of the outbox.
    #[must_use]
    pub fn id_of(key: &str) -> Option<IntentId> {
        key.strip_prefix(PREFIX)?.parse().ok()
    }

    /// All saved intents, of any user. Entries that this build cannot read are skipped and stay in the storage.
    #[must_use]
    pub fn load() -> Vec<SavedIntent> {
        let Some(storage) = storage() else { return Vec::new() };
        let keys: Vec<String> = (0..storage.length().unwrap_or(0)).filter_map(|at| storage.key(at).ok()?).collect();
        let mut found: Vec<SavedIntent> = keys
            .iter()
            .filter(|key| key.starts_with(PREFIX))
            .filter_map(|key| serde_json::from_str(&storage.get_item(key).ok()??).ok())
            .collect();
        found.sort_by_key(|intent| (intent.order, intent.id));
        found
    }

    /// Saves an intent; it replaces the entry with the same id.
    pub(crate) fn save(self, intent: &SavedIntent) -> Result<(), NotSaved> {
        let text = serde_json::to_string(intent).map_err(|_| NotSaved)?;
        let storage = storage().filter(|_| (self.may_keep)(intent.user_id)).ok_or(NotSaved)?;
        storage.set_item(&key(intent.id), &text).map_err(|_| NotSaved)
    }

    /// Removes an intent.
    pub(crate) fn forget(id: IntentId) {
        if let Some(storage) = storage() {
            // If the removal fails, the intent is sent again later, and the server answers that it is done already.
            let _ = storage.remove_item(&key(id));
        }
    }
}

/// The storage; `None` where the browser has none or forbids it.
fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}
