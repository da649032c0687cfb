//! Users and their accounts.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_protocol::rest::{Sharing, User};
use caravana_store::{Account, Accounts, NewAccount, PasswordChange, SharingPatch, StoreError};

use super::privacy::{SharingColumns, sharing_columns};
use super::rows::Name;
use super::{SqliteStore, direct, ended, ends, id, is_duplicate, privacy, proofs, resets};

#[derive(sqlx::FromRow)]
struct AccountRow {
    id: String,
    display_name: Name,
    email: String,
    password_hash: String,
    #[sqlx(flatten)]
    sharing: SharingColumns,
}

impl AccountRow {
    fn into_account(self) -> Result<Account, StoreError> {
        let sharing = self.sharing.into_sharing();
        let user = User {
            id: id(&self.id)?,
            display_name: self.display_name.0,
            email: Some(self.email),
            sharing,
            blocked: Vec::new(),
        };
        Ok(Account { user, password_hash: self.password_hash })
    }
}

#[async_trait]
impl Accounts for SqliteStore {
    async fn create_account(&self, account: NewAccount) -> Result<User, StoreError> {
        self.writer
            .run(move |tx, _| {
                Box::pin(async move {
                    let NewAccount { id, email, display_name, password_hash } = account;
                    sqlx::query("insert into users (id, display_name) values (?, ?)")
                        .bind(id.to_string())
                        .bind(&display_name)
                        .execute(&mut *tx)
                        .await?;
                    sqlx::query("insert into caravana_account (user_id, email, password_hash) values (?, ?, ?)")
                        .bind(id.to_string())
                        .bind(&email)
                        .bind(password_hash)
                        .execute(tx)
                        .await
                        .map_err(|error| if is_duplicate(&error) { StoreError::Conflict } else { error.into() })?;
                    Ok(User { id, display_name, email: Some(email), sharing: Sharing::default(), blocked: Vec::new() })
                })
            })
            .await
    }

    async fn account(&self, email: &str) -> Result<Option<Account>, StoreError> {
        let row: Option<AccountRow> = sqlx::query_as(concat!(
            "select u.id, u.display_name, a.email, a.password_hash, ",
            sharing_columns!(),
            " from caravana_account a join users u on u.id = a.user_id
             left join caravana_privacy p on p.user_id = u.id where a.email = ?"
        ))
        .bind(email)
        .fetch_optional(&self.readers)
        .await?;
        row.map(AccountRow::into_account).transpose()
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let mut connection = self.readers.acquire().await?;
        privacy::user(&mut connection, id).await
    }

    async fn has_users(&self) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar("select exists (select 1 from users)").fetch_one(&self.readers).await?)
    }

    async fn change_password(&self, change: PasswordChange) -> Result<(), StoreError> {
        self
        .writer
        .run(move |tx, _| {
            Box::pin(async move {
                let user = change.user.to_string();
                let changed = sqlx::query(
                    "update caravana_account set password_hash = ?1 where user_id = ?2 and password_hash = ?3",
                )
                .bind(change.password_hash)
                .bind(&user)
                .bind(change.known)
                .execute(&mut *tx)
                .await?;
                let renewed = sqlx::query(
                    "update caravana_session set token_hash = ?1 where token_hash = ?2 and user_id = ?3 and expires_at > ?4",
                )
                .bind(&change.renewed[..])
                .bind(&change.session[..])
                .bind(&user)
                .bind(change.now)
                .execute(&mut *tx)
                .await?;
                if changed.rows_affected() == 0 || renewed.rows_affected() == 0 {
                    return Err(StoreError::Conflict);
                }
                resets::end_all(tx, &user).await?;
                proofs::sign_out(tx, &user, Some(change.renewed), change.now).await
            })
        })
        .await
    }

    async fn rename_user(&self, user: UserId, display_name: &str) -> Result<(), StoreError> {
        let display_name = display_name.to_owned();
        self.writer
            .run(move |tx, effects| {
                Box::pin(async move {
                    let key = user.to_string();
                    ended::lives(tx, &key).await?;
                    let changed =
                        sqlx::query("update users set display_name = ?1 where id = ?2 and display_name is not ?1")
                            .bind(display_name)
                            .bind(key)
                            .execute(&mut *tx)
                            .await?;
                    if changed.rows_affected() > 0
                        && let Some(renamed) = privacy::user(tx, user).await?
                    {
                        effects.account(renamed);
                        direct::renamed(tx, effects, user).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn share(&self, user: UserId, patch: SharingPatch) -> Result<Sharing, StoreError> {
        self.writer
            .run(move |tx, effects| Box::pin(async move { privacy::share(tx, effects, user, patch).await }))
            .await
    }

    async fn delete_account(&self, user: UserId, password_hash: &str) -> Result<(), StoreError> {
        let password_hash = password_hash.to_owned();
        self.writer
            .run(move |tx, effects| {
                Box::pin(async move {
                    let user = user.to_string();
                    let ended = sqlx::query("delete from caravana_account where user_id = ? and password_hash = ?")
                        .bind(&user)
                        .bind(password_hash)
                        .execute(&mut *tx)
                        .await?;
                    if ended.rows_affected() == 0 {
                        return Err(StoreError::Conflict);
                    }
                    ends::end(tx, effects, &user).await
                })
            })
            .await
    }
}
