//! What users share with the members of their groups.

use caravana_protocol::UserId;
use caravana_protocol::rest::{Sharing, User};
use caravana_store::{Effects, SharingPatch, StoreError};
use sqlx::SqliteConnection;

use super::rows::Name;
use super::{direct, ended};

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
    blocked: Option<String>,
}

/// A user as the user's own sockets are told, without the e-mail.
pub(super) async fn user(connection: &mut SqliteConnection, id: UserId) -> Result<Option<User>, StoreError> {
    let row: Option<UserRow> = sqlx::query_as(concat!(
        "select u.display_name, ",
        sharing_columns!(),
        ", (select group_concat(b.blocked_id, ' ') from caravana_block b where b.user_id = u.id) as blocked from users u left join caravana_privacy p on p.user_id = u.id where u.id = ?"
    ))
    .bind(id.to_string())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| User {
        id,
        display_name: row.display_name.0,
        email: None,
        sharing: row.sharing.into_sharing(),
        blocked: row.blocked.as_deref().map(direct::ids).unwrap_or_default(),
    }))
}

/// Changes what a user shares. The user's devices are told only if something differs.
pub(super) async fn share(
    tx: &mut SqliteConnection,
    effects: &mut Effects,
    id: UserId,
    patch: SharingPatch,
) -> Result<Sharing, StoreError> {
    let key = id.to_string();
    ended::lives(tx, &key).await?;
    let before = user(tx, id).await?.ok_or(StoreError::NotFound)?.sharing;
    sqlx::query(
        "insert into caravana_privacy (user_id, share_reads, share_typing, share_last_seen)
         values (?1, coalesce(?2, true), coalesce(?3, true), coalesce(?4, true))
         on conflict (user_id) do update set share_reads = coalesce(?2, share_reads),
           share_typing = coalesce(?3, share_typing), share_last_seen = coalesce(?4, share_last_seen)",
    )
    .bind(key)
    .bind(patch.share_reads)
    .bind(patch.share_typing)
    .bind(patch.share_last_seen)
    .execute(&mut *tx)
    .await?;
    let user = user(tx, id).await?.ok_or(StoreError::NotFound)?;
    let sharing = user.sharing;
    if sharing != before {
        effects.account(user);
    }
    Ok(sharing)
}
