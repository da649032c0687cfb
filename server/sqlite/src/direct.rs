//! What a group is to a member if it is a conversation of two, and whom a user has blocked: read by what depends on it.

use caravana_protocol::UserId;
use caravana_protocol::limits::DIRECT_PER_USER;
use caravana_protocol::rest::{GroupKind, Sharing, User};
use caravana_store::{Effects, NAMELESS, StoreError, rules};
use sqlx::SqliteConnection;

use super::rows;
use super::rows::{Loose, Name};

/// The columns of a [`DirectColumns`], from the joins of [`direct_joins`].
macro_rules! direct_columns {
    () => {
        "case when d.group_id is null then g.name else coalesce(du.display_name, '') end as name, \
         case when d.low_user = me.user_id then d.high_user else d.low_user end as peer_id, \
         coalesce(d.closed, false) as closed"
    };
}

/// For a group `g` that the member `me` sees: the other person of a direct conversation.
macro_rules! direct_joins {
    () => {
        "left join caravana_direct d on d.group_id = g.id \
         left join users du on du.id = case when d.low_user = me.user_id then d.high_user else d.low_user end"
    };
}

pub(super) use {direct_columns, direct_joins};

/// What a group is to a member, and what it is called.
#[derive(sqlx::FromRow)]
pub(super) struct DirectColumns {
    pub(super) name: Name,
    pub(super) peer_id: Option<Loose>,
    pub(super) closed: bool,
}

impl DirectColumns {
    pub(super) fn kind(&self) -> GroupKind {
        if self.peer_id.is_some() { GroupKind::Direct } else { GroupKind::Group }
    }
}

/// Whom a user has blocked, the last one first.
pub(super) async fn blocked(connection: &mut SqliteConnection, user: UserId) -> Result<Vec<User>, StoreError> {
    let found: Vec<(Loose, Name)> = sqlx::query_as(
        "select b.blocked_id, coalesce(u.display_name, ?2) from caravana_block b left join users u on u.id = b.blocked_id
         where b.user_id = ?1 order by b.at desc, b.blocked_id",
    )
    .bind(user.to_string())
    .bind(NAMELESS)
    .fetch_all(connection)
    .await?;
    let person = |(id, name): (Loose, Name)| {
        Some(User {
            id: rows::user(Some(&*id))?,
            display_name: name.0,
            email: None,
            sharing: Sharing::default(),
            blocked: Vec::new(),
        })
    };
    Ok(found.into_iter().filter_map(person).collect())
}

/// Reads ids with spaces between them.
pub(super) fn ids(text: &str) -> Vec<UserId> {
    text.split(' ').filter_map(|id| id.parse().ok()).collect()
}

/// Whether a group is a direct conversation.
pub(super) async fn is_one(tx: &mut SqliteConnection, group: &str) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar("select exists (select 1 from caravana_direct where group_id = ?)")
        .bind(group)
        .fetch_one(tx)
        .await?)
}

/// Refuses a closed conversation. No block comes between this and the write that depends on it, because there is one
/// writer and both are in one transaction of it.
pub(super) async fn open_only(tx: &mut SqliteConnection, group: &str) -> Result<(), StoreError> {
    let is_closed = sqlx::query_scalar("select exists (select 1 from caravana_direct where group_id = ? and closed)")
        .bind(group)
        .fetch_one(tx)
        .await?;
    rules::open_only(is_closed)
}

/// A user has another name: so have their conversations, for the other person of each. So many of them are told; the
/// others see it when they next load their groups.
pub(super) async fn renamed(tx: &mut SqliteConnection, effects: &mut Effects, user: UserId) -> Result<(), StoreError> {
    let begun: Vec<(String, Loose)> = sqlx::query_as(
        "select group_id, case when low_user = ?1 then high_user else low_user end from caravana_direct
         where low_user = ?1 or high_user = ?1 order by group_id desc limit ?2",
    )
    .bind(user.to_string())
    .bind(rows::signed(DIRECT_PER_USER as u64))
    .fetch_all(tx)
    .await?;
    for (group, peer) in begun {
        if let (Ok(group), Some(peer)) = (group.parse(), rows::user(Some(&*peer))) {
            effects.mine(group, peer);
        }
    }
    Ok(())
}

/// A user's account ends: nothing can be written to them, and nobody has blocked them or is blocked by them.
pub(super) async fn end_of(tx: &mut SqliteConnection, user: &str) -> Result<(), StoreError> {
    for statement in [
        "update caravana_direct set closed = true where low_user = ?1 or high_user = ?1",
        "delete from caravana_block where user_id = ?1 or blocked_id = ?1",
    ] {
        sqlx::query(statement).bind(user).execute(&mut *tx).await?;
    }
    Ok(())
}
