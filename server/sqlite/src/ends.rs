//! Ends an account: removes everything that identifies the user. No log changes.

use caravana_protocol::GroupId;
use caravana_store::{Effects, FOR_EVER, StoreError};
use sqlx::SqliteConnection;

use super::{direct, id, members, proofs, resets};

/// Ends a user, inside the transaction that has deleted the user's account.
pub(super) async fn end(tx: &mut SqliteConnection, effects: &mut Effects, user: &str) -> Result<(), StoreError> {
    resets::end_all(tx, user).await?;
    proofs::sign_out(tx, user, None, FOR_EVER).await?;
    // Before the user leaves the groups, so that the events of that have no name.
    sqlx::query("update users set display_name = '' where id = ?").bind(user).execute(&mut *tx).await?;
    direct::end_of(tx, user).await?;
    leave_all(tx, effects, user).await?;
    forget(tx, user).await
}

/// Removes the user from the data that stays. Nothing new can be stored in the user's name any more. The triggers do
/// not see this as a change of a message, so no log gets an event.
async fn forget(tx: &mut SqliteConnection, user: &str) -> Result<(), StoreError> {
    for statement in [
        "delete from caravana_guest where user_id = ?",
        "delete from caravana_signed_up where user_id = ?",
        "delete from caravana_read where user_id = ?",
        "delete from caravana_invite where created_by = ?",
        "delete from caravana_removed where user_id = ?",
        "delete from caravana_preference where user_id = ?",
        "delete from caravana_privacy where user_id = ?",
        // The background task in `pruning` removes the author from the messages, in small parts.
        "insert into caravana_ended (user_id) values (?)",
    ] {
        sqlx::query(statement).bind(user).execute(&mut *tx).await?;
    }
    Ok(())
}

async fn leave_all(tx: &mut SqliteConnection, effects: &mut Effects, user: &str) -> Result<(), StoreError> {
    let groups: Vec<String> = sqlx::query_scalar("select group_id from caravana_member where user_id = ?")
        .bind(user)
        .fetch_all(&mut *tx)
        .await?;
    for group in groups {
        let group: GroupId = id(&group)?;
        members::leave(tx, effects, group, user).await?;
    }
    Ok(())
}
