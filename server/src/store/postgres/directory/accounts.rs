//! Users and their accounts.

use caravana_protocol::UserId;
use caravana_protocol::rest::User;
use uuid::Uuid;

use super::super::PostgresStore;
use super::super::rows::Name;
use super::ends::lives;
use super::{is_duplicate, proofs, resets};
use crate::store::{Account, NewAccount, PasswordChange, StoreError};

pub(super) async fn create(store: &PostgresStore, account: NewAccount) -> Result<User, StoreError> {
    if !store.access.shape().makes_users() {
        return Err(StoreError::Forbidden);
    }
    let access = store.access.clone();
    store
        .access
        .write(move |link, _| {
            let (make_user, account) =
                (access.sql("insert into public.users (id{, user name}) values ($1{, $2})"), account.clone());
            Box::pin(async move {
                let NewAccount { id, email, display_name, password_hash } = account;
                sqlx::query(make_user).bind(id.uuid()).bind(&display_name).execute(&mut *link).await?;
                sqlx::query("insert into caravana.account (user_id, email, password_hash) values ($1, $2, $3)")
                    .bind(id.uuid())
                    .bind(&email)
                    .bind(password_hash)
                    .execute(link)
                    .await
                    .map_err(|error| if is_duplicate(&error) { StoreError::Conflict } else { error.into() })?;
                Ok(User { id, display_name, email: Some(email) })
            })
        })
        .await
}

pub(super) async fn find(store: &PostgresStore, email: &str) -> Result<Option<Account>, StoreError> {
    let row: Option<(Uuid, Name, String, String)> = store
        .access
        .ask(|link| {
            let statement = store.access.sql(
                "select u.id, {user name}, a.email, a.password_hash
                 from caravana.account a join public.users u on u.id = a.user_id where a.email = $1",
            );
            let email = email.to_owned();
            Box::pin(async move { Ok(sqlx::query_as(statement).bind(email).fetch_optional(link).await?) })
        })
        .await?;
    Ok(row.map(|(user, display_name, email, password_hash)| Account {
        user: User { id: UserId::new(user), display_name: display_name.0, email: Some(email) },
        password_hash,
    }))
}

pub(super) async fn user(store: &PostgresStore, id: UserId) -> Result<Option<User>, StoreError> {
    let name: Option<Name> = store
        .access
        .ask(|link| {
            let statement = store.access.sql("select {user name} from public.users u where u.id = $1");
            Box::pin(async move { Ok(sqlx::query_scalar(statement).bind(id.uuid()).fetch_optional(link).await?) })
        })
        .await?;
    Ok(name.map(|display_name| User { id, display_name: display_name.0, email: None }))
}

pub(super) async fn change_password(store: &PostgresStore, change: PasswordChange) -> Result<(), StoreError> {
    store
        .access
        .write(move |link, _| {
            let change = change.clone();
            Box::pin(async move {
                let changed = sqlx::query(
                    "update caravana.account set password_hash = $1 where user_id = $2 and password_hash = $3",
                )
                .bind(change.password_hash)
                .bind(change.user.uuid())
                .bind(change.known)
                .execute(&mut *link)
                .await?;
                let renewed = sqlx::query(
                    "update caravana.session set token_hash = $1
                     where token_hash = $2 and user_id = $3 and expires_at > $4",
                )
                .bind(&change.renewed[..])
                .bind(&change.session[..])
                .bind(change.user.uuid())
                .bind(change.now)
                .execute(&mut *link)
                .await?;
                if changed.rows_affected() == 0 || renewed.rows_affected() == 0 {
                    return Err(StoreError::Conflict);
                }
                resets::end_all(link, change.user).await?;
                proofs::sign_out(link, change.user, Some(change.renewed), change.now).await
            })
        })
        .await
}

pub(super) async fn rename(store: &PostgresStore, user: UserId, display_name: &str) -> Result<(), StoreError> {
    if !store.access.shape().keeps_names() {
        return Err(StoreError::Forbidden);
    }
    let (access, display_name) = (store.access.clone(), display_name.to_owned());
    store
        .access
        .write(move |link, effects| {
            let (statement, display_name) = (access.sql("{name user}"), display_name.clone());
            Box::pin(async move {
                lives(link, user).await?;
                effects.renamed(user, display_name.clone());
                sqlx::query(statement).bind(user.uuid()).bind(display_name).execute(link).await?;
                Ok(())
            })
        })
        .await
}
