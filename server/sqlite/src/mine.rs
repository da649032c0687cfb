//! What is a member's own in a group.

use caravana_protocol::rest::{Mine, MinePatch, Notify};
use caravana_protocol::{GroupId, UserId};
use caravana_store::{Effects, StoreError};
use sqlx::SqliteConnection;

use super::roles::role_in;
use super::rows::{self, Loose};

/// The columns of a [`MineColumns`], from the outer join `p`.
macro_rules! mine_columns {
    () => {
        "p.notify, p.muted_until, p.archived, p.favourite"
    };
}

pub(super) use mine_columns;

/// A member's own settings of a group; all are missing where nothing was ever set.
#[derive(sqlx::FromRow)]
pub(super) struct MineColumns {
    notify: Option<Loose>,
    muted_until: Option<Loose>,
    archived: Option<bool>,
    favourite: Option<bool>,
}

impl MineColumns {
    pub(super) fn into_mine(self) -> Mine {
        Mine {
            notify: self.notify.as_deref().map(Notify::from_word).unwrap_or_default(),
            muted_until: self.muted_until.as_deref().map(|text| rows::time(Some(text))),
            archived: self.archived.unwrap_or(false),
            favourite: self.favourite.unwrap_or(false),
        }
    }
}

/// Changes what is a member's own. The member's devices are told only if something differs.
pub(super) async fn set(
    tx: &mut SqliteConnection,
    effects: &mut Effects,
    user_id: UserId,
    group_id: GroupId,
    patch: MinePatch,
) -> Result<(), StoreError> {
    let (group, user) = (group_id.to_string(), user_id.to_string());
    role_in(tx, &group, &user).await?;
    let set = sqlx::query(
        "insert into caravana_preference (group_id, user_id, notify, muted_until, archived, favourite)
         select ?1, ?2, coalesce(?3, 'all'), ?5, coalesce(?6, false), coalesce(?7, false)
         where exists (select 1 from caravana_preference where group_id = ?1 and user_id = ?2)
           or coalesce(?3, 'all') <> 'all' or ?5 is not null or coalesce(?6, false) or coalesce(?7, false)
         on conflict (group_id, user_id) do update set notify = coalesce(?3, notify),
           muted_until = case when ?4 then ?5 else muted_until end,
           archived = coalesce(?6, archived), favourite = coalesce(?7, favourite)
         where notify is not coalesce(?3, notify) or (?4 and muted_until is not ?5)
           or archived is not coalesce(?6, archived) or favourite is not coalesce(?7, favourite)",
    )
    .bind(group)
    .bind(user)
    .bind(patch.notify.map(Notify::as_str))
    .bind(patch.muted_until.is_some())
    .bind(patch.muted_until.flatten().map(|moment| moment.to_string()))
    .bind(patch.archived)
    .bind(patch.favourite)
    .execute(tx)
    .await?;
    if set.rows_affected() > 0 {
        effects.mine(group_id, user_id);
    }
    Ok(())
}
