//! Invite links into a group.
//!
//! The macro `lives!` is the one condition for a valid invite. The preview, the list and the join use it.

use async_trait::async_trait;
use caravana_protocol::rest::InvitedGroup;
use caravana_protocol::{GroupId, InviteId, UserId};
use caravana_store::{InviteRow, Invites, NewInvite, SecretHash, StoreError, rules};
use uuid::Uuid;

use super::backend::Backend;
use super::rows::{Name, unsigned};
use super::{PostgresStore, bounds, direct, ended, roles};

/// Whether the invite `i` is valid at `$2`. An invite depends on its maker's right to invite: if the maker is no longer
/// a member, or may not invite now, the invite is not valid.
macro_rules! lives {
    () => {
        "(i.revoked_at is null and i.expires_at > $2 and (i.max_uses is null or i.uses < i.max_uses) \
          and exists (select from caravana.member k left join caravana.\"group\" x on x.group_id = k.group_id \
            where k.group_id = i.group_id and k.user_id = i.created_by \
              and (k.role in ('owner', 'admin') or coalesce(x.members_can_invite, true))))"
    };
}

#[async_trait]
impl Invites for PostgresStore {
    async fn create_invite(&self, actor: UserId, group: GroupId, invite: NewInvite) -> Result<(), StoreError> {
        let access = self.access.clone();
        self.access
            .write(move |backend, _| {
                let (access, invite) = (access.clone(), invite.clone());
                Box::pin(async move {
                    // The member's row is held, so that a removal at the same time waits, finds the invite, and revokes
                    // it.
                    let role = roles::role_held(&access, backend, group, actor).await?;
                    if !access.shape().members().is_ours() {
                        return Err(StoreError::Forbidden);
                    }
                    rules::no_direct(direct::is_one(backend, group).await?)?;
                    let members_can_invite: Option<bool> =
                        sqlx::query_scalar("select members_can_invite from caravana.\"group\" where group_id = $1")
                            .bind(group.uuid())
                            .fetch_optional(&mut *backend)
                            .await?;
                    rules::may_invite(role, members_can_invite.unwrap_or(true))?;
                    bounds::one_more_invite(backend, group, (actor, role), invite.created_at).await?;
                    sqlx::query(
                        "insert into caravana.invite
                           (token_hash, group_id, created_by, max_uses, expires_at, created_at, by_manager, at_head)
                         select $1, h.group_id, $3, $4, $5, $6, $7, h.head from caravana.head h where h.group_id = $2",
                    )
                    .bind(&invite.token[..])
                    .bind(group.uuid())
                    .bind(actor.uuid())
                    .bind(invite.max_uses.map(i64::from))
                    .bind(invite.expires_at)
                    .bind(invite.created_at)
                    .bind(role.manages())
                    .execute(backend)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn invites(&self, group: GroupId, viewer: UserId, now: i64) -> Result<Option<Vec<InviteRow>>, StoreError> {
        let found: Option<Vec<Listed>> = self
            .access
            .ask_in_snapshot(|backend| {
                let access = self.access.clone();
                Box::pin(async move {
                    let Some(role) = roles::role_of(&access, backend, group, viewer).await? else { return Ok(None) };
                    if !access.shape().members().is_ours() {
                        return Ok(Some(Vec::new()));
                    }
                    let found = sqlx::query_as(concat!(
                        "select i.token_hash, i.created_by, i.created_at, i.expires_at, i.uses, i.max_uses
                         from caravana.invite i where i.group_id = $1 and ($3 or i.created_by = $4) and ",
                        lives!(),
                        " order by i.created_at desc nulls last, i.token_hash"
                    ));
                    let found = found.bind(group.uuid()).bind(now).bind(role.manages()).bind(viewer.uuid());
                    Ok(Some(found.fetch_all(backend).await?))
                })
            })
            .await?;
        let row = |(token, created_by, created_at, expires_at, uses, max_uses): Listed| InviteRow {
            id: InviteRow::id_of(&token),
            created_by: UserId::new(created_by),
            created_at,
            expires_at,
            uses: u32::try_from(uses).unwrap_or(u32::MAX),
            max_uses: max_uses.map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
        };
        Ok(found.map(|found| found.into_iter().map(row).collect()))
    }

    async fn revoke_invite(
        &self,
        actor: UserId,
        group: GroupId,
        invite: InviteId,
        now: i64,
    ) -> Result<bool, StoreError> {
        let access = self.access.clone();
        self.access
            .write(move |backend, _| {
                let access = access.clone();
                Box::pin(async move {
                    // A join by this invite at the same time either finishes before, or is refused.
                    roles::hold_group(backend, group).await?;
                    let role = roles::role_of(&access, backend, group, actor).await?.ok_or(StoreError::NotFound)?;
                    if !access.shape().members().is_ours() {
                        return Err(StoreError::Forbidden);
                    }
                    let found: Option<(Vec<u8>, bool, bool)> = sqlx::query_as(
                        "select token_hash, revoked_at is not null, created_by = $3 from caravana.invite
                         where group_id = $1 and substr(token_hash, 1, 16) = $2",
                    )
                    .bind(group.uuid())
                    .bind(&invite.uuid().as_bytes()[..])
                    .bind(actor.uuid())
                    .fetch_optional(&mut *backend)
                    .await?;
                    let (token, is_revoked, is_own) = found.ok_or(StoreError::NotFound)?;
                    rules::may_revoke(role, is_own)?;
                    if !is_revoked {
                        sqlx::query("update caravana.invite set revoked_at = $1 where token_hash = $2")
                            .bind(now)
                            .bind(token)
                            .execute(&mut *backend)
                            .await?;
                    }
                    Ok(!is_revoked)
                })
            })
            .await
    }

    async fn invite(&self, token: SecretHash, now: i64) -> Result<InvitedGroup, StoreError> {
        let row: Option<(Name, i64, Option<Name>, bool)> = self
            .access
            .ask(|backend| {
                let statement = self.access.sql(concat!(
                    "select {group name}, (select count(*) from {members} m where m.group_id = g.id),
                       (select {user name} from public.users u where u.id = i.created_by), ",
                    lives!(),
                    " from caravana.invite i join public.groups g on g.id = i.group_id where i.token_hash = $1"
                ));
                Box::pin(async move {
                    Ok(sqlx::query_as(statement).bind(&token[..]).bind(now).fetch_optional(backend).await?)
                })
            })
            .await?;
        let (name, members, invited_by, lives) = row.ok_or(StoreError::NotFound)?;
        if !lives {
            return Err(StoreError::Gone);
        }
        Ok(InvitedGroup { name: name.0, member_count: unsigned(members), invited_by: invited_by.map(|name| name.0) })
    }

    async fn invites_into(&self, token: SecretHash) -> Result<Option<GroupId>, StoreError> {
        let question = "select group_id from caravana.invite where token_hash = $1";
        let group: Option<Uuid> = self
            .access
            .ask(|backend| {
                Box::pin(
                    async move { Ok(sqlx::query_scalar(question).bind(&token[..]).fetch_optional(backend).await?) },
                )
            })
            .await?;
        Ok(group.map(GroupId::new))
    }

    async fn accept_invite(&self, token: SecretHash, user: UserId, now: i64) -> Result<GroupId, StoreError> {
        let access = self.access.clone();
        self.access
            .write(move |backend, effects| {
                let access = access.clone();
                Box::pin(async move {
                    ended::lives(backend, user).await?;
                    let group: Option<Uuid> =
                        sqlx::query_scalar("select group_id from caravana.invite where token_hash = $1")
                            .bind(&token[..])
                            .fetch_optional(&mut *backend)
                            .await?;
                    let group = GroupId::new(group.ok_or(StoreError::NotFound)?);
                    // Lock the group first, as every change of its members does; the end of a group deletes the
                    // invites, too.
                    roles::hold_group(backend, group).await?;
                    let row: Option<(bool, bool)> = sqlx::query_as(concat!(
                        "select ",
                        lives!(),
                        ", not exists (select from caravana.removed r where r.group_id = i.group_id and r.user_id = $3
                             and not (i.by_manager and i.at_head >= r.head))
                         from caravana.invite i where i.token_hash = $1 for update of i"
                    ))
                    .bind(&token[..])
                    .bind(now)
                    .bind(user.uuid())
                    .fetch_optional(&mut *backend)
                    .await?;
                    let (lives, takes_back) = row.ok_or(StoreError::NotFound)?;
                    // A member who opens the invite again is sent to the group, even if the invite has ended.
                    if roles::role_of(&access, backend, group, user).await?.is_some() {
                        return Ok(group);
                    }
                    if !access.shape().members().is_ours() {
                        return Err(StoreError::Forbidden);
                    }
                    if !lives || !takes_back {
                        return Err(StoreError::Gone);
                    }
                    bounds::one_more_member(backend, group).await?;
                    bounds::one_more_group(backend, user).await?;
                    sqlx::query("update caravana.invite set uses = uses + 1 where token_hash = $1")
                        .bind(&token[..])
                        .execute(&mut *backend)
                        .await?;
                    for statement in [
                        "delete from caravana.removed where group_id = $1 and user_id = $2",
                        "insert into caravana.member (group_id, user_id, role) values ($1, $2, 'member')",
                    ] {
                        sqlx::query(statement).bind(group.uuid()).bind(user.uuid()).execute(&mut *backend).await?;
                    }
                    effects.member(group, user);
                    Ok(group)
                })
            })
            .await
    }
}

type Listed = (Vec<u8>, Uuid, Option<i64>, i64, i64, Option<i64>);

/// Revokes the invites of a member whose membership ends, inside the transaction that has deleted the member's row.
pub(super) async fn end_of(backend: &mut Backend, group: GroupId, maker: UserId) -> Result<(), StoreError> {
    sqlx::query(
        "update caravana.invite set revoked_at = extract(epoch from now())::bigint
         where group_id = $1 and created_by = $2 and revoked_at is null",
    )
    .bind(group.uuid())
    .bind(maker.uuid())
    .execute(backend)
    .await?;
    Ok(())
}
