//! The users whose account has ended, and the locks that keep an account from ending.
//!
//! Writes in a user's name that run at the same time as the end either finish before it or fail. A send holds the
//! member's row until its commit, so the end of membership waits for it. Writes that hold no such row call [`lives`]
//! first.

use caravana_protocol::UserId;
use caravana_store::{FOR_EVER, StoreError};
use uuid::Uuid;

use super::backend::Backend;

/// The first half of the key of the advisory locks on users ("user" in ASCII). The second half is a hash of the id.
const USER_LOCK: i32 = 0x7573_6572;

/// Keeps the accounts of these users from ending until this transaction ends. Whether one has already ended must be
/// asked by a later statement, which then sees what was committed while this one waited.
pub(super) async fn hold_lives(backend: &mut Backend, users: &[UserId]) -> Result<(), StoreError> {
    let users: Vec<Uuid> = users.iter().map(|user| user.uuid()).collect();
    sqlx::query("select pg_advisory_xact_lock_shared($1, h) from (select distinct hashtext(u::text) as h from unnest($2::uuid[]) u order by h) held")
        .bind(USER_LOCK)
        .bind(users)
        .execute(backend)
        .await?;
    Ok(())
}

/// Refuses a user whose account has ended meanwhile, as [`StoreError::NotFound`]; otherwise keeps the account from
/// ending before this transaction does. Call it before locking anything else.
pub(super) async fn lives(backend: &mut Backend, user: UserId) -> Result<(), StoreError> {
    hold_lives(backend, &[user]).await?;
    refuse_ended(backend, user).await
}

/// Locks a user until this transaction ends: no other transaction can end the user or pass [`hold_lives`] for them.
pub(super) async fn hold(backend: &mut Backend, user: UserId) -> Result<(), StoreError> {
    sqlx::query("select pg_advisory_xact_lock($1, hashtext($2::text))")
        .bind(USER_LOCK)
        .bind(user.uuid())
        .execute(backend)
        .await?;
    Ok(())
}

/// [`StoreError::NotFound`] if the account has ended. Call it only after [`hold`] or [`hold_lives`].
pub(super) async fn refuse_ended(backend: &mut Backend, user: UserId) -> Result<(), StoreError> {
    let ended: bool =
        sqlx::query_scalar("select exists (select from caravana.sign_out o where o.user_id = $1 and o.at = $2)")
            .bind(user.uuid())
            .bind(FOR_EVER)
            .fetch_one(backend)
            .await?;
    if ended { Err(StoreError::NotFound) } else { Ok(()) }
}
