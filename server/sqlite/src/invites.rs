//! Invite links into a group.
//!
//! The macro `lives!` is the one condition for a valid invite. The preview, the list and the join use it.

use async_trait::async_trait;
use caravana_protocol::rest::InvitedGroup;
use caravana_protocol::{GroupId, InviteId, UserId};
use caravana_store::{InviteRow, Invites, NewInvite, SecretHash, StoreError, rules};
use sqlx::SqliteConnection;

use super::roles::{role_in, role_of};
use super::rows::Name;
use super::{SqliteStore, bounds, direct, ended, id, rows};

/// Whether the invite `i` is valid at `?2`. An invite depends on its maker's right to invite: if the maker is no longer
/// a member, or may not invite now, the invite is not valid.
macro_rules! lives {
    () => {
        "(i.revoked_at is null and i.expires_at > ?2 and (i.max_uses is null or i.uses < i.max_uses) \
          and exists (select 1 from caravana_member k join caravana_group x on x.group_id = k.group_id \
            where k.group_id = i.group_id and k.user_id = i.created_by \
              and (k.role in ('owner', 'admin') or x.members_can_invite)))"
    };
}

#[async_trait]
impl Invites for SqliteStore {
    async fn create_invite(&self, actor: UserId, group: GroupId, invite: NewInvite) -> Result<(), StoreError> {
        self.writer
            .run(move |tx, _| {
                Box::pin(async move {
                    let (group, actor) = (group.to_string(), actor.to_string());
                    let role = role_in(tx, &group, &actor).await?;
                    rules::no_direct(direct::is_one(tx, &group).await?)?;
                    rules::may_invite(role, members_can_invite(tx, &group).await?)?;
                    bounds::one_more_invite(tx, &group, (&actor, role), invite.created_at).await?;
                    sqlx::query(
                        "insert into caravana_invite
                           (token_hash, group_id, created_by, max_uses, expires_at, created_at, by_manager, at_head)
                         select ?1, h.group_id, ?3, ?4, ?5, ?6, ?7, h.head from caravana_head h where h.group_id = ?2",
                    )
                    .bind(&invite.token[..])
                    .bind(group)
                    .bind(actor)
                    .bind(invite.max_uses)
                    .bind(invite.expires_at)
                    .bind(invite.created_at)
                    .bind(role.manages())
                    .execute(tx)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn invites(&self, group: GroupId, viewer: UserId, now: i64) -> Result<Option<Vec<InviteRow>>, StoreError> {
        let mut reader = self.readers.begin().await?;
        let role = role_of(&mut reader, &group.to_string(), &viewer.to_string()).await?;
        let Some(role) = role else { return Ok(None) };
        let found: Vec<Listed> = sqlx::query_as(concat!(
            "select i.token_hash, i.created_by, i.created_at, i.expires_at, i.uses, i.max_uses from caravana_invite i
             where i.group_id = ?1 and (?3 or i.created_by = ?4) and ",
            lives!(),
            " order by i.created_at desc, i.token_hash"
        ))
        .bind(group.to_string())
        .bind(now)
        .bind(role.manages())
        .bind(viewer.to_string())
        .fetch_all(&mut *reader)
        .await?;
        let row = |(token, created_by, created_at, expires_at, uses, max_uses): Listed| {
            let id = InviteRow::id_of(&token);
            Ok(InviteRow { id, created_by: super::id(&created_by)?, created_at, expires_at, uses, max_uses })
        };
        found.into_iter().map(row).collect::<Result<_, StoreError>>().map(Some)
    }

    async fn revoke_invite(
        &self,
        actor: UserId,
        group: GroupId,
        invite: InviteId,
        now: i64,
    ) -> Result<bool, StoreError> {
        self.writer
            .run(move |tx, _| {
                Box::pin(async move {
                    let (group, actor) = (group.to_string(), actor.to_string());
                    let role = role_in(tx, &group, &actor).await?;
                    let found: Option<(Vec<u8>, bool, bool)> = sqlx::query_as(
                        "select token_hash, revoked_at is not null, created_by = ?3 from caravana_invite
                         where group_id = ?1 and substr(token_hash, 1, 16) = ?2",
                    )
                    .bind(group)
                    .bind(&invite.uuid().as_bytes()[..])
                    .bind(actor)
                    .fetch_optional(&mut *tx)
                    .await?;
                    let (token, is_revoked, is_own) = found.ok_or(StoreError::NotFound)?;
                    rules::may_revoke(role, is_own)?;
                    if !is_revoked {
                        sqlx::query("update caravana_invite set revoked_at = ?1 where token_hash = ?2")
                            .bind(now)
                            .bind(token)
                            .execute(&mut *tx)
                            .await?;
                    }
                    Ok(!is_revoked)
                })
            })
            .await
    }

    async fn invite(&self, token: SecretHash, now: i64) -> Result<InvitedGroup, StoreError> {
        let row: Option<(Name, i64, Option<Name>, bool)> = sqlx::query_as(concat!(
            "select g.name, (select count(*) from caravana_member m where m.group_id = g.id), u.display_name, ",
            lives!(),
            " from caravana_invite i join groups g on g.id = i.group_id left join users u on u.id = i.created_by
             where i.token_hash = ?1"
        ))
        .bind(&token[..])
        .bind(now)
        .fetch_optional(&self.readers)
        .await?;
        let (name, members, invited_by, lives) = row.ok_or(StoreError::NotFound)?;
        if !lives {
            return Err(StoreError::Gone);
        }
        let invited_by = invited_by.map(|name| name.0);
        Ok(InvitedGroup { name: name.0, member_count: rows::unsigned(members), invited_by })
    }

    async fn invites_into(&self, token: SecretHash) -> Result<Option<GroupId>, StoreError> {
        let group: Option<String> = sqlx::query_scalar("select group_id from caravana_invite where token_hash = ?")
            .bind(&token[..])
            .fetch_optional(&self.readers)
            .await?;
        group.map(|group| id(&group)).transpose()
    }

    async fn accept_invite(&self, token: SecretHash, user: UserId, now: i64) -> Result<GroupId, StoreError> {
        self.writer
            .run(move |tx, effects| {
                Box::pin(async move {
                    let (user_id, user) = (user, user.to_string());
                    ended::lives(tx, &user).await?;
                    let row: Option<(String, bool, bool)> = sqlx::query_as(concat!(
                    "select i.group_id, ",
                    lives!(),
                    ", not exists (select 1 from caravana_removed r where r.group_id = i.group_id and r.user_id = ?3
                             and not (i.by_manager and i.at_head >= r.head))
                         from caravana_invite i where i.token_hash = ?1"
                ))
                    .bind(&token[..])
                    .bind(now)
                    .bind(&user)
                    .fetch_optional(&mut *tx)
                    .await?;
                    let (group, lives, takes_back) = row.ok_or(StoreError::NotFound)?;
                    let group_id: GroupId = id(&group)?;
                    // A member who opens the invite again is sent to the group, even if the invite has ended.
                    if role_of(tx, &group, &user).await?.is_some() {
                        return Ok(group_id);
                    }
                    if !lives || !takes_back {
                        return Err(StoreError::Gone);
                    }
                    bounds::one_more_member(tx, &group).await?;
                    bounds::one_more_group(tx, &user).await?;
                    sqlx::query("update caravana_invite set uses = uses + 1 where token_hash = ?")
                        .bind(&token[..])
                        .execute(&mut *tx)
                        .await?;
                    for statement in [
                        "delete from caravana_removed where group_id = ? and user_id = ?",
                        "insert into caravana_member (group_id, user_id, role) values (?, ?, 'member')",
                    ] {
                        sqlx::query(statement).bind(&group).bind(&user).execute(&mut *tx).await?;
                    }
                    effects.member(group_id, user_id);
                    Ok(group_id)
                })
            })
            .await
    }
}

async fn members_can_invite(tx: &mut SqliteConnection, group: &str) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar("select members_can_invite from caravana_group where group_id = ?")
        .bind(group)
        .fetch_one(tx)
        .await?)
}

type Listed = (Vec<u8>, String, Option<i64>, i64, u32, Option<u32>);

/// Revokes the invites of a member whose membership ends, inside that transaction.
pub(super) async fn end_of(tx: &mut SqliteConnection, group: &str, maker: &str) -> Result<(), StoreError> {
    sqlx::query(
        "update caravana_invite set revoked_at = unixepoch()
         where group_id = ? and created_by = ? and revoked_at is null",
    )
    .bind(group)
    .bind(maker)
    .execute(tx)
    .await?;
    Ok(())
}
