//! What is a member's own in a group.

use caravana_protocol::rest::{Mine, MinePatch, Notify};
use caravana_protocol::{GroupId, Timestamp, UserId};
use caravana_store::{Effects, StoreError};

use super::access::Access;
use super::backend::Backend;
use super::ended::lives;
use super::roles::role_held;
use super::rows::{Loose, bound};

/// The columns of a [`MineColumns`], from the outer join `p`. The caller has the macro `micros` in scope.
macro_rules! mine_columns {
    () => {
        concat!("p.notify, ", micros!("p.muted_until"), " as muted_until, p.archived, p.favourite")
    };
}

pub(super) use mine_columns;

/// A member's own settings of a group; all are missing where nothing was ever set.
#[derive(sqlx::FromRow)]
pub(super) struct MineColumns {
    notify: Option<Loose>,
    muted_until: Option<i64>,
    archived: Option<bool>,
    favourite: Option<bool>,
}

impl MineColumns {
    pub(super) fn into_mine(self) -> Mine {
        Mine {
            notify: self.notify.map(|word| Notify::from_word(&word.0)).unwrap_or_default(),
            muted_until: self.muted_until.map(Timestamp::from_unix_micros),
            archived: self.archived.unwrap_or(false),
            favourite: self.favourite.unwrap_or(false),
        }
    }
}

/// Changes what is a member's own. The member's devices are told only if something differs.
pub(super) async fn set(
    access: &Access,
    backend: &mut Backend,
    effects: &mut Effects,
    (user, group): (UserId, GroupId),
    patch: MinePatch,
) -> Result<(), StoreError> {
    // A host's view of members can't be locked, and may still name a user whose account has ended.
    lives(backend, user).await?;
    role_held(access, backend, group, user).await?;
    let set = sqlx::query(
        "insert into caravana.preference as p (group_id, user_id, notify, muted_until, archived, favourite)
         select $1, $2, coalesce($3, 'all'), $5, coalesce($6, false), coalesce($7, false)
         where exists (select 1 from caravana.preference where group_id = $1 and user_id = $2)
           or coalesce($3, 'all') <> 'all' or $5 is not null or coalesce($6, false) or coalesce($7, false)
         on conflict (group_id, user_id) do update set notify = coalesce($3, p.notify),
           muted_until = case when $4 then $5 else p.muted_until end,
           archived = coalesce($6, p.archived), favourite = coalesce($7, p.favourite)
         where p.notify is distinct from coalesce($3, p.notify) or ($4 and p.muted_until is distinct from $5)
           or p.archived is distinct from coalesce($6, p.archived)
           or p.favourite is distinct from coalesce($7, p.favourite)",
    )
    .bind(group.uuid())
    .bind(user.uuid())
    .bind(patch.notify.map(Notify::as_str))
    .bind(patch.muted_until.is_some())
    .bind(patch.muted_until.flatten().map(bound))
    .bind(patch.archived)
    .bind(patch.favourite)
    .execute(backend)
    .await?;
    if set.rows_affected() > 0 {
        effects.mine(group, user);
    }
    Ok(())
}
