//! What users share with the members of their groups.

use caravana_protocol::UserId;
use caravana_protocol::rest::{Sharing, User};
use caravana_store::{Effects, SharingPatch, StoreError};

use uuid::Uuid;

use super::access::Access;
use super::backend::Backend;
use super::ended;
use super::rows::Name;

/// The columns of a [`SharingColumns`], from the outer join `p`.
macro_rules! sharing_columns {
    () => {
        "p.share_reads, p.share_typing, p.share_last_seen"
    };
}

pub(super) use sharing_columns;

/// A user's switches; all are missing where nothing was ever switched off.
#[derive(Default, sqlx::FromRow)]
#[expect(clippy::struct_field_names, reason = "the names of the columns")]
pub(super) struct SharingColumns {
    share_reads: Option<bool>,
    share_typing: Option<bool>,
    share_last_seen: Option<bool>,
}

impl SharingColumns {
    pub(super) fn into_sharing(self) -> Sharing {
        Sharing {
            share_reads: self.share_reads.unwrap_or(true),
            share_typing: self.share_typing.unwrap_or(true),
            share_last_seen: self.share_last_seen.unwrap_or(true),
        }
    }
}

#[derive(sqlx::FromRow)]
struct UserRow {
    display_name: Name,
    #[sqlx(flatten)]
    sharing: SharingColumns,
    blocked: Vec<Uuid>,
}

/// A user as the user's own sockets are told, without the e-mail.
pub(super) async fn user(access: &Access, backend: &mut Backend, id: UserId) -> Result<Option<User>, StoreError> {
    let statement = access.sql(concat!(
        "select {user name} as display_name, ",
        sharing_columns!(),
        ", array(select b.blocked_id from caravana.block b where b.user_id = u.id) as blocked from public.users u left join caravana.privacy p on p.user_id = u.id where u.id = $1"
    ));
    let row: Option<UserRow> = sqlx::query_as(statement).bind(id.uuid()).fetch_optional(backend).await?;
    Ok(row.map(|row| User {
        id,
        display_name: row.display_name.0,
        email: None,
        sharing: row.sharing.into_sharing(),
        blocked: row.blocked.into_iter().map(UserId::new).collect(),
    }))
}

/// Changes what a user shares. The user's devices are told only if something differs.
pub(super) async fn share(
    access: &Access,
    backend: &mut Backend,
    effects: &mut Effects,
    id: UserId,
    patch: SharingPatch,
) -> Result<Sharing, StoreError> {
    ended::lives(backend, id).await?;
    let before = user(access, backend, id).await?.ok_or(StoreError::NotFound)?.sharing;
    sqlx::query(
        "insert into caravana.privacy as p (user_id, share_reads, share_typing, share_last_seen)
         values ($1, coalesce($2, true), coalesce($3, true), coalesce($4, true))
         on conflict (user_id) do update set share_reads = coalesce($2, p.share_reads),
           share_typing = coalesce($3, p.share_typing), share_last_seen = coalesce($4, p.share_last_seen)",
    )
    .bind(id.uuid())
    .bind(patch.share_reads)
    .bind(patch.share_typing)
    .bind(patch.share_last_seen)
    .execute(&mut *backend)
    .await?;
    let user = user(access, backend, id).await?.ok_or(StoreError::NotFound)?;
    let sharing = user.sharing;
    if sharing != before {
        effects.account(user);
    }
    Ok(sharing)
}
