//! The message that a change is about.

use caravana_protocol::{GroupId, Message, MessageChange, MessageId, Role, Seq, Timestamp, UserId};
use caravana_store::{Changed, StoreError};
use serde_json::Value;
use sqlx::SqliteConnection;

use super::super::rows::{MessageRow, message_columns, message_tables, time, unsigned};

/// The row of a message, from any author.
pub(super) async fn message_by_id(
    connection: &mut SqliteConnection,
    id: MessageId,
) -> Result<Option<MessageRow>, StoreError> {
    Ok(sqlx::query_as(concat!("select ", message_columns!(), " from ", message_tables!(), " where c.id = ?1"))
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?)
}

/// A message and the actor's role in its group; [`StoreError::NotFound`] for a non-member.
pub(super) async fn message_for(
    tx: &mut SqliteConnection,
    actor: UserId,
    id: MessageId,
) -> Result<(Message, Role), StoreError> {
    let message = message_by_id(tx, id).await?.ok_or(StoreError::NotFound)?.into_message();
    let role: Option<String> =
        sqlx::query_scalar("select role from caravana_member where group_id = ?1 and user_id = ?2")
            .bind(message.group_id.to_string())
            .bind(actor.to_string())
            .fetch_optional(tx)
            .await?;
    let role = role.ok_or(StoreError::NotFound)?;
    Ok((message, Role::from_word(&role)))
}

/// The event of the last change of a message.
pub(super) async fn change(
    tx: &mut SqliteConnection,
    id: MessageId,
    group: GroupId,
) -> Result<MessageChange, StoreError> {
    let message = message_by_id(tx, id).await?.ok_or(StoreError::NotFound)?.into_message();
    let seq = head(tx, group).await?;
    let message_seq = message.seq;
    Ok(MessageChange { message: Message { seq, ..message }, message_seq })
}

/// The answer if nothing had to change.
pub(super) async fn unchanged(tx: &mut SqliteConnection, message: Message) -> Result<Changed, StoreError> {
    let seq = head(tx, message.group_id).await?;
    Ok(Changed { message, seq, is_new: false })
}

async fn head(tx: &mut SqliteConnection, group: GroupId) -> Result<Seq, StoreError> {
    let head: i64 = sqlx::query_scalar("select head from caravana_head where group_id = ?1")
        .bind(group.to_string())
        .fetch_one(tx)
        .await?;
    Ok(unsigned(head))
}

/// Writes an event about a message, and returns its seq and time.
pub(super) async fn event(
    tx: &mut SqliteConnection,
    group: GroupId,
    kind: &str,
    message: MessageId,
    actor: UserId,
    payload: &Value,
) -> Result<(Seq, Timestamp), StoreError> {
    let head: i64 = sqlx::query_scalar("update caravana_head set head = head + 1 where group_id = ? returning head")
        .bind(group.to_string())
        .fetch_one(&mut *tx)
        .await?;
    let at: String = sqlx::query_scalar(
        "insert into caravana_event (group_id, seq, kind, message_id, actor_id, payload) \
         values (?1, ?2, ?3, ?4, ?5, ?6) returning at",
    )
    .bind(group.to_string())
    .bind(head)
    .bind(kind)
    .bind(message.to_string())
    .bind(actor.to_string())
    .bind(payload.to_string())
    .fetch_one(tx)
    .await?;
    Ok((unsigned(head), time(Some(&at))))
}
