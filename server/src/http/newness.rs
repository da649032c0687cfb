//! Whether this server is new: without users, the welcome page greets its visitor as the operator.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use caravana_store::Accounts;

/// The welcome page needs nothing else from the database, so it does not wait longer for it.
const PATIENCE: Duration = Duration::from_millis(200);

/// Remembers that there are users, so that the store is asked only until this process has seen the first.
#[derive(Debug, Default)]
pub struct Newness {
    has_users: AtomicBool,
}

impl Newness {
    /// Whether there are no users. If the store fails or is late, the answer is no.
    pub(super) async fn is_new(&self, accounts: &(impl Accounts + ?Sized)) -> bool {
        if self.has_users.load(Ordering::Relaxed) {
            return false;
        }
        match tokio::time::timeout(PATIENCE, accounts.has_users()).await {
            Ok(Ok(has_users)) => {
                self.has_users.store(has_users, Ordering::Relaxed);
                !has_users
            }
            Ok(Err(_)) | Err(_) => false,
        }
    }
}
