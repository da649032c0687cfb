//! The groups' logs in SQLite.

mod append;
mod mentions;
mod pages;
mod pins;
mod reactions;
mod reads;
mod target;

use std::collections::BTreeMap;

use async_trait::async_trait;
use caravana_protocol::limits::REPLAY_PIECE_BYTES;
use caravana_protocol::rest::Group;
use caravana_protocol::{Emoji, Event, GroupId, Message, MessageBody, MessageId, Role, Seq, UserId};
use caravana_store::pages::{self as store_pages, Sides, page_limit};
use caravana_store::{
    Anchor, Appended, Changed, Effect, GroupState, Hints, History, Log, Marked, NewMessage, Page, StoreError,
};
use futures::future::BoxFuture;
use tokio::sync::mpsc;

use super::rows::{MessageRow, epoch, log_columns, log_joins, signed, unsigned, user as user_id};
use super::{SqliteStore, groups, roles};
use append::insert;
pub(super) use append::stored_already;
use pages::{PageRow, besides_messages, newer, older, page};
pub(super) use reactions::forget as forget_reactions;
use target::{change, message_by_id, message_for, unchanged};

#[async_trait]
impl Log for SqliteStore {
    fn append(&self, new: NewMessage) -> BoxFuture<'static, Result<Appended, StoreError>> {
        if new.content.reply_to.is_none() && !new.content.mentions_anybody() {
            return self.writer.send(new);
        }
        self.writer.run_simple(move |tx, effects| {
            Box::pin(async move {
                if insert(tx, &new).await?.is_none() {
                    return stored_already(tx, &new).await;
                }
                // Read again: the answered message, and those of the mentioned users who are members.
                let message = message_by_id(tx, new.id).await?.ok_or(StoreError::NotFound)?.into_message();
                effects.event(Event::NewMessage(message.clone()));
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
        mentions: Option<Vec<UserId>>,
    ) -> Result<Changed, StoreError> {
        self.writer
            .run(move |tx, effects| {
                Box::pin(async move {
                    let (message, _) = message_for(tx, actor, id).await?;
                    if message.user_id != Some(actor) {
                        return Err(StoreError::Forbidden);
                    }
                    if !message.status {
                        return Err(StoreError::Gone);
                    }
                    let place = (message.group_id, message.seq, id);
                    let mut differs = false;
                    if let Some(mentions) = mentions {
                        let everyone = message.content.mentions_everyone;
                        differs = mentions::replace(tx, place, &mentions, everyone).await? != message.content.mentions;
                    }
                    if message.content.body != body.as_str() {
                        sqlx::query("update group_chat set message = ?2 where id = ?1")
                            .bind(id.to_string())
                            .bind(body.as_str())
                            .execute(&mut *tx)
                            .await?;
                    } else if differs {
                        mentions::changed_alone(tx, message.group_id, id, actor).await?;
                    } else {
                        return unchanged(tx, message).await;
                    }
                    let change = change(tx, id, message.group_id).await?;
                    effects.event(Event::MessageEdited(change.clone()));
                    Ok(Changed::by(change))
                })
            })
            .await
    }

    async fn delete(&self, actor: UserId, id: MessageId) -> Result<Changed, StoreError> {
        self.writer
            .run(move |tx, effects| {
                Box::pin(async move {
                    let (message, role) = message_for(tx, actor, id).await?;
                    if message.user_id != Some(actor) && !role.manages() {
                        return Err(StoreError::Forbidden);
                    }
                    if !message.status {
                        return unchanged(tx, message).await;
                    }
                    sqlx::query("update group_chat set status = false where id = ?1")
                        .bind(id.to_string())
                        .execute(&mut *tx)
                        .await?;
                    let change = change(tx, id, message.group_id).await?;
                    effects.event(Event::MessageDeleted(change.clone()));
                    Ok(Changed::by(change))
                })
            })
            .await
    }

    async fn react(&self, actor: UserId, id: MessageId, emoji: Emoji, on: bool) -> Result<Changed, StoreError> {
        self.writer
            .run(move |tx, effects| Box::pin(async move { reactions::react(tx, effects, actor, id, &emoji, on).await }))
            .await
    }

    async fn pin(&self, actor: UserId, id: MessageId, on: bool) -> Result<Changed, StoreError> {
        self.writer.run(move |tx, effects| Box::pin(async move { pins::pin(tx, effects, actor, id, on).await })).await
    }

    async fn pins(&self, group: GroupId, viewer: UserId) -> Result<Option<Vec<Message>>, StoreError> {
        if self.role(group, viewer).await?.is_none() {
            return Ok(None);
        }
        let mut connection = self.readers.acquire().await?;
        Ok(Some(pins::pins(&mut connection, group).await?))
    }

    async fn readers(&self, actor: UserId, id: MessageId) -> Result<Vec<UserId>, StoreError> {
        let mut connection = self.readers.acquire().await?;
        reads::readers(&mut connection, actor, id).await
    }

    async fn mark_read(&self, group: GroupId, user: UserId, seq: Seq) -> Result<Marked, StoreError> {
        self.writer
            .run_simple(move |tx, _| {
                Box::pin(async move {
                    let marked: Option<(i64, bool)> = sqlx::query_as(
                        "insert into caravana_read (group_id, user_id, seq) \
                         select h.group_id, v.user_id, min(h.head, ?3) from caravana_head h \
                         join caravana_member v on v.group_id = h.group_id and v.user_id = ?2 where h.group_id = ?1 \
                         on conflict (group_id, user_id) do update set seq = max(seq, excluded.seq) returning seq, \
                         coalesce((select p.share_reads from caravana_privacy p where p.user_id = ?2), true)",
                    )
                    .bind(group.to_string())
                    .bind(user.to_string())
                    .bind(signed(seq))
                    .fetch_optional(tx)
                    .await?;
                    let (seq, is_shared) = marked.ok_or(StoreError::NotFound)?;
                    Ok(Marked { seq: unsigned(seq), is_shared })
                })
            })
            .await
    }

    async fn group_state(&self, group: GroupId) -> Result<Option<GroupState>, StoreError> {
        let mut connection = self.readers.acquire().await?;
        let head: Option<(String, i64)> = sqlx::query_as("select epoch, head from caravana_head where group_id = ?1")
            .bind(group.to_string())
            .fetch_optional(&mut *connection)
            .await?;
        let Some((text, head)) = head else { return Ok(None) };
        // Read after the head: a member who joins or leaves between the two reads has an event after this head, so the
        // hub adds or removes the member a second time, which is harmless.
        let members: Vec<String> = sqlx::query_scalar("select user_id from caravana_member where group_id = ?1")
            .bind(group.to_string())
            .fetch_all(&mut *connection)
            .await?;
        let reads: Vec<(String, i64)> = sqlx::query_as("select user_id, seq from caravana_read where group_id = ?1")
            .bind(group.to_string())
            .fetch_all(&mut *connection)
            .await?;
        let reads: BTreeMap<UserId, Seq> =
            reads.into_iter().filter_map(|(user, seq)| Some((user_id(Some(&user))?, unsigned(seq)))).collect();
        let hidden: Vec<String> = sqlx::query_scalar(
            "select p.user_id from caravana_member m join caravana_privacy p on p.user_id = m.user_id \
             where m.group_id = ?1 and not p.share_reads",
        )
        .bind(group.to_string())
        .fetch_all(&mut *connection)
        .await?;
        let is_closed =
            sqlx::query_scalar("select exists (select 1 from caravana_direct where group_id = ?1 and closed)")
                .bind(group.to_string())
                .fetch_one(&mut *connection)
                .await?;
        let [members, hidden] =
            [members, hidden].map(|users| users.iter().filter_map(|user| user_id(Some(user))).collect());
        Ok(Some(GroupState { epoch: epoch(&text), head: unsigned(head), members, reads, hidden, is_closed }))
    }

    async fn role(&self, group: GroupId, user: UserId) -> Result<Option<Role>, StoreError> {
        roles::role(self, group, user).await
    }

    async fn membership(&self, group: GroupId, user: UserId) -> Result<Option<Group>, StoreError> {
        groups::one(self, group, user).await
    }

    async fn replay(
        &self,
        group: GroupId,
        viewer: UserId,
        after: Seq,
        most: usize,
    ) -> Result<Option<Page>, StoreError> {
        let rows = sqlx::query_as::<_, PageRow>(concat!(
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
        .fetch(&self.readers);
        page(group, rows, most).await
    }

    async fn tail(&self, group: GroupId, after: Seq) -> Result<Page, StoreError> {
        let rows = sqlx::query_as::<_, PageRow>(concat!(
            "select h.epoch, h.head, ",
            log_columns!(),
            " from caravana_head h left join caravana_event e on e.group_id = h.group_id and e.seq > ?2 ",
            log_joins!(),
            " where h.group_id = ?1 order by e.seq limit ?3"
        ))
        .bind(group.to_string())
        .bind(signed(after))
        .bind(page_limit())
        .fetch(&self.readers);
        page(group, rows, REPLAY_PIECE_BYTES).await?.ok_or(StoreError::NotFound)
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
        let sides = Sides::of(anchor, limit);
        let before = match sides.older {
            Some((seq, limit)) => Some(older(&mut tx, group, seq, limit).await?),
            None => None,
        };
        let after = match sides.newer {
            Some((seq, limit)) => Some(newer(&mut tx, group, seq, limit).await?),
            None => None,
        };
        let mut page = store_pages::history(anchor, (epoch(&text), unsigned(head)), before, after);
        page.events = besides_messages(&mut tx, group, store_pages::part(anchor, &page)).await?;
        Ok(Some(page))
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

    fn commits(&self) -> mpsc::Receiver<Vec<Effect>> {
        self.writer.commits()
    }

    fn hints(&self) -> Hints {
        self.hints.listen()
    }
}
