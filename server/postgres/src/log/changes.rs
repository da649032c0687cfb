//! Messages by id, and changes of them by their authors and the group's managers.
//!
//! The message's row is locked first, and then the triggers lock the group's head. Changes by other programs take the
//! locks in the same order.

use caravana_protocol::{Event, GroupId, Message, MessageBody, MessageChange, MessageId, Role, Seq, UserId};
use caravana_store::{Changed, StoreError};

use super::super::PostgresStore;
use super::super::access::Access;
use super::super::backend::Backend;
use super::super::roles;
use super::super::rows::{MessageRow, message_columns, micros, unsigned};

/// The row of a message, from any author.
pub(super) async fn message_by_id(backend: &mut Backend, id: MessageId) -> Result<Option<MessageRow>, StoreError> {
    let question = sqlx::query_as(concat!(
        "select ",
        message_columns!(),
        " from caravana.message m left join public.group_chat c on c.id = m.message_id where m.message_id = $1"
    ));
    Ok(question.bind(id.uuid()).fetch_optional(backend).await?)
}

/// A message, locked until the transaction ends, and the actor's role in its group; [`StoreError::NotFound`] for a
/// non-member.
async fn message_for(
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
async fn change(backend: &mut Backend, id: MessageId) -> Result<MessageChange, StoreError> {
    let message = message_by_id(backend, id).await?.ok_or(StoreError::NotFound)?.to_message();
    let seq = head(backend, message.group_id).await?;
    let message_seq = message.seq;
    Ok(MessageChange { message: Message { seq, ..message }, message_seq })
}

/// The answer if nothing had to change.
async fn unchanged(backend: &mut Backend, message: Message) -> Result<Changed, StoreError> {
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

pub(super) async fn edit(
    store: &PostgresStore,
    actor: UserId,
    id: MessageId,
    body: MessageBody,
) -> Result<Changed, StoreError> {
    let access = store.access.clone();
    store
        .access
        .write(move |backend, effects| {
            let (access, body) = (access.clone(), body.clone());
            Box::pin(async move {
                let (message, _) = message_for(&access, backend, actor, id).await?;
                if message.user_id != Some(actor) {
                    return Err(StoreError::Forbidden);
                }
                if !message.status {
                    return Err(StoreError::Gone);
                }
                if message.content.body == body.as_str() {
                    return unchanged(backend, message).await;
                }
                sqlx::query("update public.group_chat set message = $2 where id = $1")
                    .bind(id.uuid())
                    .bind(body.as_str())
                    .execute(&mut *backend)
                    .await?;
                let change = change(backend, id).await?;
                effects.event(Event::MessageEdited(change.clone()));
                Ok(Changed::by(change))
            })
        })
        .await
}

pub(super) async fn delete(store: &PostgresStore, actor: UserId, id: MessageId) -> Result<Changed, StoreError> {
    let access = store.access.clone();
    store
        .access
        .write(move |backend, effects| {
            let access = access.clone();
            Box::pin(async move {
                let (message, role) = message_for(&access, backend, actor, id).await?;
                if message.user_id != Some(actor) && !role.manages() {
                    return Err(StoreError::Forbidden);
                }
                if !message.status {
                    return unchanged(backend, message).await;
                }
                sqlx::query("update public.group_chat set status = false where id = $1")
                    .bind(id.uuid())
                    .execute(&mut *backend)
                    .await?;
                let change = change(backend, id).await?;
                effects.event(Event::MessageDeleted(change.clone()));
                Ok(Changed::by(change))
            })
        })
        .await
}
