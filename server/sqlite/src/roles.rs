//! Who has which role in a group, and who is a guest: read by every write that depends on it, in its own transaction.

use caravana_protocol::{GroupId, Role, UserId};
use caravana_store::StoreError;
use sqlx::SqliteConnection;

use super::SqliteStore;

/// The role of a user, outside of writes; `None` for a non-member.
pub(super) async fn role(store: &SqliteStore, group: GroupId, user: UserId) -> Result<Option<Role>, StoreError> {
    let role: Option<String> =
        sqlx::query_scalar("select role from caravana_member where group_id = ? and user_id = ?")
            .bind(group.to_string())
            .bind(user.to_string())
            .fetch_optional(&store.readers)
            .await?;
    Ok(role.map(|role| Role::from_word(&role)))
}

/// The role of a member, inside a write's own transaction; [`StoreError::NotFound`] for a non-member.
pub(super) async fn role_in(tx: &mut SqliteConnection, group: &str, user: &str) -> Result<Role, StoreError> {
    role_of(tx, group, user).await?.ok_or(StoreError::NotFound)
}

/// Like [`role_in`], but `None` for a non-member.
pub(super) async fn role_of(tx: &mut SqliteConnection, group: &str, user: &str) -> Result<Option<Role>, StoreError> {
    let role: Option<String> =
        sqlx::query_scalar("select role from caravana_member where group_id = ? and user_id = ?")
            .bind(group)
            .bind(user)
            .fetch_optional(tx)
            .await?;
    Ok(role.map(|role| Role::from_word(&role)))
}

/// Whether the user is a guest (has not signed up anywhere).
pub(super) async fn is_guest(tx: &mut SqliteConnection, user: &str) -> Result<bool, StoreError> {
    let guest: Option<i64> =
        sqlx::query_scalar("select 1 from caravana_guest where user_id = ?").bind(user).fetch_optional(tx).await?;
    Ok(guest.is_some())
}
