//! Whether this server has users: a page of a server without any greets its visitor as the operator.

use std::sync::atomic::{AtomicBool, Ordering};

use caravana_store::Accounts;

/// Remembers the first user that was seen. A server that had one never becomes new again.
#[derive(Debug, Default)]
pub struct KnownUsers(AtomicBool);

impl KnownUsers {
    /// Whether there are no users yet. Asks the store only until there is one; if the store fails, the answer is no.
    pub(super) async fn are_none(&self, accounts: &(impl Accounts + ?Sized)) -> bool {
        if self.0.load(Ordering::Relaxed) {
            return false;
        }
        match accounts.has_users().await {
            Ok(has_users) => {
                self.0.store(has_users, Ordering::Relaxed);
                !has_users
            }
            Err(_) => false,
        }
    }
}
