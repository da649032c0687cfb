//! Pinned messages in SQLite.

use caravana_protocol::{Event, GroupId, Message, MessageId, PinChanged, UserId, limits};
use caravana_store::{Changed, Effects, StoreError, rules};
use serde_json::json;
use sqlx::SqliteConnection;

use super::super::direct;
use super::super::rows::{MessageRow, message_columns, message_tables, signed, unsigned};
use super::target::{event, message_for, unchanged};

/// Pins a message or takes the pin off.
pub(super) async fn pin(
    tx: &mut SqliteConnection,
    effects: &mut Effects,
    actor: UserId,
    id: MessageId,
    on: bool,
) -> Result<Changed, StoreError> {
    let (mut message, _) = message_for(tx, actor, id).await?;
    if !message.status {
        return Err(StoreError::Gone);
    }
    if message.pinned == on {
        return unchanged(tx, message).await;
    }
    direct::open_only(tx, &message.group_id.to_string()).await?;
    if on {
        let pins: i64 =
            sqlx::query_scalar("select count(*) from caravana_message where group_id = ?1 and pin_seq is not null")
                .bind(message.group_id.to_string())
                .fetch_one(&mut *tx)
                .await?;
        rules::one_more_pin(unsigned(pins))?;
    }
    let kind = if on { "message_pinned" } else { "message_unpinned" };
    let payload = json!({"message_seq": message.seq});
    let (seq, at) = event(tx, message.group_id, kind, id, actor, &payload).await?;
    sqlx::query("update caravana_message set pin_seq = ?2 where message_id = ?1")
        .bind(id.to_string())
        .bind(on.then(|| signed(seq)))
        .execute(&mut *tx)
        .await?;
    message.pinned = on;
    let change =
        PinChanged { group_id: message.group_id, seq, message_id: id, message_seq: message.seq, user_id: actor, at };
    effects.event(if on { Event::MessagePinned(change) } else { Event::MessageUnpinned(change) });
    Ok(Changed { message, seq, is_new: true })
}

/// The pinned messages, the newest pin first.
pub(super) async fn pins(connection: &mut SqliteConnection, group: GroupId) -> Result<Vec<Message>, StoreError> {
    let rows: Vec<MessageRow> = sqlx::query_as(concat!(
        "select ",
        message_columns!(),
        " from ",
        message_tables!(),
        " where m.group_id = ?1 and m.pin_seq is not null and c.group_id = ?1 order by m.pin_seq desc limit ?2"
    ))
    .bind(group.to_string())
    .bind(i64::try_from(limits::PINS_PER_GROUP).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(MessageRow::into_message).collect())
}
