//! Sign-ins by cookie, known by their hashes only.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_protocol::rest::User;
use caravana_store::{NewSession, SIGN_INS, SecretHash, Sessions, SignInRow, StoreError};
use uuid::Uuid;

use super::PostgresStore;
use super::privacy::{SharingColumns, sharing_columns};
use super::rows::Name;

#[derive(sqlx::FromRow)]
struct SessionRow {
    id: Uuid,
    display_name: Name,
    email: Option<String>,
    expires_at: i64,
    #[sqlx(flatten)]
    sharing: SharingColumns,
}

#[async_trait]
impl Sessions for PostgresStore {
    /// The insert itself checks the password hash and holds the account's row until the commit, so that the password
    /// can't change between the check and the commit.
    async fn create_session(&self, session: NewSession) -> Result<(), StoreError> {
        self.access
            .write(move |backend, _| {
                let session = session.clone();
                Box::pin(async move {
                    let made = sqlx::query(
                        "insert into caravana.session (token_hash, user_id, created_at, expires_at, browser)
                         select $1, a.user_id, $3, $4, $5 from caravana.account a
                         where a.user_id = $2 and a.password_hash = $6 for share of a",
                    )
                    .bind(&session.token[..])
                    .bind(session.user.uuid())
                    .bind(session.now)
                    .bind(session.expires_at)
                    .bind(session.browser)
                    .bind(session.password_hash)
                    .execute(&mut *backend)
                    .await?;
                    if made.rows_affected() == 0 {
                        return Err(StoreError::Conflict);
                    }
                    sqlx::query(
                        "delete from caravana.session where token_hash in (select token_hash from caravana.session
                           where user_id = $1 and token_hash <> $2 order by expires_at desc, token_hash offset $3)",
                    )
                    .bind(session.user.uuid())
                    .bind(&session.token[..])
                    .bind(i64::from(SIGN_INS - 1))
                    .execute(backend)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn sessions(&self, user: UserId, now: i64) -> Result<Vec<SignInRow>, StoreError> {
        let rows: Vec<(Vec<u8>, Option<String>, i64, i64)> = self
            .access
            .ask(|backend| {
                Box::pin(async move {
                    let question = sqlx::query_as(
                        "select token_hash, browser, created_at, expires_at from caravana.session
                         where user_id = $1 and expires_at > $2 order by expires_at desc, token_hash limit $3",
                    );
                    let question = question.bind(user.uuid()).bind(now).bind(i64::from(SIGN_INS));
                    Ok(question.fetch_all(backend).await?)
                })
            })
            .await?;
        let sign_in = |(token, browser, created_at, expires_at): (Vec<u8>, Option<String>, i64, i64)| {
            // A hash of another length was not written by the server, and no cookie matches it.
            Some(SignInRow { token: token.try_into().ok()?, browser, created_at, expires_at })
        };
        Ok(rows.into_iter().filter_map(sign_in).collect())
    }

    async fn session(&self, token: SecretHash, now: i64) -> Result<Option<(User, i64)>, StoreError> {
        let row: Option<SessionRow> = self
            .access
            .ask(|backend| {
                let statement = self.access.sql(concat!(
                    "select u.id, {user name} as display_name, a.email, s.expires_at, ",
                    sharing_columns!(),
                    " from caravana.session s join public.users u on u.id = s.user_id
                     left join caravana.account a on a.user_id = u.id
                     left join caravana.privacy p on p.user_id = u.id
                     where s.token_hash = $1 and s.expires_at > $2"
                ));
                Box::pin(async move {
                    Ok(sqlx::query_as(statement).bind(&token[..]).bind(now).fetch_optional(backend).await?)
                })
            })
            .await?;
        Ok(row.map(|row| {
            let (id, sharing) = (UserId::new(row.id), row.sharing.into_sharing());
            (
                User { id, display_name: row.display_name.0, email: row.email, sharing, blocked: Vec::new() },
                row.expires_at,
            )
        }))
    }

    async fn extend_session(&self, token: SecretHash, expires_at: i64) -> Result<(), StoreError> {
        self.access
            .ask(|backend| {
                Box::pin(async move {
                    sqlx::query(
                        "update caravana.session set expires_at = greatest(expires_at, $1) where token_hash = $2",
                    )
                    .bind(expires_at)
                    .bind(&token[..])
                    .execute(backend)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn delete_session(&self, token: SecretHash) -> Result<Option<UserId>, StoreError> {
        let user: Option<Uuid> = self
            .access
            .write(move |backend, _| {
                Box::pin(async move {
                    let statement = "delete from caravana.session where token_hash = $1 returning user_id";
                    Ok(sqlx::query_scalar(statement).bind(&token[..]).fetch_optional(backend).await?)
                })
            })
            .await?;
        Ok(user.map(UserId::new))
    }
}
