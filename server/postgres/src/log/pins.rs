//! Pinned messages in PostgreSQL.

use caravana_protocol::{Event, GroupId, Message, MessageId, PinChanged, UserId, limits};
use caravana_store::{Changed, Effects, StoreError, rules};
use serde_json::json;

use super::super::PostgresStore;
use super::super::access::Access;
use super::super::backend::Backend;
use super::super::direct;
use super::super::rows::{MessageRow, message_columns, message_joins, micros, signed, unsigned};
use super::target::{event, message_for, unchanged};

/// Pins a message or takes the pin off.
pub(super) async fn pin(
    access: &Access,
    backend: &mut Backend,
    effects: &mut Effects,
    (actor, id): (UserId, MessageId),
    on: bool,
) -> Result<Changed, StoreError> {
    let (mut message, _) = message_for(access, backend, actor, id).await?;
    if !message.status {
        return Err(StoreError::Gone);
    }
    if message.pinned == on {
        return unchanged(backend, message).await;
    }
    direct::hold_open(backend, message.group_id).await?;
    let kind = if on { "message_pinned" } else { "message_unpinned" };
    // The head's lock comes with the event, so that two pins at once can't both be the last one.
    let (seq, at) = event(backend, message.group_id, kind, (id, actor), &json!({"message_seq": message.seq})).await?;
    if on {
        let pins: i64 =
            sqlx::query_scalar("select count(*) from caravana.message where group_id = $1 and pin_seq is not null")
                .bind(message.group_id.uuid())
                .fetch_one(&mut *backend)
                .await?;
        rules::one_more_pin(unsigned(pins))?;
    }
    sqlx::query("update caravana.message set pin_seq = $2 where message_id = $1")
        .bind(id.uuid())
        .bind(on.then(|| signed(seq)))
        .execute(&mut *backend)
        .await?;
    message.pinned = on;
    let change =
        PinChanged { group_id: message.group_id, seq, message_id: id, message_seq: message.seq, user_id: actor, at };
    effects.event(if on { Event::MessagePinned(change) } else { Event::MessageUnpinned(change) });
    Ok(Changed { message, seq, is_new: true })
}

/// The pinned messages, the newest pin first.
pub(super) async fn pins(store: &PostgresStore, group: GroupId) -> Result<Vec<Message>, StoreError> {
    let rows: Vec<MessageRow> = store
        .access
        .ask(|backend| {
            Box::pin(async move {
                let question = sqlx::query_as(concat!(
                    "select ",
                    message_columns!(),
                    " from caravana.message m join public.group_chat c on c.id = m.message_id and c.group_id = m.group_id ",
                    message_joins!(),
                    " where m.group_id = $1 and m.pin_seq is not null order by m.pin_seq desc limit $2"
                ));
                let limit = i64::try_from(limits::PINS_PER_GROUP).unwrap_or(i64::MAX);
                Ok(question.bind(group.uuid()).bind(limit).fetch_all(backend).await?)
            })
        })
        .await?;
    Ok(rows.iter().map(MessageRow::to_message).collect())
}
