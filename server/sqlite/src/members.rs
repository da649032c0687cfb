//! Group members and their roles.

use async_trait::async_trait;
use caravana_protocol::rest::{Sharing, User};
use caravana_protocol::{GroupId, Role, UserId};
use caravana_store::rules::{self, Candidate, RoleChange, RoleRequest};
use caravana_store::{Effects, MemberRow, Members, Removal, StoreError};
use sqlx::SqliteConnection;

use super::roles::{is_guest, role_in, role_of};
use super::rows::{Loose, Name};
use super::{SqliteStore, direct, groups, id, invites, rows};

#[async_trait]
impl Members for SqliteStore {
    /// The list of a member's group contains at least the viewer, so an empty result means that the viewer is not a
    /// member.
    async fn members(&self, group: GroupId, viewer: UserId) -> Result<Option<Vec<MemberRow>>, StoreError> {
        let found: Vec<(Loose, Name, String, String)> = sqlx::query_as(
            "select u.id, u.display_name, m.role, m.joined_at
             from caravana_member m join users u on u.id = m.user_id
             where m.group_id = ?1
               and exists (select 1 from caravana_member v where v.group_id = ?1 and v.user_id = ?2)
             order by m.role = 'owner' desc, m.joined_at, u.id",
        )
        .bind(group.to_string())
        .bind(viewer.to_string())
        .fetch_all(&self.readers)
        .await?;
        if found.is_empty() {
            return Ok(None);
        }
        // Skips rows whose id is not a UUID: the protocol can't name them.
        let member = |(user, display_name, role, joined_at): (Loose, Name, String, String)| {
            Some(MemberRow {
                user: User {
                    id: rows::user(Some(&*user))?,
                    display_name: display_name.0,
                    email: None,
                    sharing: Sharing::default(),
                    blocked: Vec::new(),
                },
                role: Role::from_word(&role),
                joined_at: rows::time(Some(&joined_at)),
            })
        };
        Ok(Some(found.into_iter().filter_map(member).collect()))
    }

    async fn set_role(&self, actor: UserId, group_id: GroupId, user: UserId, role: Role) -> Result<(), StoreError> {
        self.writer
            .run(move |tx, effects| {
                Box::pin(async move {
                    let (group, actor_key, user_key) = (group_id.to_string(), actor.to_string(), user.to_string());
                    let change = rules::role_change(RoleRequest {
                        actor: role_in(tx, &group, &actor_key).await?,
                        user: role_of(tx, &group, &user_key).await?,
                        is_own: user == actor,
                        is_guest: is_guest(tx, &user_key).await?,
                        role,
                    })?;
                    match change {
                        RoleChange::Nothing => return Ok(()),
                        RoleChange::Given => {}
                        RoleChange::HandedOver => {
                            give_role(tx, &group, &actor_key, Role::Admin).await?;
                            effects.member(group_id, actor);
                        }
                    }
                    give_role(tx, &group, &user_key, role).await?;
                    effects.member(group_id, user);
                    Ok(())
                })
            })
            .await
    }

    async fn remove_member(&self, actor: UserId, group_id: GroupId, user: UserId) -> Result<Removal, StoreError> {
        self.writer
            .run(move |tx, effects| {
                Box::pin(async move {
                    let (group, user_key) = (group_id.to_string(), user.to_string());
                    let actor_role = role_in(tx, &group, &actor.to_string()).await?;
                    rules::no_direct(direct::is_one(tx, &group).await?)?;
                    let user_role = role_in(tx, &group, &user_key).await?;
                    rules::may_remove(actor_role, user_role, actor == user)?;
                    let removal = leave(tx, effects, group_id, &user_key).await?;
                    if actor != user {
                        // From now on the user can rejoin only by an invite that an owner or admin makes after this
                        // removal.
                        sqlx::query(
                            "insert into caravana_removed (group_id, user_id, head)
                             select group_id, ?2, head from caravana_head where group_id = ?1
                             on conflict (group_id, user_id) do update set head = excluded.head",
                        )
                        .bind(group)
                        .bind(user_key)
                        .execute(tx)
                        .await?;
                    }
                    Ok(removal)
                })
            })
            .await
    }
}

async fn give_role(tx: &mut SqliteConnection, group: &str, user: &str, role: Role) -> Result<(), StoreError> {
    sqlx::query("update caravana_member set role = ? where group_id = ? and user_id = ?")
        .bind(role.as_str())
        .bind(group)
        .bind(user)
        .execute(tx)
        .await?;
    Ok(())
}

/// Removes a member, inside a write's own transaction; [`StoreError::NotFound`] for a non-member.
pub(super) async fn leave(
    tx: &mut SqliteConnection,
    effects: &mut Effects,
    group_id: GroupId,
    user: &str,
) -> Result<Removal, StoreError> {
    let group = group_id.to_string();
    let is_owner = role_in(tx, &group, user).await? == Role::Owner;
    if is_owner || direct::is_one(tx, &group).await? {
        let Some(heir) = heir(tx, &group, user).await? else {
            let members = groups::end(tx, &group).await?;
            effects.group_deleted(group_id, members);
            return Ok(Removal::Group);
        };
        if is_owner {
            give_role(tx, &group, &heir, Role::Owner).await?;
        }
        effects.member(group_id, id(&heir)?);
    }
    for statement in [
        "delete from caravana_member where group_id = ? and user_id = ?",
        "delete from caravana_read where group_id = ? and user_id = ?",
    ] {
        sqlx::query(statement).bind(&group).bind(user).execute(&mut *tx).await?;
    }
    invites::end_of(tx, &group, user).await?;
    effects.member(group_id, id(user)?);
    Ok(Removal::Member)
}

/// The new owner after the owner left.
async fn heir(tx: &mut SqliteConnection, group: &str, owner: &str) -> Result<Option<String>, StoreError> {
    let others: Vec<(Loose, Loose, bool)> = sqlx::query_as(
        "select user_id, role, user_id in (select g.user_id from caravana_guest g) from caravana_member
         where group_id = ? and user_id <> ? order by joined_at, user_id",
    )
    .bind(group)
    .bind(owner)
    .fetch_all(tx)
    .await?;
    let candidate =
        |(user, role, is_guest): (Loose, Loose, bool)| Candidate { user, role: Role::from_word(&role), is_guest };
    Ok(rules::heir(others.into_iter().map(candidate)).map(String::from))
}
