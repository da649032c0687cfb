//! Ends an account: removes everything that identifies the user. No log changes.
//!
//! Writes in the user's name that run at the same time either finish before the end or fail. A send holds the member's
//! row until its commit, so the end of membership waits for it; authors are removed only after that. Writes that hold
//! no such row call [`lives`] first.

use caravana_protocol::{GroupId, UserId};
use uuid::Uuid;

use super::access::Access;
use super::link::Link;
use super::{members, proofs, pruning, resets};
use crate::store::StoreError;
use crate::store::commits::Effects;

/// A sign-out time later than any token, so that no token of the user is valid any more.
pub(super) const FOR_EVER: i64 = i64::MAX;
/// The first half of the key of the advisory locks on users ("user" in ASCII). The second half is a hash of the id.
const USER_LOCK: i32 = 0x7573_6572;

/// Keeps the accounts of these users from ending until this transaction ends. Whether one has already ended must be
/// asked by a later statement, which then sees what was committed while this one waited.
pub(super) async fn hold_lives(link: &mut Link, users: &[UserId]) -> Result<(), StoreError> {
    let users: Vec<Uuid> = users.iter().map(|user| user.uuid()).collect();
    sqlx::query("select pg_advisory_xact_lock_shared($1, h) from (select distinct hashtext(u::text) as h from unnest($2::uuid[]) u order by h) held")
        .bind(USER_LOCK)
        .bind(users)
        .execute(link)
        .await?;
    Ok(())
}

/// Refuses a user whose account has ended meanwhile, as [`StoreError::NotFound`]; otherwise keeps the account from
/// ending before this transaction does. Call it before locking anything else.
pub(super) async fn lives(link: &mut Link, user: UserId) -> Result<(), StoreError> {
    hold_lives(link, &[user]).await?;
    refuse_ended(link, user).await
}

/// Locks a user until this transaction ends: no other transaction can end the user or pass [`hold_lives`] for them.
pub(super) async fn hold(link: &mut Link, user: UserId) -> Result<(), StoreError> {
    sqlx::query("select pg_advisory_xact_lock($1, hashtext($2::text))")
        .bind(USER_LOCK)
        .bind(user.uuid())
        .execute(link)
        .await?;
    Ok(())
}

/// [`StoreError::NotFound`] if the account has ended. Call it only after [`hold`] or [`hold_lives`].
pub(super) async fn refuse_ended(link: &mut Link, user: UserId) -> Result<(), StoreError> {
    let ended: bool =
        sqlx::query_scalar("select exists (select from caravana.sign_out o where o.user_id = $1 and o.at = $2)")
            .bind(user.uuid())
            .bind(FOR_EVER)
            .fetch_one(link)
            .await?;
    if ended { Err(StoreError::NotFound) } else { Ok(()) }
}

/// Ends a user, inside the transaction that holds the user and has deleted the user's account.
pub(super) async fn end(
    access: &Access,
    link: &mut Link,
    effects: &mut Effects,
    user: UserId,
) -> Result<(), StoreError> {
    resets::end_all(link, user).await?;
    proofs::sign_out(link, user, None, FOR_EVER).await?;
    // Before the user leaves the groups, so that the events of that have no name.
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

/// Removes the user from the data that stays. Nothing new can be stored in the user's name any more. The triggers do
/// not see this as a change of a message, so no log gets an event.
async fn forget(link: &mut Link, user: UserId) -> Result<(), StoreError> {
    for statement in [
        "delete from caravana.guest where user_id = $1",
        "delete from caravana.signed_up where user_id = $1",
        "delete from caravana.read where user_id = $1",
        "delete from caravana.invite where created_by = $1",
        "delete from caravana.removed where user_id = $1",
        // The background task in `pruning` removes the author from the messages, in small parts.
        "insert into caravana.ended (user_id) values ($1)",
    ] {
        sqlx::query(statement).bind(user.uuid()).execute(&mut *link).await?;
    }
    // If the author can't be removed from the messages, the account does not end: the messages would go on naming the
    // user.
    pruning::can_be_forgotten(link, user).await
}

/// Removes the user from all groups. It goes in the order of the groups' ids, so that two users who end at the same
/// time do not deadlock. It locks all of the user's member rows before the first log gets an event, because a send that
/// holds such a row may wait for that log. Does nothing where another program owns the membership.
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
            // Another transaction has already removed the member.
            Ok(_) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
