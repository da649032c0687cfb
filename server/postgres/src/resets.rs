//! Password-reset links, known by their hashes only.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_protocol::rest::{Sharing, User};
use caravana_store::{RESETS, Resets, SecretHash, StoreError};
use uuid::Uuid;

use super::backend::Backend;
use super::rows::Name;
use super::{PostgresStore, proofs};

#[async_trait]
impl Resets for PostgresStore {
    async fn create_reset(
        &self,
        email: &str,
        token: SecretHash,
        now: i64,
        expires_at: i64,
    ) -> Result<bool, StoreError> {
        let email = email.to_owned();
        self.access
            .write(move |backend, _| {
                let email = email.clone();
                Box::pin(async move { Ok(insert(backend, &email, token, (now, expires_at), RESETS).await?) })
            })
            .await
    }

    async fn reset_holder(&self, token: SecretHash, now: i64) -> Result<Option<User>, StoreError> {
        let holder: Option<(Uuid, Name, String)> = self
            .access
            .ask(|backend| {
                let statement = self.access.sql(
                    "select u.id, {user name}, a.email from caravana.reset r
                     join public.users u on u.id = r.user_id join caravana.account a on a.user_id = r.user_id
                     where r.token_hash = $1 and r.expires_at > $2",
                );
                Box::pin(async move {
                    Ok(sqlx::query_as(statement).bind(&token[..]).bind(now).fetch_optional(backend).await?)
                })
            })
            .await?;
        Ok(holder.map(|(user, display_name, email)| User {
            id: UserId::new(user),
            display_name: display_name.0,
            email: Some(email),
            sharing: Sharing::default(),
            blocked: Vec::new(),
        }))
    }

    /// If two requests use the same link, only one succeeds.
    async fn reset_password(
        &self,
        token: SecretHash,
        password_hash: String,
        now: i64,
    ) -> Result<Option<UserId>, StoreError> {
        self.access
            .write(move |backend, _| {
                let password_hash = password_hash.clone();
                Box::pin(async move {
                    let user: Option<Uuid> = sqlx::query_scalar(
                        "delete from caravana.reset where token_hash = $1 and expires_at > $2 returning user_id",
                    )
                    .bind(&token[..])
                    .bind(now)
                    .fetch_optional(&mut *backend)
                    .await?;
                    let Some(user) = user.map(UserId::new) else { return Ok(None) };
                    sqlx::query("update caravana.account set password_hash = $1 where user_id = $2")
                        .bind(password_hash)
                        .bind(user.uuid())
                        .execute(&mut *backend)
                        .await?;
                    end_all(backend, user).await?;
                    proofs::sign_out(backend, user, None, now).await?;
                    Ok(Some(user))
                })
            })
            .await
    }
}

/// Inserts a link. Answers whether it did: there must be such an account, with fewer than `most` valid links.
pub(super) async fn insert(
    backend: &mut Backend,
    email: &str,
    token: SecretHash,
    (now, expires_at): (i64, i64),
    most: u32,
) -> Result<bool, sqlx::Error> {
    let made = sqlx::query(
        "insert into caravana.reset (token_hash, user_id, expires_at)
         select $1, a.user_id, $2 from caravana.account a
         where a.email = $3
           and (select count(*) from caravana.reset r where r.user_id = a.user_id and r.expires_at > $5) < $4
         for no key update of a",
    )
    .bind(&token[..])
    .bind(expires_at)
    .bind(email)
    .bind(i64::from(most))
    .bind(now)
    .execute(backend)
    .await?;
    Ok(made.rows_affected() > 0)
}

/// Deletes all reset links of a user. Every change of the password does this.
pub(super) async fn end_all(backend: &mut Backend, user: UserId) -> Result<(), StoreError> {
    sqlx::query("delete from caravana.reset where user_id = $1").bind(user.uuid()).execute(backend).await?;
    Ok(())
}
