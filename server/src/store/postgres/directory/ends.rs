//! The end of an account: nothing that says who it was is left, and no log changes.

use caravana_protocol::{GroupId, UserId};
use uuid::Uuid;

use super::super::PostgresStore;
use super::super::access::Access;
use super::super::link::Link;
use super::{members, proofs, resets};
use crate::store::StoreError;
use crate::store::commits::Effects;

/// Later than any token: none is good any more.
const FOR_EVER: i64 = i64::MAX;

pub(super) async fn delete_account(store: &PostgresStore, user: UserId, password_hash: &str) -> Result<(), StoreError> {
    let (access, password_hash) = (store.access.clone(), password_hash.to_owned());
    store
        .access
        .write(move |link, effects| {
            let (access, password_hash) = (access.clone(), password_hash.clone());
            Box::pin(async move {
                let ended = sqlx::query("delete from caravana.account where user_id = $1 and password_hash = $2")
                    .bind(user.uuid())
                    .bind(password_hash)
                    .execute(&mut *link)
                    .await?;
                if ended.rows_affected() == 0 {
                    return Err(StoreError::Conflict);
                }
                resets::end_all(link, user).await?;
                proofs::sign_out(link, user, None, FOR_EVER).await?;
                // Before the groups are left, so that their events no longer know the name.
                forget(&access, link, user).await?;
                leave_all(&access, link, effects, user).await
            })
        })
        .await
}

/// Takes the person out of what stays. The triggers see no change of a message in it, so no log moves. Two walks through
/// tables that have no index by author: it happens once in an account's life, and every send would pay for the index.
async fn forget(access: &Access, link: &mut Link, user: UserId) -> Result<(), StoreError> {
    if access.shape().keeps_names() {
        sqlx::query(access.sql("{name user}")).bind(user.uuid()).bind("").execute(&mut *link).await?;
    }
    for statement in [
        "delete from caravana.guest where user_id = $1",
        "delete from caravana.read where user_id = $1",
        "update public.group_chat set user_id = null where user_id = $1",
        // Who joined and left keeps the id, which clients need to know whom to take from their lists.
        "update caravana.event set actor_id = null where actor_id = $1 and message_id is not null",
    ] {
        sqlx::query(statement).bind(user.uuid()).execute(&mut *link).await?;
    }
    Ok(())
}

/// In the order of the groups' ids, so that two who end at once do not wait for each other. Where membership is somebody
/// else's, it stays theirs.
async fn leave_all(access: &Access, link: &mut Link, effects: &mut Effects, user: UserId) -> Result<(), StoreError> {
    if !access.shape().members().is_ours() {
        return Ok(());
    }
    let groups: Vec<Uuid> =
        sqlx::query_scalar("select group_id from caravana.member where user_id = $1 order by group_id")
            .bind(user.uuid())
            .fetch_all(&mut *link)
            .await?;
    for group in groups.into_iter().map(GroupId::new) {
        members::hold_group(link, group).await?;
        match members::leave(access, link, effects, group, user).await {
            // Somebody was faster.
            Ok(_) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
