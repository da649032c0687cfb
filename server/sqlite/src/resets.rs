//! Password-reset links, known by their hashes only.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_protocol::rest::{Sharing, User};
use caravana_store::{RESETS, Resets, SecretHash, StoreError};
use sqlx::SqliteConnection;

use super::rows::Name;
use super::{SqliteStore, id, proofs, rows};

#[async_trait]
impl Resets for SqliteStore {
    async fn create_reset(
        &self,
        email: &str,
        token: SecretHash,
        now: i64,
        expires_at: i64,
    ) -> Result<bool, StoreError> {
        let (email, times) = (email.to_owned(), (now, expires_at));
        self.writer.run(move |tx, _| Box::pin(async move { Ok(insert(tx, &email, token, times, RESETS).await?) })).await
    }

    async fn reset_holder(&self, token: SecretHash, now: i64) -> Result<Option<User>, StoreError> {
        let holder: Option<(String, Name, String)> = sqlx::query_as(
            "select u.id, u.display_name, a.email from caravana_reset r
             join users u on u.id = r.user_id join caravana_account a on a.user_id = r.user_id
             where r.token_hash = ? and r.expires_at > ?",
        )
        .bind(&token[..])
        .bind(now)
        .fetch_optional(&self.readers)
        .await?;
        holder
            .map(|(user, display_name, email)| {
                Ok(User {
                    id: id(&user)?,
                    display_name: display_name.0,
                    email: Some(email),
                    sharing: Sharing::default(),
                    blocked: Vec::new(),
                })
            })
            .transpose()
    }

    /// If two requests use the same link, only one succeeds.
    async fn reset_password(
        &self,
        token: SecretHash,
        password_hash: String,
        now: i64,
    ) -> Result<Option<UserId>, StoreError> {
        self.writer
            .run(move |tx, _| {
                Box::pin(async move {
                    let user: Option<String> = sqlx::query_scalar(
                        "delete from caravana_reset where token_hash = ? and expires_at > ? returning user_id",
                    )
                    .bind(&token[..])
                    .bind(now)
                    .fetch_optional(&mut *tx)
                    .await?;
                    let Some(user) = user else { return Ok(None) };
                    sqlx::query("update caravana_account set password_hash = ? where user_id = ?")
                        .bind(password_hash)
                        .bind(&user)
                        .execute(&mut *tx)
                        .await?;
                    end_all(tx, &user).await?;
                    proofs::sign_out(tx, &user, None, now).await?;
                    Ok(rows::user(Some(&user)))
                })
            })
            .await
    }
}

/// Inserts a link. Answers whether it did: there must be such an account, with fewer than `most` valid links.
pub(super) async fn insert(
    tx: &mut SqliteConnection,
    email: &str,
    token: SecretHash,
    (now, expires_at): (i64, i64),
    most: u32,
) -> Result<bool, sqlx::Error> {
    let made = sqlx::query(
        "insert into caravana_reset (token_hash, user_id, expires_at)
         select ?, a.user_id, ? from caravana_account a
         where a.email = ? and (select count(*) from caravana_reset r where r.user_id = a.user_id and r.expires_at > ?) < ?",
    )
    .bind(&token[..])
    .bind(expires_at)
    .bind(email)
    .bind(now)
    .bind(most)
    .execute(tx)
    .await?;
    Ok(made.rows_affected() > 0)
}

/// Deletes all reset links of a user. Every change of the password does this.
pub(super) async fn end_all(tx: &mut SqliteConnection, user: &str) -> Result<(), StoreError> {
    sqlx::query("delete from caravana_reset where user_id = ?").bind(user).execute(tx).await?;
    Ok(())
}
