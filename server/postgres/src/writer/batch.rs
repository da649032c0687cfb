//! Stores messages once (G2): the id is the primary key for ever. A repeated send gets the stored row or a conflict.
//!
//! One statement stores the whole batch. It also checks membership, and holds the member's row until the commit, so
//! that no message of a member is stored after the event of the member's removal (G9). It holds the row of a conversation
//! of two in the same way: a block waits for it, and after a block it reads the row as the block has left it. The triggers
//! assign the seqs. So the seqs are read afterwards, together with the rows of ids that were already stored.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use caravana_protocol::{Content, Event, Message, MessageId, UserId};
use caravana_store::{Appended, Effects, NewMessage, StoreError, entry};
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::access::Access;
use super::super::backend::{Backend, LOCK_TIMEOUT, manners};
use super::super::log::mentions;
use super::super::rows::{MessageRow, bound, message_columns, message_joins, micros};
use super::super::{direct, ended, roles};

/// The messages of one commit.
pub(super) struct Batch<'b> {
    messages: &'b [&'b NewMessage],
    access: &'b Access,
    /// How long the triggers may wait for the groups' heads.
    patience: Duration,
    /// Messages that mention all members though their author may not.
    refused: BTreeSet<MessageId>,
}

type Stored = (Vec<Result<Appended, StoreError>>, Effects);

impl<'b> Batch<'b> {
    pub(super) fn new(messages: &'b [&'b NewMessage], access: &'b Access, patience: Duration) -> Self {
        Self { messages, access, patience, refused: BTreeSet::new() }
    }

    /// Stores the batch. The answers are in the order of the messages. An error applies to all of them: nothing is
    /// stored, or the outcome is unknown.
    pub(super) async fn store(mut self, backend: &mut Backend) -> Result<Stored, StoreError> {
        let has_extras = |new: &&NewMessage| new.content.reply_to.is_some() || new.content.mentions_anybody();
        let has_extras = self.messages.iter().any(has_extras);
        let holds_members = self.access.shape().members().is_ours();
        let is_plain = !has_extras && holds_members && !self.access.is_pooled() && self.patience == LOCK_TIMEOUT;
        let (inserted, rows) = if is_plain {
            // The single statement is the transaction. That saves two round trips to the database.
            let inserted = self.insert(backend).await?;
            (inserted, self.rows(backend).await?)
        } else {
            backend.run(&format!("begin; {}", manners(true, self.access.durability(), self.patience))).await?;
            if !holds_members {
                // No message of a user may be stored after the user's account has ended. A host's membership view does
                // not tell that the account has ended.
                let authors: Vec<UserId> = self.messages.iter().map(|new| new.user_id).collect();
                ended::hold_lives(backend, &authors).await?;
            }
            let outcome = self.insert_with_extras(backend).await;
            if outcome.is_err() {
                // If this fails too, the connection is dropped.
                backend.run("rollback").await?;
            }
            let stored = outcome?;
            backend.run("commit").await?;
            stored
        };
        let mut stored = self.answers(inserted, &rows);
        self.hide_from_strangers(backend, &mut stored.0).await?;
        self.name_closed(backend, &mut stored.0).await?;
        Ok(stored)
    }

    /// Tells only members that an id is used. An error here concerns messages that are already stored or will not be
    /// stored: a retry gets the answer.
    async fn hide_from_strangers(
        &self,
        backend: &mut Backend,
        answers: &mut [Result<Appended, StoreError>],
    ) -> Result<(), StoreError> {
        let of_conflict = |answer: &Result<Appended, StoreError>| matches!(answer, Err(StoreError::Conflict));
        let used_up = self.messages.iter().zip(&*answers).filter(|(_, answer)| of_conflict(answer));
        let (groups, users): (Vec<Uuid>, Vec<Uuid>) =
            used_up.map(|(new, _)| (new.group_id.uuid(), new.user_id.uuid())).unzip();
        if groups.is_empty() {
            return Ok(());
        }
        let statement = self.access.sql(
            "select v.group_id, v.user_id from unnest($1::uuid[], $2::uuid[]) as f (group_id, user_id) \
             join {members} v on v.group_id = f.group_id and v.user_id = f.user_id",
        );
        let members: BTreeSet<(Uuid, Uuid)> =
            sqlx::query_as(statement).bind(groups).bind(users).fetch_all(backend).await?.into_iter().collect();
        for (new, answer) in self.messages.iter().zip(answers) {
            if of_conflict(answer) && !members.contains(&(new.group_id.uuid(), new.user_id.uuid())) {
                *answer = Err(StoreError::NotFound);
            }
        }
        Ok(())
    }

    /// Tells members that nothing can be written in their conversation. An error here concerns messages that will not be
    /// stored.
    async fn name_closed(
        &self,
        backend: &mut Backend,
        answers: &mut [Result<Appended, StoreError>],
    ) -> Result<(), StoreError> {
        for (new, answer) in self.messages.iter().zip(answers) {
            let group = new.group_id;
            if matches!(answer, Err(StoreError::NotFound))
                && roles::role_of(self.access, backend, group, new.user_id).await?.is_some()
                && direct::is_closed(backend, group).await?
            {
                *answer = Err(StoreError::Blocked);
            }
        }
        Ok(())
    }

    async fn insert_with_extras(
        &mut self,
        backend: &mut Backend,
    ) -> Result<(BTreeSet<Uuid>, BTreeMap<MessageId, MessageRow>), StoreError> {
        for new in self.messages.iter().filter(|new| new.content.mentions_everyone) {
            if !mentions::may_name_everyone(self.access, backend, new.group_id, new.user_id).await? {
                self.refused.insert(new.id);
            }
        }
        let inserted = self.insert(backend).await?;
        let (mut ids, mut replies) = (Vec::new(), Vec::new());
        for new in self.messages.iter().filter(|new| inserted.contains(&new.id.uuid())) {
            if let Some(reply_to) = new.content.reply_to {
                ids.push(new.id.uuid());
                replies.push(reply_to.uuid());
            }
        }
        if !ids.is_empty() {
            sqlx::query(
                "update caravana.message m set reply_to = d.reply_to \
                 from unnest($1::uuid[], $2::uuid[]) as d (id, reply_to) where m.message_id = d.id",
            )
            .bind(ids)
            .bind(replies)
            .execute(&mut *backend)
            .await?;
        }
        let mut rows = self.rows(backend).await?;
        let mut mentioned = false;
        let mentioning = |new: &&&NewMessage| inserted.contains(&new.id.uuid()) && new.content.mentions_anybody();
        for new in self.messages.iter().filter(mentioning) {
            let Some(place) = rows.get(&new.id).map(|row| (new.group_id, row.seq(), new.id)) else { continue };
            let Content { mentions, mentions_everyone, .. } = &new.content;
            mentions::replace(self.access, backend, place, mentions, *mentions_everyone).await?;
            mentioned = true;
        }
        if mentioned {
            // Of the mentioned users, only members are stored.
            rows = self.rows(backend).await?;
        }
        Ok((inserted, rows))
    }

    /// The messages that are not refused.
    fn taken(&self) -> impl Iterator<Item = &'b NewMessage> {
        self.messages.iter().copied().filter(|new| !self.refused.contains(&new.id))
    }

    /// Inserts the messages whose author is a member, whose id is not used, whose group is not closed, and whose `reply_to`,
    /// if any, is a message of their group. Answers the ids of the inserted ones.
    async fn insert(&self, backend: &mut Backend) -> Result<BTreeSet<Uuid>, StoreError> {
        let statement = self.access.sql(
            "with held as materialized (select t.group_id, t.closed from caravana.direct t \
               where t.group_id = any($4) order by t.group_id for share) \
             insert into public.group_chat (id, created_at, user_id, group_id, message, status) \
             select d.id, d.created_at, d.user_id, d.group_id, d.message, true \
             from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[]) \
               with ordinality as d (id, created_at, user_id, group_id, message, reply_to, nr) \
             join {members} v on v.group_id = d.group_id and v.user_id = d.user_id \
             where (d.reply_to is null or exists (select from caravana.message r \
                 where r.message_id = d.reply_to and r.group_id = d.group_id)) \
               and not exists (select from caravana.message m where m.message_id = d.id) \
               and not exists (select from held t where t.group_id = d.group_id and t.closed) {author lives} \
             order by d.nr {members locked} \
             on conflict (id) do nothing returning id",
        );
        let each = |get: fn(&NewMessage) -> Uuid| self.taken().map(get).collect::<Vec<_>>();
        let times: Vec<OffsetDateTime> = self.taken().map(|new| bound(new.created_at)).collect();
        let texts: Vec<&str> = self.taken().map(|new| new.content.body.as_str()).collect();
        let replies: Vec<Option<Uuid>> = self.taken().map(|new| new.content.reply_to.map(MessageId::uuid)).collect();
        let inserted: Vec<Uuid> = sqlx::query_scalar(statement)
            .bind(each(|new| new.id.uuid()))
            .bind(times)
            .bind(each(|new| new.user_id.uuid()))
            .bind(each(|new| new.group_id.uuid()))
            .bind(texts)
            .bind(replies)
            .fetch_all(backend)
            .await?;
        Ok(inserted.into_iter().collect())
    }

    /// The places of these ids in the logs, whoever stored them.
    async fn rows(&self, backend: &mut Backend) -> Result<BTreeMap<MessageId, MessageRow>, StoreError> {
        let ids: Vec<Uuid> = self.messages.iter().map(|new| new.id.uuid()).collect();
        let rows: Vec<MessageRow> = sqlx::query_as(concat!(
            "select ",
            message_columns!(),
            " from caravana.message m left join public.group_chat c on c.id = m.message_id ",
            message_joins!(),
            " where m.message_id = any($1)"
        ))
        .bind(ids)
        .fetch_all(backend)
        .await?;
        Ok(rows.into_iter().map(|row| (row.id(), row)).collect())
    }

    fn answers(&self, mut inserted: BTreeSet<Uuid>, rows: &BTreeMap<MessageId, MessageRow>) -> Stored {
        let mut effects = Effects::default();
        let mut fresh: Vec<Message> = Vec::with_capacity(inserted.len());
        let answers = self
            .messages
            .iter()
            .map(|new| {
                let Some(row) = rows.get(&new.id) else {
                    // If stored: an adopted group that is not yet numbered gives the message its place later, and the
                    // client will retry. If not stored: the author is not a member, or `reply_to` is not a message of
                    // the group.
                    if self.refused.contains(&new.id) {
                        return Err(StoreError::Forbidden);
                    }
                    let is_stored = inserted.contains(&new.id.uuid());
                    return Err(if is_stored { unnumbered() } else { StoreError::NotFound });
                };
                if row.is_stored() {
                    let repeated = entry::repetition(new, row.to_message(), row.text());
                    // If several messages have one id, the first one that equals the stored message counts as the one
                    // that was stored.
                    if repeated.is_err() || !inserted.remove(&new.id.uuid()) {
                        return repeated;
                    }
                } else if !inserted.remove(&new.id.uuid()) {
                    // The row is deleted while its place in the log remains: the id is used.
                    return Err(StoreError::Conflict);
                }
                let message = if new.content.mentions_anybody() || new.content.reply_to.is_some() {
                    // The answered message, and those of the mentioned users who are members.
                    row.to_message()
                } else {
                    new.committed(row.seq())
                };
                fresh.push(message.clone());
                Ok(Appended { message, duplicate: false })
            })
            .collect();
        fresh.sort_by_key(|message| message.seq);
        for message in fresh {
            effects.event(Event::NewMessage(message));
        }
        (answers, effects)
    }
}

fn unnumbered() -> StoreError {
    StoreError::Unavailable("the group's old messages are still being numbered".into())
}
