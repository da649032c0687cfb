//! Ends an account: removes everything that identifies the user. No log changes.
//!
//! Writes in the user's name that run at the same time either finish before the end or fail; see
//! [`ended`](super::ended). Authors are removed only after membership.

use caravana_protocol::{GroupId, UserId};
use caravana_store::{Effects, FOR_EVER, StoreError};
use uuid::Uuid;

use super::access::Access;
use super::backend::Backend;
use super::{direct, members, proofs, pruning, resets};

/// Ends a user, inside the transaction that holds the user and has deleted the user's account.
pub(super) async fn end(
    access: &Access,
    backend: &mut Backend,
    effects: &mut Effects,
    user: UserId,
) -> Result<(), StoreError> {
    resets::end_all(backend, user).await?;
    proofs::sign_out(backend, user, None, FOR_EVER).await?;
    // Before the user leaves the groups, so that the events of that have no name.
    forget_name(access, backend, user).await?;
    direct::end_of(backend, user).await?;
    leave_all(access, backend, effects, user).await?;
    forget(backend, user).await
}

async fn forget_name(access: &Access, backend: &mut Backend, user: UserId) -> Result<(), StoreError> {
    if access.shape().keeps_names() {
        sqlx::query(access.sql("{name user}")).bind(user.uuid()).bind("").execute(&mut *backend).await?;
    }
    Ok(())
}

/// Removes the user from the data that stays. Nothing new can be stored in the user's name any more. The triggers do
/// not see this as a change of a message, so no log gets an event.
async fn forget(backend: &mut Backend, user: UserId) -> Result<(), StoreError> {
    for statement in [
        "delete from caravana.guest where user_id = $1",
        "delete from caravana.signed_up where user_id = $1",
        "delete from caravana.read where user_id = $1",
        "delete from caravana.invite where created_by = $1",
        "delete from caravana.removed where user_id = $1",
        "delete from caravana.preference where user_id = $1",
        "delete from caravana.privacy where user_id = $1",
        // The background task in `pruning` removes the author from the messages, in small parts.
        "insert into caravana.ended (user_id) values ($1)",
    ] {
        sqlx::query(statement).bind(user.uuid()).execute(&mut *backend).await?;
    }
    // If the author can't be removed from the messages, the account does not end: the messages would go on naming the
    // user.
    pruning::can_be_forgotten(backend, user).await
}

/// Removes the user from all groups. It goes in the order of the groups' ids, so that two users who end at the same
/// time do not deadlock. It locks all of the user's member rows before the first log gets an event, because a send that
/// holds such a row may wait for that log. Does nothing where another program owns the membership.
async fn leave_all(
    access: &Access,
    backend: &mut Backend,
    effects: &mut Effects,
    user: UserId,
) -> Result<(), StoreError> {
    if !access.shape().members().is_ours() {
        return Ok(());
    }
    sqlx::query(
        "select from caravana.\"group\" g
         where g.group_id in (select m.group_id from caravana.member m where m.user_id = $1)
         order by g.group_id for update of g",
    )
    .bind(user.uuid())
    .execute(&mut *backend)
    .await?;
    let groups: Vec<Uuid> =
        sqlx::query_scalar("select group_id from caravana.member where user_id = $1 order by group_id for update")
            .bind(user.uuid())
            .fetch_all(&mut *backend)
            .await?;
    for group in groups.into_iter().map(GroupId::new) {
        match members::leave(access, backend, effects, group, user).await {
            // Another transaction has already removed the member.
            Ok(_) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
