//! Begins conversations of two people, and blocks.

use async_trait::async_trait;
use caravana_protocol::limits::DIRECT_DAYS;
use caravana_protocol::rest::{Group, User};
use caravana_protocol::{GroupId, UserId};
use caravana_store::rules::{self, Acquaintance};
use caravana_store::{Directs, Effects, StoreError, pair};
use sqlx::SqliteConnection;

use super::ended::lives;
use super::{SqliteStore, direct, groups, privacy, rows};

#[async_trait]
impl Directs for SqliteStore {
    async fn open_direct(&self, user: UserId, other: UserId, fresh: GroupId) -> Result<(Group, bool), StoreError> {
        self.writer.run(move |tx, effects| Box::pin(async move { open(tx, effects, (user, other), fresh).await })).await
    }

    async fn block(&self, user: UserId, other: UserId) -> Result<(), StoreError> {
        self.writer.run(move |tx, effects| Box::pin(async move { block(tx, effects, user, other).await })).await
    }

    async fn unblock(&self, user: UserId, other: UserId) -> Result<(), StoreError> {
        self.writer
            .run(move |tx, effects| {
                Box::pin(async move {
                    let taken_back = sqlx::query("delete from caravana_block where user_id = ? and blocked_id = ?")
                        .bind(user.to_string())
                        .bind(other.to_string())
                        .execute(&mut *tx)
                        .await?;
                    if taken_back.rows_affected() == 0 {
                        return Ok(());
                    }
                    tell(tx, effects, user, other).await
                })
            })
            .await
    }

    async fn blocked(&self, user: UserId) -> Result<Vec<User>, StoreError> {
        let mut connection = self.readers.acquire().await?;
        direct::blocked(&mut connection, user).await
    }
}

async fn open(
    tx: &mut SqliteConnection,
    effects: &mut Effects,
    (user, other): (UserId, UserId),
    fresh: GroupId,
) -> Result<(Group, bool), StoreError> {
    let (key, other_key) = (user.to_string(), other.to_string());
    lives(tx, &key).await?;
    if let Some(group) = of_pair(tx, user, other).await? {
        return Ok((groups::written(tx, &group, &key).await?, false));
    }
    lives(tx, &other_key).await?;
    let (share_a_group, is_blocked, begun, unwritten): (bool, bool, i64, i64) = sqlx::query_as(
        "select exists (select 1 from caravana_member m join caravana_member o on o.group_id = m.group_id
             where m.user_id = ?1 and o.user_id = ?2),
           exists (select 1 from caravana_block where user_id = ?1 and blocked_id = ?2
             union all select 1 from caravana_block where user_id = ?2 and blocked_id = ?1),
           (select count(*) from caravana_direct d join caravana_member m on m.group_id = d.group_id and m.user_id = ?1
             where (d.low_user = ?1 or d.high_user = ?1) and d.opened_by = ?1
               and m.joined_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?3)),
           (select count(*) from caravana_direct d join caravana_member m on m.group_id = d.group_id and m.user_id = ?2
             where (d.low_user = ?2 or d.high_user = ?2) and d.opened_by <> ?2
               and m.joined_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?3)
               and not exists (select 1 from caravana_message s where s.group_id = d.group_id))",
    )
    .bind(&key)
    .bind(&other_key)
    .bind(format!("-{DIRECT_DAYS} days"))
    .fetch_one(&mut *tx)
    .await?;
    let (begun, unwritten) = (rows::unsigned(begun), rows::unsigned(unwritten));
    rules::may_begin_direct(Acquaintance { share_a_group, is_blocked, begun, unwritten })?;
    let group = fresh.to_string();
    // The name is never shown: each of the two sees that of the other.
    sqlx::query("insert into groups (id, name) values (?, 'direct')").bind(&group).execute(&mut *tx).await?;
    let (low, high) = pair(user, other);
    sqlx::query("insert into caravana_direct (group_id, low_user, high_user, opened_by) values (?, ?, ?, ?)")
        .bind(&group)
        .bind(low.to_string())
        .bind(high.to_string())
        .bind(&key)
        .execute(&mut *tx)
        .await?;
    for member in [user, other] {
        sqlx::query("insert into caravana_member (group_id, user_id) values (?, ?)")
            .bind(&group)
            .bind(member.to_string())
            .execute(&mut *tx)
            .await?;
        effects.member(fresh, member);
    }
    Ok((groups::written(tx, &group, &key).await?, true))
}

async fn block(
    tx: &mut SqliteConnection,
    effects: &mut Effects,
    user: UserId,
    other: UserId,
) -> Result<(), StoreError> {
    let key = user.to_string();
    lives(tx, &key).await?;
    let (is_known, is_there, count): (bool, bool, i64) = sqlx::query_as(
        "select exists (select 1 from caravana_member m join caravana_member o on o.group_id = m.group_id
             where m.user_id = ?1 and o.user_id = ?2
             union all select 1 from (select group_id from group_chat where user_id = ?2 order by id desc limit 1000) c
             join caravana_member m on m.group_id = c.group_id and m.user_id = ?1),
           exists (select 1 from caravana_block where user_id = ?1 and blocked_id = ?2),
           (select count(*) from caravana_block where user_id = ?1)",
    )
    .bind(&key)
    .bind(other.to_string())
    .fetch_one(&mut *tx)
    .await?;
    if is_there {
        return Ok(());
    }
    lives(tx, &other.to_string()).await?;
    if !is_known {
        return Err(StoreError::NotFound);
    }
    rules::one_more_block(rows::unsigned(count))?;
    sqlx::query("insert into caravana_block (user_id, blocked_id) values (?, ?)")
        .bind(key)
        .bind(other.to_string())
        .execute(&mut *tx)
        .await?;
    tell(tx, effects, user, other).await
}

/// After a block or its end: closes or opens the conversation of the two and tells both, and tells the user of the list.
async fn tell(tx: &mut SqliteConnection, effects: &mut Effects, user: UserId, other: UserId) -> Result<(), StoreError> {
    let (low, high) = pair(user, other);
    let changed: Option<(String, bool)> = sqlx::query_as(
        "update caravana_direct set closed = not closed where low_user = ?1 and high_user = ?2
           and closed is not exists (select 1 from caravana_block where user_id = ?1 and blocked_id = ?2
             union all select 1 from caravana_block where user_id = ?2 and blocked_id = ?1)
         returning group_id, closed",
    )
    .bind(low.to_string())
    .bind(high.to_string())
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(user) = privacy::user(tx, user).await? {
        effects.account(user);
    }
    if let Some((group, is_closed)) = changed
        && let Ok(group) = group.parse()
    {
        effects.closed(group, is_closed, [user, other]);
    }
    Ok(())
}

async fn of_pair(tx: &mut SqliteConnection, one: UserId, other: UserId) -> Result<Option<String>, StoreError> {
    let (low, high) = pair(one, other);
    Ok(sqlx::query_scalar("select group_id from caravana_direct where low_user = ? and high_user = ?")
        .bind(low.to_string())
        .bind(high.to_string())
        .fetch_optional(tx)
        .await?)
}
