//! A write of an operator's command, while servers may be running on the same database.

use caravana_store::SecretHash;
use sqlx::ConnectOptions as _;

use super::backend::{Backend, LOCK_TIMEOUT, manners};
use super::{OpenError, options_of, resets};

use super::PostgresAddress;

/// [`create_reset`](caravana_store::Resets::create_reset) beside running servers, without the limit on valid links.
/// Answers whether there is such an account.
pub async fn create_reset(
    address: &PostgresAddress,
    email: &str,
    token: SecretHash,
    now: i64,
    expires_at: i64,
) -> Result<bool, OpenError> {
    // As if there were a pooler, because there may be one: one transaction, and no named statements.
    let mut backend = Backend::own(options_of(address).connect().await?, false);
    backend.run(&format!("begin; {}", manners(true, "on", LOCK_TIMEOUT))).await?;
    let made = resets::insert(&mut backend, email, token, (now, expires_at), u32::MAX).await?;
    backend.run("commit").await?;
    Ok(made)
}
