//! Reactions to messages in SQLite.

use caravana_protocol::{Emoji, Event, MessageId, Reaction, UserId, limits};
use caravana_store::rules::{self, Reacted};
use caravana_store::{Changed, Effects, StoreError};
use serde_json::json;
use sqlx::SqliteConnection;

use super::super::direct;
use super::super::rows::{signed, unsigned};
use super::target::{event, message_by_id, message_for, unchanged};

/// Adds or takes back a reaction.
pub(super) async fn react(
    tx: &mut SqliteConnection,
    effects: &mut Effects,
    actor: UserId,
    id: MessageId,
    emoji: &Emoji,
    on: bool,
) -> Result<Changed, StoreError> {
    let (mut message, _) = message_for(tx, actor, id).await?;
    if !message.status {
        return Err(StoreError::Gone);
    }
    let (is_on, own): (bool, i64) = sqlx::query_as(
        "select count(case when emoji = ?3 then 1 end) > 0, count(*) from caravana_reaction \
         where message_id = ?1 and user_id = ?2",
    )
    .bind(id.to_string())
    .bind(actor.to_string())
    .bind(emoji.as_str())
    .fetch_one(&mut *tx)
    .await?;
    let is_used = message.reactions.iter().any(|reaction| reaction.emoji == emoji.as_str());
    let before = Reacted { is_on, own: unsigned(own), kinds: message.reactions.len() as u64, is_used };
    if !rules::reaction(before, on)? {
        return unchanged(tx, message).await;
    }
    direct::open_only(tx, &message.group_id.to_string()).await?;
    let payload = json!({"emoji": emoji.as_str(), "on": on, "message_seq": message.seq});
    let (seq, at) = event(tx, message.group_id, "reaction_changed", id, actor, &payload).await?;
    let statement = if on {
        "insert into caravana_reaction (message_id, user_id, emoji, seq) values (?1, ?2, ?3, ?4)"
    } else {
        "delete from caravana_reaction where message_id = ?1 and user_id = ?2 and emoji = ?3"
    };
    let statement = sqlx::query(statement).bind(id.to_string()).bind(actor.to_string()).bind(emoji.as_str());
    if on { statement.bind(signed(seq)) } else { statement }.execute(&mut *tx).await?;
    let change = rules::reacted(&message, (actor, emoji, on), seq, at);
    change.apply(&mut message.reactions);
    name_more(tx, id, &mut message.reactions, emoji.as_str()).await?;
    keep(tx, id, &message.reactions).await?;
    effects.event(Event::ReactionChanged(change));
    Ok(Changed { message, seq, is_new: true })
}

/// After a reaction was taken back, another member may be among the first, who are named.
async fn name_more(
    tx: &mut SqliteConnection,
    id: MessageId,
    reactions: &mut [Reaction],
    emoji: &str,
) -> Result<(), StoreError> {
    let Some(reaction) = reactions.iter_mut().find(|reaction| reaction.emoji == emoji) else { return Ok(()) };
    let named = reaction.users.len();
    if named >= limits::REACTION_USERS || named as u64 >= reaction.count {
        return Ok(());
    }
    let users: Vec<String> = sqlx::query_scalar(
        "select user_id from caravana_reaction where message_id = ?1 and emoji = ?2 and user_id is not null \
         order by seq limit ?3",
    )
    .bind(id.to_string())
    .bind(emoji)
    .bind(i64::try_from(limits::REACTION_USERS).unwrap_or(i64::MAX))
    .fetch_all(tx)
    .await?;
    reaction.users = users.iter().filter_map(|user| user.parse().ok()).collect();
    Ok(())
}

async fn keep(tx: &mut SqliteConnection, id: MessageId, reactions: &[Reaction]) -> Result<(), StoreError> {
    let text = if reactions.is_empty() { None } else { serde_json::to_string(reactions).ok() };
    sqlx::query("update caravana_message set reactions = ?2 where message_id = ?1")
        .bind(id.to_string())
        .bind(text)
        .execute(tx)
        .await?;
    Ok(())
}

/// Takes the author out of up to `limit` reactions, whose account has ended. Returns whether there were some.
pub(in super::super) async fn forget(tx: &mut SqliteConnection, user: &str, limit: u32) -> Result<bool, StoreError> {
    let rows: Vec<(i64, String, String)> =
        sqlx::query_as("select seq, message_id, emoji from caravana_reaction where user_id = ? limit ?")
            .bind(user)
            .bind(limit)
            .fetch_all(&mut *tx)
            .await?;
    for (seq, id, emoji) in &rows {
        sqlx::query("update caravana_reaction set user_id = null where message_id = ? and seq = ?")
            .bind(id)
            .bind(seq)
            .execute(&mut *tx)
            .await?;
        let Ok(id) = id.parse() else { continue };
        let Some(row) = message_by_id(tx, id).await? else { continue };
        let mut reactions = row.into_message().reactions;
        for reaction in reactions.iter_mut().filter(|reaction| reaction.emoji == *emoji) {
            reaction.users.retain(|known| known.to_string() != user);
        }
        name_more(tx, id, &mut reactions, emoji).await?;
        keep(tx, id, &reactions).await?;
    }
    Ok(!rows.is_empty())
}
