//! Sign-ins by cookie, known by their hashes only.

use caravana_protocol::UserId;
use caravana_protocol::rest::User;

use super::super::{SqliteStore, rows};
use super::id;
use crate::store::{SecretHash, StoreError};

pub(super) async fn create(
    store: &SqliteStore,
    token: SecretHash,
    user: UserId,
    now: i64,
    expires_at: i64,
) -> Result<(), StoreError> {
    store
        .writer
        .run(move |tx, _| {
            Box::pin(async move {
                sqlx::query(
                    "insert into caravana_session (token_hash, user_id, created_at, expires_at) values (?, ?, ?, ?)",
                )
                .bind(&token[..])
                .bind(user.to_string())
                .bind(now)
                .bind(expires_at)
                .execute(&mut *tx)
                .await?;
                // The sign-ins of this user that are over go with it, so that the table does not only grow.
                sqlx::query("delete from caravana_session where user_id = ? and expires_at <= ?")
                    .bind(user.to_string())
                    .bind(now)
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await
}

pub(super) async fn find(store: &SqliteStore, token: SecretHash, now: i64) -> Result<Option<(User, i64)>, StoreError> {
    let row: Option<(String, String, Option<String>, i64)> = sqlx::query_as(
        "select u.id, u.display_name, a.email, s.expires_at
         from caravana_session s join users u on u.id = s.user_id
         left join caravana_account a on a.user_id = u.id
         where s.token_hash = ? and s.expires_at > ?",
    )
    .bind(&token[..])
    .bind(now)
    .fetch_optional(&store.readers)
    .await?;
    row.map(|(user, display_name, email, expires_at)| Ok((User { id: id(&user)?, display_name, email }, expires_at)))
        .transpose()
}

pub(super) async fn extend(store: &SqliteStore, token: SecretHash, expires_at: i64) -> Result<(), StoreError> {
    store
        .writer
        .run_simple(move |tx, _| {
            Box::pin(async move {
                sqlx::query("update caravana_session set expires_at = max(expires_at, ?) where token_hash = ?")
                    .bind(expires_at)
                    .bind(&token[..])
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await
}

pub(super) async fn delete(store: &SqliteStore, token: SecretHash) -> Result<Option<UserId>, StoreError> {
    store
        .writer
        .run_simple(move |tx, _| {
            Box::pin(async move {
                let user: Option<String> =
                    sqlx::query_scalar("delete from caravana_session where token_hash = ? returning user_id")
                        .bind(&token[..])
                        .fetch_optional(tx)
                        .await?;
                Ok(rows::user(user.as_deref()))
            })
        })
        .await
}
