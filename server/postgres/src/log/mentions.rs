//! Whom messages mention, in PostgreSQL.

use caravana_protocol::{GroupId, MessageId, Role, Seq, UserId};
use caravana_store::{StoreError, rules};
use uuid::Uuid;

use super::super::access::Access;
use super::super::backend::Backend;
use super::super::roles;
use super::super::rows::{signed, unsigned};

/// Keeps those of `mentions` who are members, and whom the message mentions now. `everyone` was allowed before.
pub(in super::super) async fn replace(
    access: &Access,
    backend: &mut Backend,
    (group, seq, id): (GroupId, Seq, MessageId),
    mentions: &[UserId],
    everyone: bool,
) -> Result<Vec<UserId>, StoreError> {
    let named: Vec<Uuid> = mentions.iter().map(|user| user.uuid()).collect();
    let members: Vec<Uuid> = sqlx::query_scalar(access.sql(
        "select n.user_id from unnest($2::uuid[]) with ordinality as n (user_id, nr) \
         where exists (select from {members} v where v.group_id = $1 and v.user_id = n.user_id) order by n.nr",
    ))
    .bind(group.uuid())
    .bind(named)
    .fetch_all(&mut *backend)
    .await?;
    sqlx::query("delete from caravana.mention where message_id = $1").bind(id.uuid()).execute(&mut *backend).await?;
    let rows: Vec<Uuid> = members.iter().copied().chain(everyone.then(Uuid::nil)).collect();
    sqlx::query(
        "insert into caravana.mention (user_id, group_id, seq, message_id) \
         select u, $2, $3, $4 from unnest($1::uuid[]) u on conflict do nothing",
    )
    .bind(rows)
    .bind(group.uuid())
    .bind(signed(seq))
    .bind(id.uuid())
    .execute(&mut *backend)
    .await?;
    let members: Vec<UserId> = members.into_iter().map(UserId::new).collect();
    let text = if members.is_empty() { None } else { serde_json::to_string(&members).ok() };
    sqlx::query("update caravana.message set mentions = $2::jsonb, mentions_everyone = $3 where message_id = $1")
        .bind(id.uuid())
        .bind(text)
        .bind(everyone)
        .execute(backend)
        .await?;
    Ok(members)
}

/// Whether this user may mention all members of the group. A user who is no member may not.
pub(in super::super) async fn may_name_everyone(
    access: &Access,
    backend: &mut Backend,
    group: GroupId,
    user: UserId,
) -> Result<bool, StoreError> {
    let Some(role) = roles::role_of(access, backend, group, user).await? else { return Ok(false) };
    if role == Role::Member {
        let members: i64 = sqlx::query_scalar(access.sql("select count(*) from {members} v where v.group_id = $1"))
            .bind(group.uuid())
            .fetch_one(backend)
            .await?;
        return Ok(rules::may_mention_everyone(role, unsigned(members)));
    }
    Ok(true)
}
