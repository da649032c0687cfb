//! A write of an operator's command, while servers may be running on the same database.

use caravana_store::SecretHash;
use sqlx::ConnectOptions as _;

use super::link::{LOCK_TIMEOUT, Link, manners};
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
    let mut link = Link::own(options_of(address).connect().await?, false);
    link.run(&format!("begin; {}", manners(true, "on", LOCK_TIMEOUT))).await?;
    let made = resets::insert(&mut link, email, token, (now, expires_at), u32::MAX).await?;
    link.run("commit").await?;
    Ok(made)
}
