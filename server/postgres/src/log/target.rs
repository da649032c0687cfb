//! The message that a change is about.
//!
//! The message's row is locked first, and then the triggers lock the group's head. Changes by other programs take the
//! locks in the same order.

use caravana_protocol::{GroupId, Message, MessageChange, MessageId, Role, Seq, Timestamp, UserId};
use caravana_store::{Changed, StoreError};
use serde_json::Value;

use super::super::access::Access;
use super::super::backend::Backend;
use super::super::roles;
use super::super::rows::{MessageRow, message_columns, message_joins, micros, moment, signed, unsigned};

/// The row of a message, from any author.
pub(super) async fn message_by_id(backend: &mut Backend, id: MessageId) -> Result<Option<MessageRow>, StoreError> {
    let question = sqlx::query_as(concat!(
        "select ",
        message_columns!(),
        " from caravana.message m left join public.group_chat c on c.id = m.message_id ",
        message_joins!(),
        " where m.message_id = $1"
    ));
    Ok(question.bind(id.uuid()).fetch_optional(backend).await?)
}

/// A message, locked until the transaction ends, and the actor's role in its group; [`StoreError::NotFound`] for a
/// non-member.
pub(super) async fn message_for(
    access: &Access,
    backend: &mut Backend,
    actor: UserId,
    id: MessageId,
) -> Result<(Message, Role), StoreError> {
    // A non-member must not lock the message.
    let lock = access.sql(
        "select 1 from public.group_chat c where c.id = $1 \
           and exists (select from {members} v where v.group_id = c.group_id and v.user_id = $2) for update of c",
    );
    let locked: Option<i32> =
        sqlx::query_scalar(lock).bind(id.uuid()).bind(actor.uuid()).fetch_optional(&mut *backend).await?;
    locked.ok_or(StoreError::NotFound)?;
    let message = message_by_id(backend, id).await?.ok_or(StoreError::NotFound)?.to_message();
    let role = roles::role_of(access, backend, message.group_id, actor).await?.ok_or(StoreError::NotFound)?;
    Ok((message, role))
}

/// The event of the last change of a message. The head is still locked, so the event belongs to this transaction's
/// change.
pub(super) async fn change(backend: &mut Backend, id: MessageId) -> Result<MessageChange, StoreError> {
    let message = message_by_id(backend, id).await?.ok_or(StoreError::NotFound)?.to_message();
    let seq = head(backend, message.group_id).await?;
    let message_seq = message.seq;
    Ok(MessageChange { message: Message { seq, ..message }, message_seq })
}

/// The answer if nothing had to change.
pub(super) async fn unchanged(backend: &mut Backend, message: Message) -> Result<Changed, StoreError> {
    let seq = head(backend, message.group_id).await?;
    Ok(Changed { message, seq, is_new: false })
}

async fn head(backend: &mut Backend, group: GroupId) -> Result<Seq, StoreError> {
    let head: i64 = sqlx::query_scalar("select head from caravana.head where group_id = $1")
        .bind(group.uuid())
        .fetch_one(backend)
        .await?;
    Ok(unsigned(head))
}

/// Writes an event about a message, and returns its seq and time.
pub(super) async fn event(
    backend: &mut Backend,
    group: GroupId,
    kind: &str,
    (message, actor): (MessageId, UserId),
    payload: &Value,
) -> Result<(Seq, Timestamp), StoreError> {
    sqlx::query("select caravana.append(array[$1], array[$2], array[$3], array[$4], array[$5::jsonb])")
        .bind(group.uuid())
        .bind(kind)
        .bind(message.uuid())
        .bind(actor.uuid())
        .bind(payload.to_string())
        .execute(&mut *backend)
        .await?;
    let seq = head(backend, group).await?;
    let at: Option<i64> = sqlx::query_scalar(concat!(
        "select ",
        micros!("e.at"),
        " from caravana.event e where e.group_id = $1 and e.seq = $2"
    ))
    .bind(group.uuid())
    .bind(signed(seq))
    .fetch_one(backend)
    .await?;
    Ok((seq, moment(at)))
}
