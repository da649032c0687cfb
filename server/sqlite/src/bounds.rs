//! Counts for the limits on what people can create. Each count runs inside the write that creates something.

use caravana_protocol::Role;
use caravana_protocol::limits::{GROUPS_PER_USER, MEMBERS_PER_GROUP};
use sqlx::SqliteConnection;

use caravana_store::{StoreError, rules};

/// Whether a user may be in one more group. Conversations of two do not count, because others begin them too.
pub(super) async fn one_more_group(tx: &mut SqliteConnection, user: &str) -> Result<(), StoreError> {
    let question = "select count(*) from (select 1 from caravana_member m where m.user_id = ? \
        and not exists (select 1 from caravana_direct d where d.group_id = m.group_id) limit ?)";
    rules::one_more_group(count(tx, question, user, GROUPS_PER_USER).await?)
}

/// Whether a group may have one more member.
pub(super) async fn one_more_member(tx: &mut SqliteConnection, group: &str) -> Result<(), StoreError> {
    let question = "select count(*) from (select 1 from caravana_member where group_id = ? limit ?)";
    rules::one_more_member(count(tx, question, group, MEMBERS_PER_GROUP).await?)
}

/// Whether this member may make one more invite.
pub(super) async fn one_more_invite(
    tx: &mut SqliteConnection,
    group: &str,
    (maker, role): (&str, Role),
    now: i64,
) -> Result<(), StoreError> {
    let (own, all): (i64, i64) = sqlx::query_as(
        "select coalesce(sum(created_by = ?2), 0), count(*) from caravana_invite
         where group_id = ?1 and expires_at > ?3 and revoked_at is null
           and (max_uses is null or uses < max_uses)",
    )
    .bind(group)
    .bind(maker)
    .bind(now)
    .fetch_one(tx)
    .await?;
    rules::one_more_invite(role, own, all)
}

async fn count(tx: &mut SqliteConnection, question: &'static str, key: &str, most: usize) -> Result<usize, StoreError> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let count: i64 = sqlx::query_scalar(question).bind(key).bind(most).fetch_one(tx).await?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}
