//! Counts for the limits on what people can create. Each count runs inside the write that creates something.

use caravana_protocol::limits::{GROUPS_PER_USER, MEMBERS_PER_GROUP};
use caravana_protocol::{GroupId, Role, UserId};
use caravana_store::{StoreError, rules};
use uuid::Uuid;

use super::backend::Backend;

/// The first half of the key of the advisory locks for counting ("boun" in ASCII). The second half is a hash of the id.
const LOCK: i32 = 0x626f_756e;

/// Whether a user may be in one more group. Conversations of two do not count, because others begin them too. Other
/// transactions that ask for the same user wait until this one ends.
pub(super) async fn one_more_group(backend: &mut Backend, user: UserId) -> Result<(), StoreError> {
    lock(backend, user.uuid()).await?;
    let question = "select count(*) from (select from caravana.member m where m.user_id = $1 \
        and not exists (select from caravana.direct d where d.group_id = m.group_id) limit $2) one";
    rules::one_more_group(count(backend, question, user.uuid(), GROUPS_PER_USER).await?)
}

/// Whether a group may have one more member. The caller holds the group's row.
pub(super) async fn one_more_member(backend: &mut Backend, group: GroupId) -> Result<(), StoreError> {
    let question = "select count(*) from (select from caravana.member where group_id = $1 limit $2) one";
    rules::one_more_member(count(backend, question, group.uuid(), MEMBERS_PER_GROUP).await?)
}

/// Whether this member may make one more invite. Other transactions that ask for the same group wait until this one
/// ends.
pub(super) async fn one_more_invite(
    backend: &mut Backend,
    group: GroupId,
    (maker, role): (UserId, Role),
    now: i64,
) -> Result<(), StoreError> {
    lock(backend, group.uuid()).await?;
    let (own, all): (i64, i64) = sqlx::query_as(
        "select count(*) filter (where created_by = $2), count(*) from caravana.invite
         where group_id = $1 and expires_at > $3 and revoked_at is null
           and (max_uses is null or uses < max_uses)",
    )
    .bind(group.uuid())
    .bind(maker.uuid())
    .bind(now)
    .fetch_one(backend)
    .await?;
    rules::one_more_invite(role, own, all)
}

/// Other transactions that ask for the same user or group wait until this one ends.
pub(super) async fn lock(backend: &mut Backend, key: Uuid) -> Result<(), StoreError> {
    sqlx::query("select pg_advisory_xact_lock($1, hashtext($2::text))").bind(LOCK).bind(key).execute(backend).await?;
    Ok(())
}

async fn count(backend: &mut Backend, question: &'static str, key: Uuid, most: usize) -> Result<usize, StoreError> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let count: i64 = sqlx::query_scalar(question).bind(key).bind(most).fetch_one(backend).await?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}
