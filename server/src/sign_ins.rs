//! Closes the sockets of sign-ins that have ended (G10).
//!
//! Promises that a socket is closed within five seconds after its credential has ended: a sign-in that was signed out,
//! expired or was deleted by any program, or a user who signed out everywhere. Routes that end a sign-in close its
//! sockets at once. [`watch`] finds the rest, including sockets that were being opened at that moment. The connection
//! itself handles the expiry of its token.

use std::sync::Arc;
use std::time::Duration;

use caravana_hub::Hub;
use caravana_hub::broker::{Revoked, Signal};
use caravana_protocol::{CloseReason, UserId};
use caravana_store::{Proofs, SecretHash, StoreError};
use caravana_telemetry::causes;
use futures::future::BoxFuture;

use crate::clock::unix_seconds;
use crate::shutdown::Shutdown;

/// How often the credentials of all open sockets are checked, with two reads for all of them together.
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
                        hub.signal(Signal::Revoked(user, Revoked::Proof(proof)));
                    }
                }
                // Logged once: a store that does not answer is logged elsewhere many times.
                Err(error) if !is_failing => {
                    is_failing = true;
                    tracing::warn!(error = %causes(&error), "sign-ins could not be looked up");
                }
                Err(_) => {}
            }
        }
    })
}

/// Signs a user out everywhere: ends sign-ins, tickets and tokens, and closes their sockets, except the kept sign-in
/// and its sockets.
pub async fn end_all(
    hub: &Arc<Hub>,
    proofs: &dyn Proofs,
    user: UserId,
    kept: Option<SecretHash>,
) -> Result<(), StoreError> {
    // The store comes first: a socket that is opened in between then finds no valid credential.
    proofs.end_sign_ins(user, kept, unix_seconds()).await?;
    close_all(hub, user, kept);
    Ok(())
}

/// Closes the sockets as [`end_all`] does, for cases where the store has already ended the sign-ins together with
/// another change: the password was changed (kept: the sign-in that changed it), the password was set by a link, or the
/// account was deleted.
pub fn close_all(hub: &Arc<Hub>, user: UserId, kept: Option<SecretHash>) {
    let revoked = kept.map_or(Revoked::All(CloseReason::SessionRevoked), Revoked::AllBut);
    hub.signal(Signal::Revoked(user, revoked));
}
