//! Sign-ins by cookie, known by their hashes only.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_protocol::rest::User;
use caravana_store::{NewSession, SIGN_INS, SecretHash, Sessions, SignInRow, StoreError};

use super::privacy::{SharingColumns, sharing_columns};
use super::rows::Name;
use super::{SqliteStore, id, rows};

#[derive(sqlx::FromRow)]
struct SessionRow {
    id: String,
    display_name: Name,
    email: Option<String>,
    expires_at: i64,
    #[sqlx(flatten)]
    sharing: SharingColumns,
}

#[async_trait]
impl Sessions for SqliteStore {
    /// The insert itself checks the password hash, so that the password can't change between the check and the insert.
    async fn create_session(&self, session: NewSession) -> Result<(), StoreError> {
        self
        .writer
        .run(move |tx, _| {
            Box::pin(async move {
                let user = session.user.to_string();
                let made = sqlx::query(
                    "insert into caravana_session (token_hash, user_id, created_at, expires_at, browser)
                         select ?1, a.user_id, ?3, ?4, ?5 from caravana_account a where a.user_id = ?2 and a.password_hash = ?6",
                )
                .bind(&session.token[..])
                .bind(&user)
                .bind(session.now)
                .bind(session.expires_at)
                .bind(session.browser)
                .bind(session.password_hash)
                .execute(&mut *tx)
                .await?;
                if made.rows_affected() == 0 {
                    return Err(StoreError::Conflict);
                }
                sqlx::query(
                    "delete from caravana_session where token_hash in (select token_hash from caravana_session
                           where user_id = ? and token_hash <> ? order by expires_at desc, token_hash limit -1 offset ?)",
                )
                .bind(user)
                .bind(&session.token[..])
                .bind(SIGN_INS - 1)
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }

    async fn sessions(&self, user: UserId, now: i64) -> Result<Vec<SignInRow>, StoreError> {
        let rows: Vec<(Vec<u8>, Option<String>, i64, i64)> = sqlx::query_as(
            "select token_hash, browser, created_at, expires_at from caravana_session
             where user_id = ? and expires_at > ? order by expires_at desc, token_hash limit ?",
        )
        .bind(user.to_string())
        .bind(now)
        .bind(SIGN_INS)
        .fetch_all(&self.readers)
        .await?;
        let sign_in = |(token, browser, created_at, expires_at): (Vec<u8>, Option<String>, i64, i64)| {
            // A hash of another length was not written by the server, and no cookie matches it.
            Some(SignInRow { token: token.try_into().ok()?, browser, created_at, expires_at })
        };
        Ok(rows.into_iter().filter_map(sign_in).collect())
    }

    async fn session(&self, token: SecretHash, now: i64) -> Result<Option<(User, i64)>, StoreError> {
        let row: Option<SessionRow> = sqlx::query_as(concat!(
            "select u.id, u.display_name, a.email, s.expires_at, ",
            sharing_columns!(),
            " from caravana_session s join users u on u.id = s.user_id
             left join caravana_account a on a.user_id = u.id
             left join caravana_privacy p on p.user_id = u.id
             where s.token_hash = ? and s.expires_at > ?"
        ))
        .bind(&token[..])
        .bind(now)
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| {
            let sharing = row.sharing.into_sharing();
            let user = User {
                id: id(&row.id)?,
                display_name: row.display_name.0,
                email: row.email,
                sharing,
                blocked: Vec::new(),
            };
            Ok((user, row.expires_at))
        })
        .transpose()
    }

    async fn extend_session(&self, token: SecretHash, expires_at: i64) -> Result<(), StoreError> {
        self.writer
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

    async fn delete_session(&self, token: SecretHash) -> Result<Option<UserId>, StoreError> {
        self.writer
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
}
