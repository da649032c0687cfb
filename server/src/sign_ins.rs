//! The end of a sign-in, for the sockets that rest on it (G10).
//!
//! Promises that a socket is closed within five seconds after what it was opened by has ended: a sign-in that was signed
//! out, left idle or deleted by whatever program, a user who signed out everywhere. Routes that end something close its
//! sockets at once; [`watch`] finds the rest, and those that were being opened in that moment. A token's own end is the
//! connection's business.

use std::sync::Arc;
use std::time::Duration;

use caravana_protocol::{CloseReason, UserId};
use futures::future::BoxFuture;

use crate::clock::unix_seconds;
use crate::hub::Hub;
use crate::shutdown::Shutdown;
use crate::store::{Proofs, SecretHash, StoreError};
use crate::telemetry::causes;

/// How often all open sockets' sign-ins are looked up: two reads for all of them together.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Closes the sockets of sign-ins that have ended, until the process ends.
pub(crate) fn watch(hub: Arc<Hub>, proofs: Arc<dyn Proofs>, shutdown: Shutdown) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        let mut is_failing = false;
        loop {
            tokio::select! {
                () = shutdown.triggered() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let open = hub.proofs();
            if open.is_empty() {
                continue;
            }
            match proofs.ended(open, unix_seconds()).await {
                Ok(ended) => {
                    is_failing = false;
                    for (user, proof) in ended {
                        hub.close_proof(user, proof);
                    }
                }
                // Said once: a store that does not answer is in the log many times already.
                Err(error) if !is_failing => {
                    is_failing = true;
                    tracing::warn!(error = %causes(&error), "sign-ins could not be looked up");
                }
                Err(_) => {}
            }
        }
    })
}

/// Signs a user out everywhere: sign-ins, tickets, tokens and their sockets; but for the kept sign-in and its sockets.
pub async fn end_all(hub: &Hub, proofs: &dyn Proofs, user: UserId, kept: Option<SecretHash>) -> Result<(), StoreError> {
    // The store first: a socket that is opened in between finds nothing that it could rest on.
    proofs.end_sign_ins(user, kept, unix_seconds()).await?;
    close_all(hub, user, kept);
    Ok(())
}

/// The sockets' part of [`end_all`], where the store has ended the sign-ins together with something else: a password was
/// changed (kept: the sign-in that changed it), set by a link, or the account has ended.
pub fn close_all(hub: &Hub, user: UserId, kept: Option<SecretHash>) {
    match kept {
        Some(kept) => hub.close_others(user, kept),
        None => hub.close_user(user, CloseReason::SessionRevoked),
    }
}
