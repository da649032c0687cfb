//! The groups' logs in PostgreSQL.

mod changes;
pub(super) mod mentions;
mod pages;
mod pins;
pub(super) mod reactions;
mod reads;
mod target;

use async_trait::async_trait;
use caravana_protocol::limits::REPLAY_PIECE_BYTES;
use caravana_protocol::rest::Group;
use caravana_protocol::{Emoji, Epoch, GroupId, Message, MessageBody, MessageId, Role, Seq, UserId};
use caravana_store::pages::{self as store_pages, Sides};
use caravana_store::{
    Anchor, Appended, Changed, Effect, GroupState, Hints, History, Log, Marked, NewMessage, Page, StoreError,
};
use futures::future::BoxFuture;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::rows::{MessageRow, log_columns, log_joins, micros, signed, unsigned};
use super::{PostgresStore, groups, roles};
use pages::{besides_messages, newer, older, page, page_end};
use target::message_by_id;

#[async_trait]
impl Log for PostgresStore {
    fn append(&self, message: NewMessage) -> BoxFuture<'static, Result<Appended, StoreError>> {
        self.writer.append(message)
    }

    async fn stored(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        let row = self.access.ask(|backend| Box::pin(async move { message_by_id(backend, id).await })).await?;
        Ok(row.filter(MessageRow::is_stored).map(|row| row.to_message()))
    }

    async fn edit(
        &self,
        actor: UserId,
        id: MessageId,
        body: MessageBody,
        mentions: Option<Vec<UserId>>,
    ) -> Result<Changed, StoreError> {
        changes::edit(self, actor, id, body, mentions).await
    }

    async fn react(&self, actor: UserId, id: MessageId, emoji: Emoji, on: bool) -> Result<Changed, StoreError> {
        let access = self.access.clone();
        self.access
            .write(move |backend, effects| {
                let (access, emoji) = (access.clone(), emoji.clone());
                Box::pin(async move { reactions::react(&access, backend, effects, (actor, id), &emoji, on).await })
            })
            .await
    }

    async fn pin(&self, actor: UserId, id: MessageId, on: bool) -> Result<Changed, StoreError> {
        let access = self.access.clone();
        self.access
            .write(move |backend, effects| {
                let access = access.clone();
                Box::pin(async move { pins::pin(&access, backend, effects, (actor, id), on).await })
            })
            .await
    }

    async fn pins(&self, group: GroupId, viewer: UserId) -> Result<Option<Vec<Message>>, StoreError> {
        if self.role(group, viewer).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(pins::pins(self, group).await?))
    }

    async fn readers(&self, actor: UserId, id: MessageId) -> Result<Vec<UserId>, StoreError> {
        reads::readers(self, actor, id).await
    }

    async fn delete(&self, actor: UserId, id: MessageId) -> Result<Changed, StoreError> {
        changes::delete(self, actor, id).await
    }

    async fn mark_read(&self, group: GroupId, user: UserId, seq: Seq) -> Result<Marked, StoreError> {
        let marked: Option<(i64, bool)> = self
            .access
            .ask(|backend| {
                let statement = self.access.sql(
                    "insert into caravana.read as r (group_id, user_id, seq) \
                     select h.group_id, v.user_id, least(h.head, $3) from caravana.head h \
                     join {members} v on v.group_id = h.group_id and v.user_id = $2 where h.group_id = $1 limit 1 \
                     {members locked} on conflict (group_id, user_id) do update set seq = greatest(r.seq, excluded.seq) \
                     returning seq, coalesce((select p.share_reads from caravana.privacy p where p.user_id = $2), true)",
                );
                Box::pin(async move {
                    let question = sqlx::query_as(statement).bind(group.uuid()).bind(user.uuid()).bind(signed(seq));
                    Ok(question.fetch_optional(backend).await?)
                })
            })
            .await?;
        let (seq, is_shared) = marked.ok_or(StoreError::NotFound)?;
        Ok(Marked { seq: unsigned(seq), is_shared })
    }

    async fn group_state(&self, group: GroupId) -> Result<Option<GroupState>, StoreError> {
        type Row = (Uuid, i64, Vec<Option<Uuid>>, Vec<Uuid>, Vec<i64>, Vec<Uuid>, bool);
        let row: Option<Row> = self
            .access
            .ask(|backend| {
                let statement = self.access.sql(
                    "select h.epoch, h.head, array(select v.user_id from {members} v where v.group_id = $1), \
                     array(select r.user_id from caravana.read r where r.group_id = $1 order by r.user_id), \
                     array(select r.seq from caravana.read r where r.group_id = $1 order by r.user_id), \
                     array(select p.user_id from {members} v join caravana.privacy p on p.user_id = v.user_id \
                       where v.group_id = $1 and not p.share_reads), \
                     exists (select from caravana.direct d where d.group_id = $1 and d.closed) \
                     from caravana.head h where h.group_id = $1",
                );
                Box::pin(async move { Ok(sqlx::query_as(statement).bind(group.uuid()).fetch_optional(backend).await?) })
            })
            .await?;
        let Some((epoch, head, members, readers, seqs, hidden, is_closed)) = row else { return Ok(None) };
        let reads = readers.into_iter().map(UserId::new).zip(seqs.into_iter().map(unsigned)).collect();
        let members = members.into_iter().flatten().map(UserId::new).collect();
        let hidden = hidden.into_iter().map(UserId::new).collect();
        Ok(Some(GroupState { epoch: Epoch::new(epoch), head: unsigned(head), members, reads, hidden, is_closed }))
    }

    async fn role(&self, group: GroupId, user: UserId) -> Result<Option<Role>, StoreError> {
        self.access
            .ask(|backend| {
                let access = self.access.clone();
                Box::pin(async move { roles::role_of(&access, backend, group, user).await })
            })
            .await
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
        self.access
            .ask(|backend| {
                let statement = self.access.sql(concat!(
                    "select h.epoch, h.head, ",
                    log_columns!(),
                    " from (select v.group_id from {members} v where v.group_id = $1 and v.user_id = $2 limit 1) v \
                     join caravana.head h on h.group_id = v.group_id \
                     left join caravana.event e on e.group_id = v.group_id and e.seq > $3 and e.seq <= $4 ",
                    log_joins!(),
                    " order by e.seq"
                ));
                Box::pin(async move {
                    let question = sqlx::query_as(statement).bind(group.uuid()).bind(viewer.uuid());
                    page(group, question.bind(signed(after)).bind(page_end(after)).fetch(backend), most).await
                })
            })
            .await
    }

    async fn tail(&self, group: GroupId, after: Seq) -> Result<Page, StoreError> {
        let page = self
            .access
            .ask(|backend| {
                let statement = self.access.sql(concat!(
                    "select h.epoch, h.head, ",
                    log_columns!(),
                    " from caravana.head h \
                     left join caravana.event e on e.group_id = h.group_id and e.seq > $2 and e.seq <= $3 ",
                    log_joins!(),
                    " where h.group_id = $1 order by e.seq"
                ));
                Box::pin(async move {
                    let question = sqlx::query_as(statement).bind(group.uuid()).bind(signed(after));
                    page(group, question.bind(page_end(after)).fetch(backend), REPLAY_PIECE_BYTES).await
                })
            })
            .await?;
        page.ok_or(StoreError::NotFound)
    }

    async fn history(
        &self,
        group: GroupId,
        viewer: UserId,
        anchor: Anchor,
        limit: usize,
    ) -> Result<Option<History>, StoreError> {
        self.access
            .ask_in_snapshot(|backend| {
                let statement = self.access.sql(
                    "select h.epoch, h.head from caravana.head h \
                     join {members} v on v.group_id = h.group_id and v.user_id = $2 where h.group_id = $1 limit 1",
                );
                let access = self.access.clone();
                Box::pin(async move {
                    let question = sqlx::query_as(statement).bind(group.uuid()).bind(viewer.uuid());
                    let head: Option<(Uuid, i64)> = question.fetch_optional(&mut *backend).await?;
                    let Some((epoch, head)) = head else { return Ok(None) };
                    let sides = Sides::of(anchor, limit);
                    let before = match sides.older {
                        Some((seq, limit)) => Some(older(&access, backend, group, seq, limit).await?),
                        None => None,
                    };
                    let after = match sides.newer {
                        Some((seq, limit)) => Some(newer(&access, backend, group, seq, limit).await?),
                        None => None,
                    };
                    let head = (Epoch::new(epoch), unsigned(head));
                    let mut page = store_pages::history(anchor, head, before, after);
                    page.events = besides_messages(&access, backend, group, store_pages::part(anchor, &page)).await?;
                    Ok(Some(page))
                })
            })
            .await
    }

    async fn heads(&self, groups: &[GroupId]) -> Result<Vec<(GroupId, Seq)>, StoreError> {
        let ids: Vec<Uuid> = groups.iter().map(|group| group.uuid()).collect();
        let rows: Vec<(Uuid, i64)> = self
            .access
            .ask(|backend| {
                let ids = ids.clone();
                Box::pin(async move {
                    let question = sqlx::query_as("select group_id, head from caravana.head where group_id = any($1)");
                    Ok(question.bind(ids).fetch_all(backend).await?)
                })
            })
            .await?;
        Ok(rows.into_iter().map(|(group, head)| (GroupId::new(group), unsigned(head))).collect())
    }

    fn tells_removals(&self) -> bool {
        self.access.shape().members().is_ours()
    }

    async fn strangers(&self, followers: &[(GroupId, UserId)]) -> Result<Vec<(GroupId, UserId)>, StoreError> {
        let groups: Vec<Uuid> = followers.iter().map(|(group, _)| group.uuid()).collect();
        let users: Vec<Uuid> = followers.iter().map(|(_, user)| user.uuid()).collect();
        let rows: Vec<(Uuid, Uuid)> = self
            .access
            .ask(|backend| {
                let (groups, users) = (groups.clone(), users.clone());
                let statement = self.access.sql(
                    "select f.group_id, f.user_id from unnest($1::uuid[], $2::uuid[]) as f (group_id, user_id) \
                     where not exists (select from {members} v where v.group_id = f.group_id and v.user_id = f.user_id)",
                );
                Box::pin(async move { Ok(sqlx::query_as(statement).bind(groups).bind(users).fetch_all(backend).await?) })
            })
            .await?;
        Ok(rows.into_iter().map(|(group, user)| (GroupId::new(group), UserId::new(user))).collect())
    }

    fn commits(&self) -> mpsc::Receiver<Vec<Effect>> {
        self.access.commits().subscribe()
    }

    fn hints(&self) -> Hints {
        self.hints.listen()
    }
}
