//! The users whose account has ended.

use caravana_store::{FOR_EVER, StoreError};
use sqlx::SqliteConnection;

/// Refuses a user whose account ended before this write's turn, as [`StoreError::NotFound`].
pub(super) async fn lives(tx: &mut SqliteConnection, user: &str) -> Result<(), StoreError> {
    let ended: Option<i64> = sqlx::query_scalar("select 1 from caravana_sign_out where user_id = ? and at = ?")
        .bind(user)
        .bind(FOR_EVER)
        .fetch_optional(tx)
        .await?;
    if ended.is_some() { Err(StoreError::NotFound) } else { Ok(()) }
}
