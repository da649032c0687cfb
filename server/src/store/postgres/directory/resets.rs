//! Links for a new password, known by their hashes only.

use caravana_protocol::UserId;
use caravana_protocol::rest::User;
use uuid::Uuid;

use super::super::PostgresStore;
use super::super::link::Link;
use super::super::rows::Loose;
use super::proofs;
use crate::store::{SecretHash, StoreError};

pub(super) async fn create(
    store: &PostgresStore,
    email: String,
    token: SecretHash,
    now: i64,
    expires_at: i64,
) -> Result<Option<User>, StoreError> {
    let access = store.access.clone();
    store
        .access
        .write(move |link, _| {
            let (name, email) = (access.sql("select {user name} from public.users u where u.id = $1"), email.clone());
            Box::pin(async move {
                let Some(user) = insert(link, &email, token, now, expires_at).await? else { return Ok(None) };
                let display_name: Option<Loose> =
                    sqlx::query_scalar(name).bind(user.uuid()).fetch_optional(link).await?;
                Ok(display_name.map(|name| User { id: user, display_name: name.0, email: Some(email) }))
            })
        })
        .await
}

/// Whose link it is. Links that are over go with it, so that the table does not only grow.
pub(in super::super) async fn insert(
    link: &mut Link,
    email: &str,
    token: SecretHash,
    now: i64,
    expires_at: i64,
) -> Result<Option<UserId>, sqlx::Error> {
    sqlx::query("delete from caravana.reset where expires_at <= $1").bind(now).execute(&mut *link).await?;
    let user: Option<Uuid> = sqlx::query_scalar(
        "insert into caravana.reset (token_hash, user_id, expires_at)
         select $1, a.user_id, $2 from caravana.account a where a.email = $3 returning user_id",
    )
    .bind(&token[..])
    .bind(expires_at)
    .bind(email)
    .fetch_optional(link)
    .await?;
    Ok(user.map(UserId::new))
}

pub(super) async fn holder(store: &PostgresStore, token: SecretHash, now: i64) -> Result<Option<UserId>, StoreError> {
    let user: Option<Uuid> = store
        .access
        .ask(|link| {
            Box::pin(async move {
                let question =
                    sqlx::query_scalar("select user_id from caravana.reset where token_hash = $1 and expires_at > $2");
                Ok(question.bind(&token[..]).bind(now).fetch_optional(link).await?)
            })
        })
        .await?;
    Ok(user.map(UserId::new))
}

/// Of two posts with the same link one uses it up.
pub(super) async fn take(
    store: &PostgresStore,
    token: SecretHash,
    password_hash: String,
    now: i64,
) -> Result<Option<UserId>, StoreError> {
    store
        .access
        .write(move |link, _| {
            let password_hash = password_hash.clone();
            Box::pin(async move {
                let user: Option<Uuid> = sqlx::query_scalar(
                    "delete from caravana.reset where token_hash = $1 and expires_at > $2 returning user_id",
                )
                .bind(&token[..])
                .bind(now)
                .fetch_optional(&mut *link)
                .await?;
                let Some(user) = user.map(UserId::new) else { return Ok(None) };
                sqlx::query("update caravana.account set password_hash = $1 where user_id = $2")
                    .bind(password_hash)
                    .bind(user.uuid())
                    .execute(&mut *link)
                    .await?;
                end_all(link, user).await?;
                proofs::sign_out(link, user, None, now).await?;
                Ok(Some(user))
            })
        })
        .await
}

/// A new password, by whatever way, ends the other ways to set one.
pub(super) async fn end_all(link: &mut Link, user: UserId) -> Result<(), StoreError> {
    sqlx::query("delete from caravana.reset where user_id = $1").bind(user.uuid()).execute(link).await?;
    Ok(())
}
