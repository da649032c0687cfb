//! Begins conversations of two people, and blocks.

use async_trait::async_trait;
use caravana_protocol::limits::DIRECT_DAYS;
use caravana_protocol::rest::{Group, User};
use caravana_protocol::{GroupId, UserId};
use caravana_store::rules::{self, Acquaintance};
use caravana_store::{Directs, Effects, StoreError, pair};
use uuid::Uuid;

use super::access::Access;
use super::backend::Backend;
use super::ended::{hold_lives, refuse_ended};
use super::rows::unsigned;
use super::{PostgresStore, bounds, direct, groups, privacy};

/// The first half of the key of the advisory locks on pairs ("dire" in ASCII). The second half is a hash of the ids.
const PAIR_LOCK: i32 = 0x6469_7265;

#[async_trait]
impl Directs for PostgresStore {
    async fn open_direct(&self, user: UserId, other: UserId, fresh: GroupId) -> Result<(Group, bool), StoreError> {
        let access = self.access.clone();
        self.access
            .write(move |backend, effects| {
                let access = access.clone();
                Box::pin(async move { open(&access, backend, effects, (user, other), fresh).await })
            })
            .await
    }

    async fn block(&self, user: UserId, other: UserId) -> Result<(), StoreError> {
        let access = self.access.clone();
        self.access
            .write(move |backend, effects| {
                let access = access.clone();
                Box::pin(async move { block(&access, backend, effects, user, other).await })
            })
            .await
    }

    async fn unblock(&self, user: UserId, other: UserId) -> Result<(), StoreError> {
        let access = self.access.clone();
        self.access
            .write(move |backend, effects| {
                let access = access.clone();
                Box::pin(async move {
                    hold_lives(backend, &[user, other]).await?;
                    bounds::lock(backend, user.uuid()).await?;
                    hold_pair(backend, user, other).await?;
                    let taken_back = sqlx::query("delete from caravana.block where user_id = $1 and blocked_id = $2")
                        .bind(user.uuid())
                        .bind(other.uuid())
                        .execute(&mut *backend)
                        .await?;
                    if taken_back.rows_affected() == 0 {
                        return Ok(());
                    }
                    tell(&access, backend, effects, user, other).await
                })
            })
            .await
    }

    async fn blocked(&self, user: UserId) -> Result<Vec<User>, StoreError> {
        self.access
            .ask(|backend| {
                let access = self.access.clone();
                Box::pin(async move { direct::blocked(&access, backend, user).await })
            })
            .await
    }
}

/// Whatever depends on a pair and changes it waits here for others that do.
async fn hold_pair(backend: &mut Backend, one: UserId, other: UserId) -> Result<(), StoreError> {
    let (low, high) = pair(one, other);
    sqlx::query("select pg_advisory_xact_lock($1, hashtext($2::text || $3::text))")
        .bind(PAIR_LOCK)
        .bind(low.uuid())
        .bind(high.uuid())
        .execute(backend)
        .await?;
    Ok(())
}

async fn open(
    access: &Access,
    backend: &mut Backend,
    effects: &mut Effects,
    (user, other): (UserId, UserId),
    fresh: GroupId,
) -> Result<(Group, bool), StoreError> {
    hold_lives(backend, &[user, other]).await?;
    refuse_ended(backend, user).await?;
    bounds::lock(backend, user.uuid()).await?;
    hold_pair(backend, user, other).await?;
    let (low, high) = pair(user, other);
    let there: Option<Uuid> =
        sqlx::query_scalar("select group_id from caravana.direct where low_user = $1 and high_user = $2")
            .bind(low.uuid())
            .bind(high.uuid())
            .fetch_optional(&mut *backend)
            .await?;
    if let Some(group) = there.map(GroupId::new) {
        let group = groups::seen_by(access, backend, group, user).await?.ok_or(StoreError::NotFound)?;
        return Ok((group, false));
    }
    refuse_ended(backend, other).await?;
    let known = acquaintance(access, backend, user, other).await?;
    rules::may_begin_direct(known)?;
    // Where a host owns the groups or the members, no conversation can be made.
    if !access.shape().makes_groups() {
        return Err(StoreError::Forbidden);
    }
    // The name is never shown: each of the two sees that of the other.
    sqlx::query(access.sql("insert into public.groups (id{, group name}) values ($1{, $2})"))
        .bind(fresh.uuid())
        .bind("direct")
        .execute(&mut *backend)
        .await?;
    sqlx::query("insert into caravana.direct (group_id, low_user, high_user, opened_by) values ($1, $2, $3, $4)")
        .bind(fresh.uuid())
        .bind(low.uuid())
        .bind(high.uuid())
        .bind(user.uuid())
        .execute(&mut *backend)
        .await?;
    for member in [user, other] {
        sqlx::query("insert into caravana.member (group_id, user_id) values ($1, $2)")
            .bind(fresh.uuid())
            .bind(member.uuid())
            .execute(&mut *backend)
            .await?;
        effects.member(fresh, member);
    }
    let group = groups::seen_by(access, backend, fresh, user).await?.ok_or(StoreError::NotFound)?;
    Ok((group, true))
}

async fn acquaintance(
    access: &Access,
    backend: &mut Backend,
    user: UserId,
    other: UserId,
) -> Result<Acquaintance, StoreError> {
    let question = access.sql(
        "select exists (select from {members} m join {members} o on o.group_id = m.group_id
             where m.user_id = $1 and o.user_id = $2),
           exists (select from caravana.block where (user_id, blocked_id) in (($1, $2), ($2, $1))),
           (select count(*) from caravana.direct d join caravana.member m on m.group_id = d.group_id and m.user_id = $1
             where (d.low_user = $1 or d.high_user = $1) and d.opened_by = $1
               and m.joined_at > now() - make_interval(days => $3)),
           (select count(*) from caravana.direct d join caravana.member m on m.group_id = d.group_id and m.user_id = $2
             where (d.low_user = $2 or d.high_user = $2) and d.opened_by <> $2
               and m.joined_at > now() - make_interval(days => $3)
               and not exists (select from caravana.message s where s.group_id = d.group_id))",
    );
    let (share_a_group, is_blocked, begun, unwritten): (bool, bool, i64, i64) = sqlx::query_as(question)
        .bind(user.uuid())
        .bind(other.uuid())
        .bind(i32::from(DIRECT_DAYS))
        .fetch_one(backend)
        .await?;
    Ok(Acquaintance { share_a_group, is_blocked, begun: unsigned(begun), unwritten: unsigned(unwritten) })
}

async fn block(
    access: &Access,
    backend: &mut Backend,
    effects: &mut Effects,
    user: UserId,
    other: UserId,
) -> Result<(), StoreError> {
    hold_lives(backend, &[user, other]).await?;
    refuse_ended(backend, user).await?;
    // One after the other, so that each tells the user's devices of the whole list.
    bounds::lock(backend, user.uuid()).await?;
    hold_pair(backend, user, other).await?;
    let question = access.sql(
        "select exists (select from {members} m join {members} o on o.group_id = m.group_id
             where m.user_id = $1 and o.user_id = $2)
             or exists (select from
               (select group_id from public.group_chat where user_id = $2 order by id desc limit 1000) c
               join {members} m on m.group_id = c.group_id and m.user_id = $1),
           exists (select from caravana.block where user_id = $1 and blocked_id = $2),
           (select count(*) from caravana.block where user_id = $1)",
    );
    let (is_known, is_there, count): (bool, bool, i64) =
        sqlx::query_as(question).bind(user.uuid()).bind(other.uuid()).fetch_one(&mut *backend).await?;
    if is_there {
        return Ok(());
    }
    refuse_ended(backend, other).await?;
    if !is_known {
        return Err(StoreError::NotFound);
    }
    rules::one_more_block(unsigned(count))?;
    sqlx::query("insert into caravana.block (user_id, blocked_id) values ($1, $2)")
        .bind(user.uuid())
        .bind(other.uuid())
        .execute(&mut *backend)
        .await?;
    tell(access, backend, effects, user, other).await
}

/// After a block or its end: closes or opens the conversation of the two and tells both, and tells the user of the list.
async fn tell(
    access: &Access,
    backend: &mut Backend,
    effects: &mut Effects,
    user: UserId,
    other: UserId,
) -> Result<(), StoreError> {
    let (low, high) = pair(user, other);
    let changed: Option<(Uuid, bool)> = sqlx::query_as(
        "update caravana.direct set closed = not closed where low_user = $1 and high_user = $2
           and closed is distinct from exists (
             select from caravana.block where (user_id, blocked_id) in (($1, $2), ($2, $1)))
         returning group_id, closed",
    )
    .bind(low.uuid())
    .bind(high.uuid())
    .fetch_optional(&mut *backend)
    .await?;
    if let Some(user) = privacy::user(access, backend, user).await? {
        effects.account(user);
    }
    if let Some((group, is_closed)) = changed {
        effects.closed(GroupId::new(group), is_closed, [user, other]);
    }
    Ok(())
}
