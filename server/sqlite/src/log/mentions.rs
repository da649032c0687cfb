//! Whom messages mention, in SQLite.

use caravana_protocol::{GroupId, MessageId, Role, Seq, UserId};
use caravana_store::{StoreError, rules};
use serde_json::json;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::super::rows::{signed, unsigned};
use super::target::event;

/// Keeps those of `mentions` who are members, and whom the message mentions now. `everyone` was allowed before.
pub(super) async fn replace(
    tx: &mut SqliteConnection,
    (group, seq, id): (GroupId, Seq, MessageId),
    mentions: &[UserId],
    everyone: bool,
) -> Result<Vec<UserId>, StoreError> {
    let mut members = Vec::with_capacity(mentions.len());
    for user in mentions {
        let is_member: Option<i64> =
            sqlx::query_scalar("select 1 from caravana_member where group_id = ?1 and user_id = ?2")
                .bind(group.to_string())
                .bind(user.to_string())
                .fetch_optional(&mut *tx)
                .await?;
        if is_member.is_some() {
            members.push(*user);
        }
    }
    sqlx::query("delete from caravana_mention where message_id = ?").bind(id.to_string()).execute(&mut *tx).await?;
    for user in members.iter().map(UserId::to_string).chain(everyone.then(|| Uuid::nil().to_string())) {
        sqlx::query(
            "insert or ignore into caravana_mention (user_id, group_id, seq, message_id) values (?1, ?2, ?3, ?4)",
        )
        .bind(user)
        .bind(group.to_string())
        .bind(signed(seq))
        .bind(id.to_string())
        .execute(&mut *tx)
        .await?;
    }
    let text = if members.is_empty() { None } else { serde_json::to_string(&members).ok() };
    sqlx::query("update caravana_message set mentions = ?2, mentions_everyone = ?3 where message_id = ?1")
        .bind(id.to_string())
        .bind(text)
        .bind(everyone)
        .execute(tx)
        .await?;
    Ok(members)
}

/// Refuses a mention of all members by somebody who may not.
pub(super) async fn check_everyone(tx: &mut SqliteConnection, group: GroupId, user: UserId) -> Result<(), StoreError> {
    let (role, members): (Option<String>, i64) = sqlx::query_as(
        "select (select role from caravana_member where group_id = ?1 and user_id = ?2), \
         (select count(*) from caravana_member where group_id = ?1)",
    )
    .bind(group.to_string())
    .bind(user.to_string())
    .fetch_one(tx)
    .await?;
    let role = role.ok_or(StoreError::NotFound)?;
    let may = rules::may_mention_everyone(Role::from_word(&role), unsigned(members));
    if may { Ok(()) } else { Err(StoreError::Forbidden) }
}

/// Writes the event of an edit that changed the mentions only.
pub(super) async fn changed_alone(
    tx: &mut SqliteConnection,
    group: GroupId,
    id: MessageId,
    actor: UserId,
) -> Result<(), StoreError> {
    sqlx::query("update caravana_message set edited_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') where message_id = ?")
        .bind(id.to_string())
        .execute(&mut *tx)
        .await?;
    event(tx, group, "message_edited", id, actor, &json!({})).await?;
    Ok(())
}
