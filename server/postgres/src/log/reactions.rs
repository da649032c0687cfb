//! Reactions to messages in PostgreSQL.

use caravana_protocol::{Emoji, Event, MessageId, Reaction, UserId, limits};
use caravana_store::rules::{self, Reacted};
use caravana_store::{Changed, Effects, StoreError};
use serde_json::json;
use uuid::Uuid;

use super::super::access::Access;
use super::super::backend::Backend;
use super::super::direct;
use super::super::rows::{signed, unsigned};
use super::target::{event, message_by_id, message_for, unchanged};

/// Adds or takes back a reaction.
pub(super) async fn react(
    access: &Access,
    backend: &mut Backend,
    effects: &mut Effects,
    (actor, id): (UserId, MessageId),
    emoji: &Emoji,
    on: bool,
) -> Result<Changed, StoreError> {
    let (mut message, _) = message_for(access, backend, actor, id).await?;
    if !message.status {
        return Err(StoreError::Gone);
    }
    let (is_on, own): (bool, i64) = sqlx::query_as(
        "select count(*) filter (where emoji = $3) > 0, count(*) from caravana.reaction \
         where message_id = $1 and user_id = $2",
    )
    .bind(id.uuid())
    .bind(actor.uuid())
    .bind(emoji.as_str())
    .fetch_one(&mut *backend)
    .await?;
    let is_used = message.reactions.iter().any(|reaction| reaction.emoji == emoji.as_str());
    let before = Reacted { is_on, own: unsigned(own), kinds: message.reactions.len() as u64, is_used };
    if !rules::reaction(before, on)? {
        return unchanged(backend, message).await;
    }
    direct::hold_open(backend, message.group_id).await?;
    let payload = json!({"emoji": emoji.as_str(), "on": on, "message_seq": message.seq});
    let (seq, at) = event(backend, message.group_id, "reaction_changed", (id, actor), &payload).await?;
    let statement = if on {
        "insert into caravana.reaction (message_id, user_id, emoji, seq) values ($1, $2, $3, $4)"
    } else {
        "delete from caravana.reaction where message_id = $1 and user_id = $2 and emoji = $3"
    };
    let statement = sqlx::query(statement).bind(id.uuid()).bind(actor.uuid()).bind(emoji.as_str());
    if on { statement.bind(signed(seq)) } else { statement }.execute(&mut *backend).await?;
    let change = rules::reacted(&message, (actor, emoji, on), seq, at);
    change.apply(&mut message.reactions);
    name_more(backend, id, &mut message.reactions, emoji.as_str()).await?;
    keep(backend, id, &message.reactions).await?;
    effects.event(Event::ReactionChanged(change));
    Ok(Changed { message, seq, is_new: true })
}

/// After a reaction was taken back, another member may be among the first, who are named.
async fn name_more(
    backend: &mut Backend,
    id: MessageId,
    reactions: &mut [Reaction],
    emoji: &str,
) -> Result<(), StoreError> {
    let Some(reaction) = reactions.iter_mut().find(|reaction| reaction.emoji == emoji) else { return Ok(()) };
    let named = reaction.users.len();
    if named >= limits::REACTION_USERS || named as u64 >= reaction.count {
        return Ok(());
    }
    let users: Vec<Uuid> = sqlx::query_scalar(
        "select user_id from caravana.reaction where message_id = $1 and emoji = $2 and user_id is not null \
         order by seq limit $3",
    )
    .bind(id.uuid())
    .bind(emoji)
    .bind(i64::try_from(limits::REACTION_USERS).unwrap_or(i64::MAX))
    .fetch_all(backend)
    .await?;
    reaction.users = users.into_iter().map(UserId::new).collect();
    Ok(())
}

async fn keep(backend: &mut Backend, id: MessageId, reactions: &[Reaction]) -> Result<(), StoreError> {
    let text = if reactions.is_empty() { None } else { serde_json::to_string(reactions).ok() };
    sqlx::query("update caravana.message set reactions = $2::jsonb where message_id = $1")
        .bind(id.uuid())
        .bind(text)
        .execute(backend)
        .await?;
    Ok(())
}

/// Takes the author out of up to `limit` reactions, whose account has ended. Returns whether there were some.
pub(in super::super) async fn forget(backend: &mut Backend, user: Uuid, limit: u32) -> Result<bool, StoreError> {
    let rows: Vec<(i64, Uuid, String)> = sqlx::query_as(
        "select seq, message_id, emoji from caravana.reaction where user_id = $1 order by message_id limit $2",
    )
    .bind(user)
    .bind(i64::from(limit))
    .fetch_all(&mut *backend)
    .await?;
    for (seq, id, emoji) in &rows {
        // The same order of locks as for a reaction.
        sqlx::query("select 1 from public.group_chat where id = $1 for update").bind(id).execute(&mut *backend).await?;
        sqlx::query("update caravana.reaction set user_id = null where message_id = $1 and seq = $2")
            .bind(id)
            .bind(seq)
            .execute(&mut *backend)
            .await?;
        let id = MessageId::new(*id);
        let Some(row) = message_by_id(backend, id).await? else { continue };
        let mut reactions = row.to_message().reactions;
        for reaction in reactions.iter_mut().filter(|reaction| reaction.emoji == *emoji) {
            reaction.users.retain(|known| known.uuid() != user);
        }
        name_more(backend, id, &mut reactions, emoji).await?;
        keep(backend, id, &reactions).await?;
    }
    Ok(!rows.is_empty())
}
