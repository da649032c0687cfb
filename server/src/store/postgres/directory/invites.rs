//! Links that lead into a group.

use caravana_protocol::rest::InvitedGroup;
use caravana_protocol::{GroupId, UserId};
use uuid::Uuid;

use super::super::PostgresStore;
use super::super::rows::{Loose, unsigned};
use super::ends::lives;
use super::{bounds, members};
use crate::store::{NewInvite, SecretHash, StoreError};

pub(super) async fn create(
    store: &PostgresStore,
    actor: UserId,
    group: GroupId,
    invite: NewInvite,
) -> Result<(), StoreError> {
    let access = store.access.clone();
    store
        .access
        .write(move |link, _| {
            let (access, invite) = (access.clone(), invite.clone());
            Box::pin(async move {
                let role = members::role_held(&access, link, group, actor).await?;
                if !access.shape().members().is_ours() {
                    return Err(StoreError::Forbidden);
                }
                let members_can_invite: Option<bool> =
                    sqlx::query_scalar("select members_can_invite from caravana.\"group\" where group_id = $1")
                        .bind(group.uuid())
                        .fetch_optional(&mut *link)
                        .await?;
                if !role.manages() && !members_can_invite.unwrap_or(true) {
                    return Err(StoreError::Forbidden);
                }
                bounds::one_more_invite(link, group, (actor, role), invite.now).await?;
                sqlx::query(
                    "insert into caravana.invite (token_hash, group_id, created_by, max_uses, expires_at)
                     values ($1, $2, $3, $4, $5)",
                )
                .bind(&invite.token[..])
                .bind(group.uuid())
                .bind(actor.uuid())
                .bind(invite.max_uses.map(i64::from))
                .bind(invite.expires_at)
                .execute(link)
                .await?;
                Ok(())
            })
        })
        .await
}

/// Whether an invite still lets somebody in.
fn is_over(max_uses: Option<i64>, uses: i64, expires_at: i64, now: i64) -> bool {
    expires_at <= now || max_uses.is_some_and(|max| uses >= max)
}

pub(super) async fn preview(store: &PostgresStore, token: SecretHash, now: i64) -> Result<InvitedGroup, StoreError> {
    let row: Option<(Loose, i64, Option<i64>, i64, i64)> = store
        .access
        .ask(|link| {
            let statement = store.access.sql(
                "select {group name}, (select count(*) from {members} m where m.group_id = g.id),
                   i.max_uses, i.uses, i.expires_at
                 from caravana.invite i join public.groups g on g.id = i.group_id where i.token_hash = $1",
            );
            Box::pin(async move { Ok(sqlx::query_as(statement).bind(&token[..]).fetch_optional(link).await?) })
        })
        .await?;
    let (name, members, max_uses, uses, expires_at) = row.ok_or(StoreError::NotFound)?;
    if is_over(max_uses, uses, expires_at, now) {
        return Err(StoreError::Gone);
    }
    Ok(InvitedGroup { name: name.0, member_count: unsigned(members) })
}

pub(super) async fn accept(
    store: &PostgresStore,
    token: SecretHash,
    user: UserId,
    now: i64,
) -> Result<GroupId, StoreError> {
    let access = store.access.clone();
    store
        .access
        .write(move |link, effects| {
            let access = access.clone();
            Box::pin(async move {
                lives(link, user).await?;
                let group: Option<Uuid> =
                    sqlx::query_scalar("select group_id from caravana.invite where token_hash = $1")
                        .bind(&token[..])
                        .fetch_optional(&mut *link)
                        .await?;
                let group = GroupId::new(group.ok_or(StoreError::NotFound)?);
                // First the group, as everybody does who changes its members; its end takes the invites, too.
                members::hold_group(link, group).await?;
                let row: Option<(Option<i64>, i64, i64)> = sqlx::query_as(
                    "select max_uses, uses, expires_at from caravana.invite where token_hash = $1 for update",
                )
                .bind(&token[..])
                .fetch_optional(&mut *link)
                .await?;
                let (max_uses, joined, expires_at) = row.ok_or(StoreError::NotFound)?;
                // A member who opens the link again just goes on to the group, also after the link's end.
                if members::role_of(&access, link, group, user).await?.is_some() {
                    return Ok(group);
                }
                if is_over(max_uses, joined, expires_at, now) {
                    return Err(StoreError::Gone);
                }
                if !access.shape().members().is_ours() {
                    return Err(StoreError::Forbidden);
                }
                bounds::one_more_member(link, group).await?;
                bounds::one_more_group(link, user).await?;
                sqlx::query("update caravana.invite set uses = uses + 1 where token_hash = $1")
                    .bind(&token[..])
                    .execute(&mut *link)
                    .await?;
                sqlx::query("insert into caravana.member (group_id, user_id, role) values ($1, $2, 'member')")
                    .bind(group.uuid())
                    .bind(user.uuid())
                    .execute(link)
                    .await?;
                effects.group(group);
                Ok(group)
            })
        })
        .await
}
