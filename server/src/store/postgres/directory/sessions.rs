//! Sign-ins by cookie, known by their hashes only.

use caravana_protocol::UserId;
use caravana_protocol::rest::User;
use uuid::Uuid;

use super::super::PostgresStore;
use super::super::rows::Loose;
use crate::store::{SecretHash, StoreError};

pub(super) async fn create(
    store: &PostgresStore,
    token: SecretHash,
    user: UserId,
    now: i64,
    expires_at: i64,
) -> Result<(), StoreError> {
    store
        .access
        .write(move |link, _| {
            Box::pin(async move {
                sqlx::query(
                    "insert into caravana.session (token_hash, user_id, created_at, expires_at)
                     values ($1, $2, $3, $4)",
                )
                .bind(&token[..])
                .bind(user.uuid())
                .bind(now)
                .bind(expires_at)
                .execute(&mut *link)
                .await?;
                // The sign-ins of this user that are over go with it, so that the table does not only grow.
                sqlx::query("delete from caravana.session where user_id = $1 and expires_at <= $2")
                    .bind(user.uuid())
                    .bind(now)
                    .execute(link)
                    .await?;
                Ok(())
            })
        })
        .await
}

pub(super) async fn find(
    store: &PostgresStore,
    token: SecretHash,
    now: i64,
) -> Result<Option<(User, i64)>, StoreError> {
    let row: Option<(Uuid, Loose, Option<String>, i64)> = store
        .access
        .ask(|link| {
            let statement = store.access.sql(
                "select u.id, {user name}, a.email, s.expires_at
                 from caravana.session s join public.users u on u.id = s.user_id
                 left join caravana.account a on a.user_id = u.id
                 where s.token_hash = $1 and s.expires_at > $2",
            );
            Box::pin(
                async move { Ok(sqlx::query_as(statement).bind(&token[..]).bind(now).fetch_optional(link).await?) },
            )
        })
        .await?;
    Ok(row.map(|(user, display_name, email, expires_at)| {
        (User { id: UserId::new(user), display_name: display_name.0, email }, expires_at)
    }))
}

pub(super) async fn extend(store: &PostgresStore, token: SecretHash, expires_at: i64) -> Result<(), StoreError> {
    store
        .access
        .ask(|link| {
            Box::pin(async move {
                sqlx::query("update caravana.session set expires_at = greatest(expires_at, $1) where token_hash = $2")
                    .bind(expires_at)
                    .bind(&token[..])
                    .execute(link)
                    .await?;
                Ok(())
            })
        })
        .await
}

pub(super) async fn delete(store: &PostgresStore, token: SecretHash) -> Result<Option<UserId>, StoreError> {
    let user: Option<Uuid> = store
        .access
        .write(move |link, _| {
            Box::pin(async move {
                let statement = "delete from caravana.session where token_hash = $1 returning user_id";
                Ok(sqlx::query_scalar(statement).bind(&token[..]).fetch_optional(link).await?)
            })
        })
        .await?;
    Ok(user.map(UserId::new))
}
