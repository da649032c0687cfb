//! Links that lead into a group.

use caravana_protocol::rest::InvitedGroup;
use caravana_protocol::{GroupId, UserId};
use sqlx::SqliteConnection;

use super::super::{SqliteStore, rows};
use super::ends::lives;
use super::{bounds, id, role_in};
use crate::store::{NewInvite, SecretHash, StoreError};

pub(super) async fn create(
    store: &SqliteStore,
    actor: UserId,
    group: GroupId,
    invite: NewInvite,
) -> Result<(), StoreError> {
    store
        .writer
        .run(move |tx, _| {
            Box::pin(async move {
                let (group, actor) = (group.to_string(), actor.to_string());
                let role = role_in(tx, &group, &actor).await?;
                if !role.manages() && !members_can_invite(tx, &group).await? {
                    return Err(StoreError::Forbidden);
                }
                bounds::one_more_invite(tx, &group, (&actor, role), invite.now).await?;
                sqlx::query(
                    "insert into caravana_invite (token_hash, group_id, created_by, max_uses, expires_at)
                     values (?, ?, ?, ?, ?)",
                )
                .bind(&invite.token[..])
                .bind(group)
                .bind(actor)
                .bind(invite.max_uses)
                .bind(invite.expires_at)
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
}

async fn members_can_invite(tx: &mut SqliteConnection, group: &str) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar("select members_can_invite from caravana_group where group_id = ?")
        .bind(group)
        .fetch_one(tx)
        .await?)
}

/// Whether an invite still lets somebody in.
fn is_over(max_uses: Option<i64>, uses: i64, expires_at: i64, now: i64) -> bool {
    expires_at <= now || max_uses.is_some_and(|max| uses >= max)
}

pub(super) async fn preview(store: &SqliteStore, token: SecretHash, now: i64) -> Result<InvitedGroup, StoreError> {
    let row: Option<(String, i64, Option<i64>, i64, i64)> = sqlx::query_as(
        "select g.name, (select count(*) from caravana_member m where m.group_id = g.id),
           i.max_uses, i.uses, i.expires_at
         from caravana_invite i join groups g on g.id = i.group_id where i.token_hash = ?",
    )
    .bind(&token[..])
    .fetch_optional(&store.readers)
    .await?;
    let (name, members, max_uses, uses, expires_at) = row.ok_or(StoreError::NotFound)?;
    if is_over(max_uses, uses, expires_at, now) {
        return Err(StoreError::Gone);
    }
    Ok(InvitedGroup { name, member_count: rows::unsigned(members) })
}

pub(super) async fn accept(
    store: &SqliteStore,
    token: SecretHash,
    user: UserId,
    now: i64,
) -> Result<GroupId, StoreError> {
    store
        .writer
        .run(move |tx, effects| {
            Box::pin(async move {
                let user = user.to_string();
                lives(tx, &user).await?;
                let row: Option<(String, Option<i64>, i64, i64)> = sqlx::query_as(
                    "select group_id, max_uses, uses, expires_at from caravana_invite where token_hash = ?",
                )
                .bind(&token[..])
                .fetch_optional(&mut *tx)
                .await?;
                let (group, max_uses, joined, expires_at) = row.ok_or(StoreError::NotFound)?;
                let group_id: GroupId = id(&group)?;
                // A member who opens the link again just goes on to the group, also after the link's end.
                match role_in(tx, &group, &user).await {
                    Ok(_) => return Ok(group_id),
                    Err(StoreError::NotFound) => {}
                    Err(error) => return Err(error),
                }
                if is_over(max_uses, joined, expires_at, now) {
                    return Err(StoreError::Gone);
                }
                bounds::one_more_member(tx, &group).await?;
                bounds::one_more_group(tx, &user).await?;
                sqlx::query("update caravana_invite set uses = uses + 1 where token_hash = ?")
                    .bind(&token[..])
                    .execute(&mut *tx)
                    .await?;
                sqlx::query("insert into caravana_member (group_id, user_id, role) values (?, ?, 'member')")
                    .bind(group)
                    .bind(user)
                    .execute(tx)
                    .await?;
                effects.group(group_id);
                Ok(group_id)
            })
        })
        .await
}
