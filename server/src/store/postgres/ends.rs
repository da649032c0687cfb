//! The end of an account: nothing that says who it was is left, and no log changes.
//!
//! Whatever is under way in the person's name while it ends is over before it or comes to nothing: a send holds the
//! member's row until its commit, so membership ends before authors are emptied; whatever no such row holds back asks
//! [`lives`] first.

use caravana_protocol::{GroupId, UserId};
use uuid::Uuid;

use super::access::Access;
use super::link::Link;
use super::{members, proofs, pruning, resets};
use crate::store::StoreError;
use crate::store::commits::Effects;

/// Later than any token: none is good any more.
pub(super) const FOR_EVER: i64 = i64::MAX;
/// The first half of our advisory locks on users, the second is a hash of the id: "user" in ASCII.
const USER_LOCK: i32 = 0x7573_6572;

/// None of these people ends until the transaction's end. Who has ended already is another statement's question, which then
/// sees what was committed while this one waited.
pub(super) async fn hold_lives(link: &mut Link, users: &[UserId]) -> Result<(), StoreError> {
    let users: Vec<Uuid> = users.iter().map(|user| user.uuid()).collect();
    sqlx::query("select pg_advisory_xact_lock_shared($1, h) from (select distinct hashtext(u::text) as h from unnest($2::uuid[]) u order by h) held")
        .bind(USER_LOCK)
        .bind(users)
        .execute(link)
        .await?;
    Ok(())
}

/// Refuses somebody whose account has ended meanwhile, as [`StoreError::NotFound`]; else it does not end before this
/// transaction does. Asked before anything else is locked.
pub(super) async fn lives(link: &mut Link, user: UserId) -> Result<(), StoreError> {
    hold_lives(link, &[user]).await?;
    refuse_ended(link, user).await
}

/// Nobody else ends this user, or writes in their name where it matters, until the transaction's end.
pub(super) async fn hold(link: &mut Link, user: UserId) -> Result<(), StoreError> {
    sqlx::query("select pg_advisory_xact_lock($1, hashtext($2::text))")
        .bind(USER_LOCK)
        .bind(user.uuid())
        .execute(link)
        .await?;
    Ok(())
}

/// [`StoreError::NotFound`] where the account has ended. Only behind [`hold`] or [`hold_lives`].
pub(super) async fn refuse_ended(link: &mut Link, user: UserId) -> Result<(), StoreError> {
    let ended: bool =
        sqlx::query_scalar("select exists (select from caravana.sign_out o where o.user_id = $1 and o.at = $2)")
            .bind(user.uuid())
            .bind(FOR_EVER)
            .fetch_one(link)
            .await?;
    if ended { Err(StoreError::NotFound) } else { Ok(()) }
}

/// Ends somebody inside the write's own transaction, which holds the user and has deleted their account.
pub(super) async fn end(
    access: &Access,
    link: &mut Link,
    effects: &mut Effects,
    user: UserId,
) -> Result<(), StoreError> {
    resets::end_all(link, user).await?;
    proofs::sign_out(link, user, None, FOR_EVER).await?;
    // Before the groups are left, so that their events no longer know the name.
    forget_name(access, link, user).await?;
    leave_all(access, link, effects, user).await?;
    forget(link, user).await
}

async fn forget_name(access: &Access, link: &mut Link, user: UserId) -> Result<(), StoreError> {
    if access.shape().keeps_names() {
        sqlx::query(access.sql("{name user}")).bind(user.uuid()).bind("").execute(&mut *link).await?;
    }
    Ok(())
}

/// Takes the person out of what stays, when nothing of theirs can come any more. The triggers see no change of a message in
/// it, so no log moves.
async fn forget(link: &mut Link, user: UserId) -> Result<(), StoreError> {
    for statement in [
        "delete from caravana.guest where user_id = $1",
        "delete from caravana.signed_up where user_id = $1",
        "delete from caravana.read where user_id = $1",
        "delete from caravana.invite where created_by = $1",
        "delete from caravana.removed where user_id = $1",
        // What they have written loses its author bit by bit.
        "insert into caravana.ended (user_id) values ($1)",
    ] {
        sqlx::query(statement).bind(user.uuid()).execute(&mut *link).await?;
    }
    // Where that can't be, the account does not end: it would go on being named.
    pruning::can_be_forgotten(link, user).await
}

/// In the order of the groups' ids, so that two who end at once do not wait for each other; and all of the person's rows before
/// the first log moves, because a send that holds one of them may wait for that log. Where membership is somebody else's, it
/// stays theirs.
async fn leave_all(access: &Access, link: &mut Link, effects: &mut Effects, user: UserId) -> Result<(), StoreError> {
    if !access.shape().members().is_ours() {
        return Ok(());
    }
    sqlx::query(
        "select from caravana.\"group\" g
         where g.group_id in (select m.group_id from caravana.member m where m.user_id = $1)
         order by g.group_id for update of g",
    )
    .bind(user.uuid())
    .execute(&mut *link)
    .await?;
    let groups: Vec<Uuid> =
        sqlx::query_scalar("select group_id from caravana.member where user_id = $1 order by group_id for update")
            .bind(user.uuid())
            .fetch_all(&mut *link)
            .await?;
    for group in groups.into_iter().map(GroupId::new) {
        match members::leave(access, link, effects, group, user).await {
            // Somebody was faster.
            Ok(_) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
