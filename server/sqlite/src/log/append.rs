//! Stores a message once (G2): the id is the primary key for ever. A repeated send gets the stored row or a conflict.

use caravana_protocol::Seq;
use caravana_store::{Appended, NewMessage, StoreError, entry};
use sqlx::SqliteConnection;

use super::super::direct;
use super::super::roles::role_in;
use super::super::rows::unsigned;
use super::mentions;
use super::target::message_by_id;

/// Inserts the message if its author is a member and its `reply_to` is a message of the group. `None`: nothing was
/// inserted. Of the mentioned users, those who are no members are left out.
pub(super) async fn insert(tx: &mut SqliteConnection, new: &NewMessage) -> Result<Option<Seq>, StoreError> {
    if new.content.mentions_everyone {
        mentions::check_everyone(tx, new.group_id, new.user_id).await?;
    }
    // Both statements in one call, because each call costs two switches between this task's thread and the database's.
    // `changes()` counts the rows of the insert itself, not those of the triggers.
    let seq: Option<i64> = sqlx::query_scalar(
        "insert into group_chat (id, created_at, user_id, group_id, message, status) \
         select ?1, ?2, ?3, ?4, ?5, true \
         where exists (select 1 from caravana_member where group_id = ?4 and user_id = ?3) \
           and (?6 is null or exists (select 1 from caravana_message where message_id = ?6 and group_id = ?4)) \
           and not exists (select 1 from caravana_message where message_id = ?1) \
           and not exists (select 1 from caravana_direct where group_id = ?4 and closed) \
         on conflict (id) do nothing; \
         select seq from caravana_message where message_id = ?1 and changes() > 0",
    )
    .bind(new.id.to_string())
    .bind(new.created_at.to_string())
    .bind(new.user_id.to_string())
    .bind(new.group_id.to_string())
    .bind(new.content.body.as_str())
    .bind(new.content.reply_to.map(|id| id.to_string()))
    .fetch_optional(&mut *tx)
    .await?;
    let Some(seq) = seq else { return Ok(None) };
    if let Some(reply_to) = new.content.reply_to {
        sqlx::query("update caravana_message set reply_to = ?2 where message_id = ?1")
            .bind(new.id.to_string())
            .bind(reply_to.to_string())
            .execute(&mut *tx)
            .await?;
    }
    let seq = unsigned(seq);
    if new.content.mentions_anybody() {
        let place = (new.group_id, seq, new.id);
        mentions::replace(tx, place, &new.content.mentions, new.content.mentions_everyone).await?;
    }
    Ok(Some(seq))
}

/// The answer after an insert that inserted nothing. Either the id is already stored (answered with the stored row if
/// it is the same message), or the author may not write here. Only members are told that an id is used, and that a
/// conversation is closed.
pub(in super::super) async fn stored_already(
    tx: &mut SqliteConnection,
    new: &NewMessage,
) -> Result<Appended, StoreError> {
    match repeated(tx, new).await {
        Err(StoreError::Conflict) => {
            role_in(tx, &new.group_id.to_string(), &new.user_id.to_string()).await?;
            Err(StoreError::Conflict)
        }
        Err(StoreError::NotFound) => {
            let group = new.group_id.to_string();
            role_in(tx, &group, &new.user_id.to_string()).await?;
            direct::open_only(tx, &group).await?;
            Err(StoreError::NotFound)
        }
        outcome => outcome,
    }
}

async fn repeated(tx: &mut SqliteConnection, new: &NewMessage) -> Result<Appended, StoreError> {
    let Some(row) = message_by_id(tx, new.id).await? else {
        // The row may be deleted while its place in the log remains: then the id is still used.
        let used: Option<i64> = sqlx::query_scalar("select 1 from caravana_message where message_id = ?1")
            .bind(new.id.to_string())
            .fetch_optional(tx)
            .await?;
        return Err(if used.is_some() { StoreError::Conflict } else { StoreError::NotFound });
    };
    let text = row.text().to_owned();
    entry::repetition(new, row.into_message(), &text)
}
