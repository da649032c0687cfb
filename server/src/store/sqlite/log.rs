//! The groups' logs in SQLite.

use std::collections::BTreeMap;

use async_trait::async_trait;
use caravana_protocol::limits::{REPLAY_PAGE_BYTES, REPLAY_PAGE_EVENTS};
use caravana_protocol::{Event, GroupId, Message, MessageBody, MessageChange, MessageId, Role, Seq, UserId};
use futures::future::BoxFuture;
use sqlx::{FromRow, SqliteConnection};
use tokio::sync::{mpsc, watch};

use super::super::{Anchor, Appended, Channel, Draft, Effect, History, Log, Page, StoreError};
use super::SqliteStore;
use super::rows::{
    LogRow, MessageRow, epoch, log_columns, log_joins, message_columns, signed, unsigned, user as user_id,
};

#[async_trait]
impl Log for SqliteStore {
    fn append(&self, draft: Draft) -> BoxFuture<'static, Result<Appended, StoreError>> {
        self.writer.run_simple(move |tx, effects| {
            Box::pin(async move {
                let Some(seq) = insert(tx, &draft).await? else { return stored_already(tx, &draft).await };
                let message = Message {
                    id: draft.id,
                    user_id: Some(draft.user_id),
                    group_id: draft.group_id,
                    message: draft.body.into_string(),
                    created_at: draft.created_at,
                    status: true,
                    seq,
                    reply_to: draft.reply_to,
                    edited_at: None,
                };
                effects.message(message.clone());
                Ok(Appended { message, duplicate: false })
            })
        })
    }

    async fn stored(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        let mut connection = self.readers.acquire().await?;
        Ok(message_by_id(&mut connection, id).await?.map(MessageRow::into_message))
    }

    async fn edit(
        &self,
        actor: UserId,
        id: MessageId,
        body: MessageBody,
    ) -> Result<(Message, Option<Event>), StoreError> {
        self.writer
            .run(move |tx, effects| {
                Box::pin(async move {
                    let (message, role) = message_for(tx, actor, id).await?;
                    if message.user_id != Some(actor) {
                        return Err(StoreError::Forbidden);
                    }
                    role.ok_or(StoreError::NotFound)?;
                    if !message.status {
                        return Err(StoreError::Gone);
                    }
                    if message.message == body.as_str() {
                        return Ok((message, None));
                    }
                    sqlx::query("update group_chat set message = ?2 where id = ?1")
                        .bind(id.to_string())
                        .bind(body.as_str())
                        .execute(&mut *tx)
                        .await?;
                    effects.group(message.group_id);
                    let change = change(tx, id, message.group_id).await?;
                    Ok((change.clone().into_message(), Some(Event::MessageEdited(change))))
                })
            })
            .await
    }

    async fn delete(&self, actor: UserId, id: MessageId) -> Result<(Message, Event), StoreError> {
        self.writer
            .run(move |tx, effects| {
                Box::pin(async move {
                    let (message, role) = message_for(tx, actor, id).await?;
                    let role = role.ok_or(StoreError::NotFound)?;
                    if message.user_id != Some(actor) && !role.manages() {
                        return Err(StoreError::Forbidden);
                    }
                    if !message.status {
                        return Err(StoreError::Gone);
                    }
                    sqlx::query("update group_chat set status = false where id = ?1")
                        .bind(id.to_string())
                        .execute(&mut *tx)
                        .await?;
                    effects.group(message.group_id);
                    let change = change(tx, id, message.group_id).await?;
                    Ok((change.clone().into_message(), Event::MessageDeleted(change)))
                })
            })
            .await
    }

    async fn mark_read(&self, group: GroupId, user: UserId, seq: Seq) -> Result<Seq, StoreError> {
        self.writer
            .run_simple(move |tx, _| {
                Box::pin(async move {
                    let marked: Option<i64> = sqlx::query_scalar(
                        "insert into caravana_read (group_id, user_id, seq) \
                         select h.group_id, v.user_id, min(h.head, ?3) from caravana_head h \
                         join caravana_member v on v.group_id = h.group_id and v.user_id = ?2 where h.group_id = ?1 \
                         on conflict (group_id, user_id) do update set seq = max(seq, excluded.seq) returning seq",
                    )
                    .bind(group.to_string())
                    .bind(user.to_string())
                    .bind(signed(seq))
                    .fetch_optional(tx)
                    .await?;
                    marked.map(unsigned).ok_or(StoreError::NotFound)
                })
            })
            .await
    }

    async fn channel(&self, group: GroupId) -> Result<Option<Channel>, StoreError> {
        let mut connection = self.readers.acquire().await?;
        let head: Option<(String, i64, i64)> = sqlx::query_as(
            "select h.epoch, h.head, (select count(*) from caravana_member m where m.group_id = h.group_id) \
             from caravana_head h where h.group_id = ?1",
        )
        .bind(group.to_string())
        .fetch_optional(&mut *connection)
        .await?;
        let Some((text, head, members)) = head else { return Ok(None) };
        let reads: Vec<(String, i64)> = sqlx::query_as("select user_id, seq from caravana_read where group_id = ?1")
            .bind(group.to_string())
            .fetch_all(&mut *connection)
            .await?;
        let reads: BTreeMap<UserId, Seq> =
            reads.into_iter().filter_map(|(user, seq)| Some((user_id(Some(&user))?, unsigned(seq)))).collect();
        let members = usize::try_from(members).unwrap_or(0);
        Ok(Some(Channel { epoch: epoch(&text), head: unsigned(head), members, reads }))
    }

    async fn replay(&self, group: GroupId, viewer: UserId, after: Seq) -> Result<Option<Page>, StoreError> {
        let rows: Vec<PageRow> = sqlx::query_as(concat!(
            "select h.epoch, h.head, ",
            log_columns!(),
            " from caravana_member v join caravana_head h on h.group_id = v.group_id \
             left join caravana_event e on e.group_id = v.group_id and e.seq > ?3 ",
            log_joins!(),
            " where v.group_id = ?1 and v.user_id = ?2 order by e.seq limit ?4"
        ))
        .bind(group.to_string())
        .bind(viewer.to_string())
        .bind(signed(after))
        .bind(page_limit())
        .fetch_all(&self.readers)
        .await?;
        Ok(page(group, rows))
    }

    async fn tail(&self, group: GroupId, after: Seq) -> Result<Page, StoreError> {
        let rows: Vec<PageRow> = sqlx::query_as(concat!(
            "select h.epoch, h.head, ",
            log_columns!(),
            " from caravana_head h left join caravana_event e on e.group_id = h.group_id and e.seq > ?2 ",
            log_joins!(),
            " where h.group_id = ?1 order by e.seq limit ?3"
        ))
        .bind(group.to_string())
        .bind(signed(after))
        .bind(page_limit())
        .fetch_all(&self.readers)
        .await?;
        page(group, rows).ok_or(StoreError::NotFound)
    }

    async fn history(
        &self,
        group: GroupId,
        viewer: UserId,
        anchor: Anchor,
        limit: usize,
    ) -> Result<Option<History>, StoreError> {
        let mut tx = self.readers.begin().await?;
        let head: Option<(String, i64)> = sqlx::query_as(
            "select h.epoch, h.head from caravana_head h \
             join caravana_member v on v.group_id = h.group_id and v.user_id = ?2 where h.group_id = ?1",
        )
        .bind(group.to_string())
        .bind(viewer.to_string())
        .fetch_optional(&mut *tx)
        .await?;
        let Some((text, head)) = head else { return Ok(None) };
        let (before, after) = match anchor {
            Anchor::End => (older(&mut tx, group, u64::MAX, limit).await?, (Vec::new(), false)),
            Anchor::Before(seq) => (older(&mut tx, group, seq, limit).await?, (Vec::new(), true)),
            Anchor::After(seq) => ((Vec::new(), seq > 0), newer(&mut tx, group, seq, limit).await?),
            Anchor::Around(seq) => {
                let half = limit / 2;
                let before = older(&mut tx, group, seq, half).await?;
                (before, newer(&mut tx, group, seq.saturating_sub(1), limit - half).await?)
            }
        };
        let (mut messages, has_more_before) = before;
        messages.reverse();
        let (newer_messages, has_more_after) = after;
        messages.extend(newer_messages);
        Ok(Some(History { messages, epoch: epoch(&text), head: unsigned(head), has_more_before, has_more_after }))
    }

    async fn heads(&self, groups: &[GroupId]) -> Result<Vec<(GroupId, Seq)>, StoreError> {
        let ids: Vec<String> = groups.iter().map(ToString::to_string).collect();
        let ids = serde_json::to_string(&ids).unwrap_or_default();
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "select h.group_id, h.head from json_each(?1) i join caravana_head h on h.group_id = i.value",
        )
        .bind(ids)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().filter_map(|(group, head)| Some((group.parse().ok()?, unsigned(head)))).collect())
    }

    fn take_commits(&self) -> Option<mpsc::Receiver<Vec<Effect>>> {
        self.writer.take_commits()
    }

    fn foreign_commits(&self) -> watch::Receiver<u64> {
        self.foreign_commits.clone()
    }
}

/// Inserts the message if its author is a member and what it answers is a message of the group. `None`: nothing was
/// inserted.
async fn insert(tx: &mut SqliteConnection, draft: &Draft) -> Result<Option<Seq>, StoreError> {
    let inserted = sqlx::query(
        "insert into group_chat (id, created_at, user_id, group_id, message, status) \
         select ?1, ?2, ?3, ?4, ?5, true \
         where exists (select 1 from caravana_member where group_id = ?4 and user_id = ?3) \
           and (?6 is null or exists (select 1 from caravana_message where message_id = ?6 and group_id = ?4)) \
           and not exists (select 1 from caravana_message where message_id = ?1) \
         on conflict (id) do nothing",
    )
    .bind(draft.id.to_string())
    .bind(draft.created_at.to_string())
    .bind(draft.user_id.to_string())
    .bind(draft.group_id.to_string())
    .bind(draft.body.as_str())
    .bind(draft.reply_to.map(|id| id.to_string()))
    .execute(&mut *tx)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(None);
    }
    if let Some(reply_to) = draft.reply_to {
        sqlx::query("update caravana_message set reply_to = ?2 where message_id = ?1")
            .bind(draft.id.to_string())
            .bind(reply_to.to_string())
            .execute(&mut *tx)
            .await?;
    }
    let seq: i64 = sqlx::query_scalar("select seq from caravana_message where message_id = ?1")
        .bind(draft.id.to_string())
        .fetch_one(tx)
        .await?;
    Ok(Some(unsigned(seq)))
}

/// Nothing was inserted: the id was there (answered from the stored row if it is the same message), or the author may
/// not write here.
async fn stored_already(tx: &mut SqliteConnection, draft: &Draft) -> Result<Appended, StoreError> {
    let Some(row) = message_by_id(tx, draft.id).await? else {
        // The row itself may be gone while its place in the log remains: the id is used up.
        let used: Option<i64> = sqlx::query_scalar("select 1 from caravana_message where message_id = ?1")
            .bind(draft.id.to_string())
            .fetch_optional(tx)
            .await?;
        return Err(if used.is_some() { StoreError::Conflict } else { StoreError::NotFound });
    };
    let same_text = row.text() == draft.body.as_str();
    let message = row.into_message();
    // After an edit or a deletion the stored text is no longer the one that was sent, and the sender may still be
    // waiting for the first answer.
    let changed_since = message.edited_at.is_some() || !message.status;
    let same = message.user_id == Some(draft.user_id)
        && message.group_id == draft.group_id
        && message.reply_to == draft.reply_to
        && (same_text || changed_since);
    if same { Ok(Appended { message, duplicate: true }) } else { Err(StoreError::Conflict) }
}

async fn message_by_id(connection: &mut SqliteConnection, id: MessageId) -> Result<Option<MessageRow>, StoreError> {
    Ok(sqlx::query_as(concat!(
        "select ",
        message_columns!(),
        " from group_chat c join caravana_message m on m.message_id = c.id where c.id = ?1"
    ))
    .bind(id.to_string())
    .fetch_optional(connection)
    .await?)
}

/// A message and the actor's role in its group. For somebody who is not a member it does not exist, unless they wrote
/// it (then they learn only that they may no longer).
async fn message_for(
    tx: &mut SqliteConnection,
    actor: UserId,
    id: MessageId,
) -> Result<(Message, Option<Role>), StoreError> {
    let message = message_by_id(tx, id).await?.ok_or(StoreError::NotFound)?.into_message();
    let role: Option<String> =
        sqlx::query_scalar("select role from caravana_member where group_id = ?1 and user_id = ?2")
            .bind(message.group_id.to_string())
            .bind(actor.to_string())
            .fetch_optional(tx)
            .await?;
    let role = role.ok_or(StoreError::NotFound)?;
    Ok((message, Some(Role::from_word(&role))))
}

/// The event that the last change of a message has made.
async fn change(tx: &mut SqliteConnection, id: MessageId, group: GroupId) -> Result<MessageChange, StoreError> {
    let message = message_by_id(tx, id).await?.ok_or(StoreError::NotFound)?.into_message();
    let head: i64 = sqlx::query_scalar("select head from caravana_head where group_id = ?1")
        .bind(group.to_string())
        .fetch_one(tx)
        .await?;
    let message_seq = message.seq;
    Ok(MessageChange { message: Message { seq: unsigned(head), ..message }, message_seq })
}

#[derive(FromRow)]
struct PageRow {
    epoch: String,
    head: i64,
    #[sqlx(flatten)]
    event: LogRow,
}

fn page_limit() -> i64 {
    i64::try_from(REPLAY_PAGE_EVENTS).unwrap_or(i64::MAX)
}

/// `None` when there is no row at all: no such group, or not a member of it.
fn page(group: GroupId, rows: Vec<PageRow>) -> Option<Page> {
    let first = rows.first()?;
    let (epoch, head) = (epoch(&first.epoch), unsigned(first.head));
    let mut bytes = 0;
    let mut events = Vec::with_capacity(rows.len());
    for event in rows.into_iter().filter_map(|row| row.event.into_event(group)) {
        bytes += weight(&event);
        if bytes > REPLAY_PAGE_BYTES && !events.is_empty() {
            break;
        }
        events.push(event);
    }
    Some(Page { events, epoch, head })
}

/// Bytes of the frame around a message's text, measured generously.
const ENVELOPE: usize = 420;

/// About how many bytes the event's frame has; escapes can at most double a text in practice.
fn weight(event: &Event) -> usize {
    ENVELOPE
        + match event {
            Event::NewMessage(message) => message.message.len(),
            Event::MessageEdited(change) | Event::MessageDeleted(change) => change.message.message.len(),
            Event::MemberJoined(_) | Event::MemberLeft(_) | Event::GroupUpdated(_) => 0,
        }
}

/// Messages before `seq`, descending, and whether there are more.
async fn older(
    tx: &mut SqliteConnection,
    group: GroupId,
    seq: Seq,
    limit: usize,
) -> Result<(Vec<Message>, bool), StoreError> {
    let rows: Vec<LogRow> = sqlx::query_as(concat!(
        "select ",
        log_columns!(),
        " from caravana_event e ",
        log_joins!(),
        " where e.group_id = ?1 and e.seq < ?2 and e.kind = 'new_message' order by e.seq desc limit ?3"
    ))
    .bind(group.to_string())
    .bind(signed(seq))
    .bind(signed(limit as u64 + 1))
    .fetch_all(tx)
    .await?;
    Ok(messages(group, rows, limit))
}

/// Messages after `seq`, ascending, and whether there are more.
async fn newer(
    tx: &mut SqliteConnection,
    group: GroupId,
    seq: Seq,
    limit: usize,
) -> Result<(Vec<Message>, bool), StoreError> {
    let rows: Vec<LogRow> = sqlx::query_as(concat!(
        "select ",
        log_columns!(),
        " from caravana_event e ",
        log_joins!(),
        " where e.group_id = ?1 and e.seq > ?2 and e.kind = 'new_message' order by e.seq limit ?3"
    ))
    .bind(group.to_string())
    .bind(signed(seq))
    .bind(signed(limit as u64 + 1))
    .fetch_all(tx)
    .await?;
    Ok(messages(group, rows, limit))
}

fn messages(group: GroupId, rows: Vec<LogRow>, limit: usize) -> (Vec<Message>, bool) {
    let more = rows.len() > limit;
    let messages = rows
        .into_iter()
        .take(limit)
        .filter_map(|row| match row.into_event(group)? {
            Event::NewMessage(message) => Some(message),
            Event::MessageEdited(_)
            | Event::MessageDeleted(_)
            | Event::MemberJoined(_)
            | Event::MemberLeft(_)
            | Event::GroupUpdated(_) => None,
        })
        .collect();
    (messages, more)
}
