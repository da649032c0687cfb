//! Users and their accounts.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_protocol::rest::{Sharing, User};
use caravana_store::{Account, Accounts, NewAccount, PasswordChange, SharingPatch, StoreError};
use uuid::Uuid;

use super::privacy::{SharingColumns, sharing_columns};
use super::rows::Name;
use super::{PostgresStore, direct, ended, ends, is_duplicate, privacy, proofs, resets};

#[derive(sqlx::FromRow)]
struct AccountRow {
    id: Uuid,
    display_name: Name,
    email: String,
    password_hash: String,
    #[sqlx(flatten)]
    sharing: SharingColumns,
}

impl AccountRow {
    fn into_account(self) -> Account {
        let (id, sharing) = (UserId::new(self.id), self.sharing.into_sharing());
        let user =
            User { id, display_name: self.display_name.0, email: Some(self.email), sharing, blocked: Vec::new() };
        Account { user, password_hash: self.password_hash }
    }
}

#[async_trait]
impl Accounts for PostgresStore {
    async fn create_account(&self, account: NewAccount) -> Result<User, StoreError> {
        if !self.access.shape().makes_users() {
            return Err(StoreError::Forbidden);
        }
        let access = self.access.clone();
        self.access
            .write(move |backend, _| {
                let (make_user, account) =
                    (access.sql("insert into public.users (id{, user name}) values ($1{, $2})"), account.clone());
                Box::pin(async move {
                    let NewAccount { id, email, display_name, password_hash } = account;
                    sqlx::query(make_user).bind(id.uuid()).bind(&display_name).execute(&mut *backend).await?;
                    sqlx::query("insert into caravana.account (user_id, email, password_hash) values ($1, $2, $3)")
                        .bind(id.uuid())
                        .bind(&email)
                        .bind(password_hash)
                        .execute(backend)
                        .await
                        .map_err(|error| if is_duplicate(&error) { StoreError::Conflict } else { error.into() })?;
                    Ok(User { id, display_name, email: Some(email), sharing: Sharing::default(), blocked: Vec::new() })
                })
            })
            .await
    }

    async fn account(&self, email: &str) -> Result<Option<Account>, StoreError> {
        let row: Option<AccountRow> = self
            .access
            .ask(|backend| {
                let statement = self.access.sql(concat!(
                    "select u.id, {user name} as display_name, a.email, a.password_hash, ",
                    sharing_columns!(),
                    " from caravana.account a join public.users u on u.id = a.user_id
                     left join caravana.privacy p on p.user_id = u.id where a.email = $1"
                ));
                let email = email.to_owned();
                Box::pin(async move { Ok(sqlx::query_as(statement).bind(email).fetch_optional(backend).await?) })
            })
            .await?;
        Ok(row.map(AccountRow::into_account))
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.access
            .ask(|backend| {
                let access = self.access.clone();
                Box::pin(async move { privacy::user(&access, backend, id).await })
            })
            .await
    }

    async fn has_users(&self) -> Result<bool, StoreError> {
        self.access
            .ask(|backend| {
                let statement = "select exists (select 1 from public.users)";
                Box::pin(async move { Ok(sqlx::query_scalar(statement).fetch_one(backend).await?) })
            })
            .await
    }

    async fn change_password(&self, change: PasswordChange) -> Result<(), StoreError> {
        self.access
            .write(move |backend, _| {
                let change = change.clone();
                Box::pin(async move {
                    let changed = sqlx::query(
                        "update caravana.account set password_hash = $1 where user_id = $2 and password_hash = $3",
                    )
                    .bind(change.password_hash)
                    .bind(change.user.uuid())
                    .bind(change.known)
                    .execute(&mut *backend)
                    .await?;
                    let renewed = sqlx::query(
                        "update caravana.session set token_hash = $1
                         where token_hash = $2 and user_id = $3 and expires_at > $4",
                    )
                    .bind(&change.renewed[..])
                    .bind(&change.session[..])
                    .bind(change.user.uuid())
                    .bind(change.now)
                    .execute(&mut *backend)
                    .await?;
                    if changed.rows_affected() == 0 || renewed.rows_affected() == 0 {
                        return Err(StoreError::Conflict);
                    }
                    resets::end_all(backend, change.user).await?;
                    proofs::sign_out(backend, change.user, Some(change.renewed), change.now).await
                })
            })
            .await
    }

    async fn rename_user(&self, user: UserId, display_name: &str) -> Result<(), StoreError> {
        if !self.access.shape().keeps_names() {
            return Err(StoreError::Forbidden);
        }
        let (access, display_name) = (self.access.clone(), display_name.to_owned());
        self.access
            .write(move |backend, effects| {
                let (access, display_name) = (access.clone(), display_name.clone());
                Box::pin(async move {
                    ended::lives(backend, user).await?;
                    let before = privacy::user(&access, backend, user).await?;
                    let statement = access.sql("{name user}");
                    sqlx::query(statement).bind(user.uuid()).bind(display_name).execute(&mut *backend).await?;
                    let after = privacy::user(&access, backend, user).await?;
                    if let Some(renamed) = after.filter(|after| Some(after) != before.as_ref()) {
                        effects.account(renamed);
                        direct::renamed(backend, effects, user).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn share(&self, user: UserId, patch: SharingPatch) -> Result<Sharing, StoreError> {
        let access = self.access.clone();
        self.access
            .write(move |backend, effects| {
                let access = access.clone();
                Box::pin(async move { privacy::share(&access, backend, effects, user, patch).await })
            })
            .await
    }

    async fn delete_account(&self, user: UserId, password_hash: &str) -> Result<(), StoreError> {
        let (access, password_hash) = (self.access.clone(), password_hash.to_owned());
        self.access
            .write(move |backend, effects| {
                let (access, password_hash) = (access.clone(), password_hash.clone());
                Box::pin(async move {
                    ended::hold(backend, user).await?;
                    let ended = sqlx::query("delete from caravana.account where user_id = $1 and password_hash = $2")
                        .bind(user.uuid())
                        .bind(password_hash)
                        .execute(&mut *backend)
                        .await?;
                    if ended.rows_affected() == 0 {
                        return Err(StoreError::Conflict);
                    }
                    ends::end(&access, backend, effects, user).await
                })
            })
            .await
    }
}
