//! Who has which role in a group, and who is a guest: read by every write that depends on it, in its own transaction.

use caravana_protocol::{GroupId, Role, UserId};
use caravana_store::StoreError;

use super::access::Access;
use super::backend::Backend;
use super::rows::Loose;

/// The role of a user; `None` for a non-member.
pub(super) async fn role_of(
    access: &Access,
    backend: &mut Backend,
    group: GroupId,
    user: UserId,
) -> Result<Option<Role>, StoreError> {
    role(
        access,
        backend,
        "select v.role from {members} v where v.group_id = $1 and v.user_id = $2 limit 1",
        group,
        user,
    )
    .await
}

/// The role of a member, whose membership is locked until the transaction ends; [`StoreError::NotFound`] for a
/// non-member.
pub(super) async fn role_held(
    access: &Access,
    backend: &mut Backend,
    group: GroupId,
    user: UserId,
) -> Result<Role, StoreError> {
    const HELD: &str =
        "select v.role from {members} v where v.group_id = $1 and v.user_id = $2 limit 1 {members locked}";
    role(access, backend, HELD, group, user).await?.ok_or(StoreError::NotFound)
}

async fn role(
    access: &Access,
    backend: &mut Backend,
    template: &'static str,
    group: GroupId,
    user: UserId,
) -> Result<Option<Role>, StoreError> {
    let question = sqlx::query_scalar(access.sql(template)).bind(group.uuid()).bind(user.uuid());
    let role: Option<Loose> = question.fetch_optional(backend).await?;
    Ok(role.map(|role| Role::from_word(&role.0)))
}

/// Locks a group's row until the commit. Every change of a group or its members does this first.
pub(super) async fn hold_group(backend: &mut Backend, group: GroupId) -> Result<(), StoreError> {
    sqlx::query("select from caravana.\"group\" where group_id = $1 for update")
        .bind(group.uuid())
        .execute(backend)
        .await?;
    Ok(())
}

/// Whether the user is a guest (has not signed up anywhere).
pub(super) async fn is_guest(backend: &mut Backend, user: UserId) -> Result<bool, StoreError> {
    let question = sqlx::query_scalar("select exists (select from caravana.guest where user_id = $1)");
    Ok(question.bind(user.uuid()).fetch_one(backend).await?)
}
