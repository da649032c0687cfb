//! Group members and their roles.

use async_trait::async_trait;
use caravana_protocol::rest::{Sharing, User};
use caravana_protocol::{GroupId, Role, UserId};
use caravana_store::rules::{self, Candidate, RoleChange, RoleRequest};
use caravana_store::{Effects, MemberRow, Members, Removal, StoreError};
use uuid::Uuid;

use super::access::Access;
use super::backend::Backend;
use super::roles::{hold_group, is_guest, role_of};
use super::rows::{Loose, Name, micros, moment};
use super::{PostgresStore, direct, groups, invites};

#[async_trait]
impl Members for PostgresStore {
    /// The list of a member's group contains at least the viewer, so an empty result means that the viewer is not a
    /// member.
    async fn members(&self, group: GroupId, viewer: UserId) -> Result<Option<Vec<MemberRow>>, StoreError> {
        let found: Vec<(Uuid, Name, Loose, Option<i64>)> = self
            .access
            .ask(|backend| {
                let statement = self.access.sql(concat!(
                    "select u.id, {user name}, m.role, ",
                    micros!("m.joined_at"),
                    " from {members} m join public.users u on u.id = m.user_id
                     where m.group_id = $1
                       and exists (select from {members} v where v.group_id = $1 and v.user_id = $2)
                     order by m.role = 'owner' desc, m.joined_at, u.id"
                ));
                Box::pin(async move {
                    Ok(sqlx::query_as(statement).bind(group.uuid()).bind(viewer.uuid()).fetch_all(backend).await?)
                })
            })
            .await?;
        if found.is_empty() {
            return Ok(None);
        }
        let member = |(user, display_name, role, joined_at): (Uuid, Name, Loose, Option<i64>)| MemberRow {
            user: User {
                id: UserId::new(user),
                display_name: display_name.0,
                email: None,
                sharing: Sharing::default(),
                blocked: Vec::new(),
            },
            role: Role::from_word(&role.0),
            joined_at: moment(joined_at),
        };
        Ok(Some(found.into_iter().map(member).collect()))
    }

    async fn set_role(&self, actor: UserId, group: GroupId, user: UserId, role: Role) -> Result<(), StoreError> {
        let access = self.access.clone();
        self.access
            .write(move |backend, effects| {
                let access = access.clone();
                Box::pin(async move {
                    hold_group(backend, group).await?;
                    let actor_role = role_of(&access, backend, group, actor).await?.ok_or(StoreError::NotFound)?;
                    if !access.shape().members().is_ours() {
                        return Err(StoreError::Forbidden);
                    }
                    let change = rules::role_change(RoleRequest {
                        actor: actor_role,
                        user: role_of(&access, backend, group, user).await?,
                        is_own: user == actor,
                        is_guest: is_guest(backend, user).await?,
                        role,
                    })?;
                    match change {
                        RoleChange::Nothing => return Ok(()),
                        RoleChange::Given => {}
                        RoleChange::HandedOver => {
                            give_role(backend, group, actor, Role::Admin).await?;
                            effects.member(group, actor);
                        }
                    }
                    give_role(backend, group, user, role).await?;
                    effects.member(group, user);
                    Ok(())
                })
            })
            .await
    }

    async fn remove_member(&self, actor: UserId, group: GroupId, user: UserId) -> Result<Removal, StoreError> {
        let access = self.access.clone();
        self.access
            .write(move |backend, effects| {
                let access = access.clone();
                Box::pin(async move {
                    hold_group(backend, group).await?;
                    let actor_role = role_of(&access, backend, group, actor).await?.ok_or(StoreError::NotFound)?;
                    let user_role = role_of(&access, backend, group, user).await?.ok_or(StoreError::NotFound)?;
                    rules::no_direct(direct::is_one(backend, group).await?)?;
                    rules::may_remove(actor_role, user_role, actor == user)?;
                    if !access.shape().members().is_ours() {
                        return Err(StoreError::Forbidden);
                    }
                    let removal = leave(&access, backend, effects, group, user).await?;
                    if actor != user {
                        // From now on the user can rejoin only by an invite that an owner or admin makes after this
                        // removal.
                        sqlx::query(
                            "insert into caravana.removed (group_id, user_id, head)
                             select group_id, $2, head from caravana.head where group_id = $1
                             on conflict (group_id, user_id) do update set head = excluded.head",
                        )
                        .bind(group.uuid())
                        .bind(user.uuid())
                        .execute(backend)
                        .await?;
                    }
                    Ok(removal)
                })
            })
            .await
    }
}

async fn give_role(backend: &mut Backend, group: GroupId, user: UserId, role: Role) -> Result<(), StoreError> {
    sqlx::query("update caravana.member set role = $1 where group_id = $2 and user_id = $3")
        .bind(role.as_str())
        .bind(group.uuid())
        .bind(user.uuid())
        .execute(backend)
        .await?;
    Ok(())
}

/// Removes a member, inside a transaction that holds the group; [`StoreError::NotFound`] for a non-member.
pub(super) async fn leave(
    access: &Access,
    backend: &mut Backend,
    effects: &mut Effects,
    group: GroupId,
    user: UserId,
) -> Result<Removal, StoreError> {
    let is_owner = role_of(access, backend, group, user).await?.ok_or(StoreError::NotFound)? == Role::Owner;
    if is_owner || direct::is_one(backend, group).await? {
        let Some(heir) = heir(backend, group, user).await? else {
            let members = groups::end(backend, group).await?;
            effects.group_deleted(group, members);
            return Ok(Removal::Group);
        };
        if is_owner {
            give_role(backend, group, heir, Role::Owner).await?;
        }
        effects.member(group, heir);
    }
    for statement in [
        "delete from caravana.member where group_id = $1 and user_id = $2",
        "delete from caravana.read where group_id = $1 and user_id = $2",
    ] {
        sqlx::query(statement).bind(group.uuid()).bind(user.uuid()).execute(&mut *backend).await?;
    }
    invites::end_of(backend, group, user).await?;
    effects.member(group, user);
    Ok(Removal::Member)
}

/// The new owner after the owner left.
async fn heir(backend: &mut Backend, group: GroupId, owner: UserId) -> Result<Option<UserId>, StoreError> {
    let others: Vec<(Uuid, Loose, bool)> = sqlx::query_as(
        "select m.user_id, m.role, exists (select from caravana.guest g where g.user_id = m.user_id)
         from caravana.member m where m.group_id = $1 and m.user_id <> $2 order by m.joined_at, m.user_id",
    )
    .bind(group.uuid())
    .bind(owner.uuid())
    .fetch_all(backend)
    .await?;
    let candidate =
        |(user, role, is_guest): (Uuid, Loose, bool)| Candidate { user, role: Role::from_word(&role.0), is_guest };
    Ok(rules::heir(others.into_iter().map(candidate)).map(UserId::new))
}
