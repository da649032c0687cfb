//! Changes of messages by their authors and the group's managers.

use caravana_protocol::{Event, MessageBody, MessageId, UserId};
use caravana_store::{Changed, StoreError};
use serde_json::json;

use super::super::PostgresStore;
use super::mentions;
use super::target::{change, event, message_for, unchanged};

pub(super) async fn edit(
    store: &PostgresStore,
    actor: UserId,
    id: MessageId,
    body: MessageBody,
    mentions: Option<Vec<UserId>>,
) -> Result<Changed, StoreError> {
    let access = store.access.clone();
    store
        .access
        .write(move |backend, effects| {
            let (access, body, mentions) = (access.clone(), body.clone(), mentions.clone());
            Box::pin(async move {
                let (message, _) = message_for(&access, backend, actor, id).await?;
                if message.user_id != Some(actor) {
                    return Err(StoreError::Forbidden);
                }
                if !message.status {
                    return Err(StoreError::Gone);
                }
                let mut differs = false;
                if let Some(mentions) = mentions {
                    let (place, everyone) = ((message.group_id, message.seq, id), message.content.mentions_everyone);
                    let now = mentions::replace(&access, backend, place, &mentions, everyone).await?;
                    differs = now != message.content.mentions;
                }
                if message.content.body != body.as_str() {
                    sqlx::query("update public.group_chat set message = $2 where id = $1")
                        .bind(id.uuid())
                        .bind(body.as_str())
                        .execute(&mut *backend)
                        .await?;
                } else if differs {
                    event(backend, message.group_id, "message_edited", (id, actor), &json!({})).await?;
                } else {
                    return unchanged(backend, message).await;
                }
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
