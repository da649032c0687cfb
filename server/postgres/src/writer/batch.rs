//! Stores messages once (G2): the id is the primary key for ever. A repeated send gets the stored row or a conflict.
//!
//! One statement stores the whole batch. It also checks membership, and holds the member's row until the commit, so
//! that no message of a member is stored after the event of the member's removal (G9). The triggers assign the seqs. So
//! the seqs are read afterwards, together with the rows of ids that were already stored.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use caravana_protocol::{Event, Message, MessageId, UserId};
use caravana_store::{Appended, Draft, Effects, StoreError, entry};
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::access::Access;
use super::super::backend::{Backend, LOCK_TIMEOUT, manners};
use super::super::ended;
use super::super::rows::{MessageRow, bound, message_columns, micros};

/// The messages of one commit.
pub(super) struct Batch<'b> {
    drafts: &'b [&'b Draft],
    access: &'b Access,
    /// How long the triggers may wait for the groups' heads.
    patience: Duration,
}

type Stored = (Vec<Result<Appended, StoreError>>, Effects);

impl<'b> Batch<'b> {
    pub(super) fn new(drafts: &'b [&'b Draft], access: &'b Access, patience: Duration) -> Self {
        Self { drafts, access, patience }
    }

    /// Stores the batch. The answers are in the order of the drafts. An error applies to all of them: nothing is
    /// stored, or the outcome is unknown.
    pub(super) async fn store(self, backend: &mut Backend) -> Result<Stored, StoreError> {
        let has_replies = self.drafts.iter().any(|draft| draft.content.reply_to.is_some());
        let holds_members = self.access.shape().members().is_ours();
        let is_plain = !has_replies && holds_members && !self.access.is_pooled() && self.patience == LOCK_TIMEOUT;
        let (inserted, rows) = if is_plain {
            // The single statement is the transaction. That saves two round trips to the database.
            let inserted = self.insert(backend).await?;
            (inserted, self.rows(backend).await?)
        } else {
            backend.run(&format!("begin; {}", manners(true, self.access.durability(), self.patience))).await?;
            if !holds_members {
                // No message of a user may be stored after the user's account has ended. A host's membership view does
                // not tell that the account has ended.
                let authors: Vec<UserId> = self.drafts.iter().map(|draft| draft.user_id).collect();
                ended::hold_lives(backend, &authors).await?;
            }
            let outcome = self.insert_with_replies(backend).await;
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
        let used_up = self.drafts.iter().zip(&*answers).filter(|(_, answer)| of_conflict(answer));
        let (groups, users): (Vec<Uuid>, Vec<Uuid>) =
            used_up.map(|(draft, _)| (draft.group_id.uuid(), draft.user_id.uuid())).unzip();
        if groups.is_empty() {
            return Ok(());
        }
        let statement = self.access.sql(
            "select v.group_id, v.user_id from unnest($1::uuid[], $2::uuid[]) as f (group_id, user_id) \
             join {members} v on v.group_id = f.group_id and v.user_id = f.user_id",
        );
        let members: BTreeSet<(Uuid, Uuid)> =
            sqlx::query_as(statement).bind(groups).bind(users).fetch_all(backend).await?.into_iter().collect();
        for (draft, answer) in self.drafts.iter().zip(answers) {
            if of_conflict(answer) && !members.contains(&(draft.group_id.uuid(), draft.user_id.uuid())) {
                *answer = Err(StoreError::NotFound);
            }
        }
        Ok(())
    }

    async fn insert_with_replies(
        &self,
        backend: &mut Backend,
    ) -> Result<(BTreeSet<Uuid>, BTreeMap<MessageId, MessageRow>), StoreError> {
        let inserted = self.insert(backend).await?;
        let (mut ids, mut replies) = (Vec::new(), Vec::new());
        for draft in self.drafts.iter().filter(|draft| inserted.contains(&draft.id.uuid())) {
            if let Some(reply_to) = draft.content.reply_to {
                ids.push(draft.id.uuid());
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
        Ok((inserted, self.rows(backend).await?))
    }

    /// Inserts the drafts whose author is a member, whose id is not used, and whose `reply_to`, if any, is a message of
    /// their group. Answers the ids of the inserted ones.
    async fn insert(&self, backend: &mut Backend) -> Result<BTreeSet<Uuid>, StoreError> {
        let statement = self.access.sql(
            "insert into public.group_chat (id, created_at, user_id, group_id, message, status) \
             select d.id, d.created_at, d.user_id, d.group_id, d.message, true \
             from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[]) \
               with ordinality as d (id, created_at, user_id, group_id, message, reply_to, nr) \
             join {members} v on v.group_id = d.group_id and v.user_id = d.user_id \
             where (d.reply_to is null or exists (select from caravana.message r \
                 where r.message_id = d.reply_to and r.group_id = d.group_id)) \
               and not exists (select from caravana.message m where m.message_id = d.id) {author lives} \
             order by d.nr {members locked} \
             on conflict (id) do nothing returning id",
        );
        let each = |get: fn(&Draft) -> Uuid| self.drafts.iter().map(|draft| get(draft)).collect::<Vec<_>>();
        let times: Vec<OffsetDateTime> = self.drafts.iter().map(|draft| bound(draft.created_at)).collect();
        let texts: Vec<&str> = self.drafts.iter().map(|draft| draft.content.body.as_str()).collect();
        let replies: Vec<Option<Uuid>> =
            self.drafts.iter().map(|draft| draft.content.reply_to.map(MessageId::uuid)).collect();
        let inserted: Vec<Uuid> = sqlx::query_scalar(statement)
            .bind(each(|draft| draft.id.uuid()))
            .bind(times)
            .bind(each(|draft| draft.user_id.uuid()))
            .bind(each(|draft| draft.group_id.uuid()))
            .bind(texts)
            .bind(replies)
            .fetch_all(backend)
            .await?;
        Ok(inserted.into_iter().collect())
    }

    /// The places of these ids in the logs, whoever stored them.
    async fn rows(&self, backend: &mut Backend) -> Result<BTreeMap<MessageId, MessageRow>, StoreError> {
        let ids: Vec<Uuid> = self.drafts.iter().map(|draft| draft.id.uuid()).collect();
        let rows: Vec<MessageRow> = sqlx::query_as(concat!(
            "select ",
            message_columns!(),
            " from caravana.message m left join public.group_chat c on c.id = m.message_id \
             where m.message_id = any($1)"
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
            .drafts
            .iter()
            .map(|draft| {
                let Some(row) = rows.get(&draft.id) else {
                    // If stored: an adopted group that is not yet numbered gives the message its place later, and the
                    // client will retry. If not stored: the author is not a member, or `reply_to` is not a message of
                    // the group.
                    let is_stored = inserted.contains(&draft.id.uuid());
                    return Err(if is_stored { unnumbered() } else { StoreError::NotFound });
                };
                if row.is_stored() {
                    let repeated = entry::repetition(draft, row.to_message(), row.text());
                    // If several drafts have one id, the first one that equals the stored message counts as the one
                    // that was stored.
                    if repeated.is_err() || !inserted.remove(&draft.id.uuid()) {
                        return repeated;
                    }
                } else if !inserted.remove(&draft.id.uuid()) {
                    // The row is deleted while its place in the log remains: the id is used.
                    return Err(StoreError::Conflict);
                }
                let message = of(draft, row);
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

/// The message as it was committed, even if it has changed since.
fn of(draft: &Draft, row: &MessageRow) -> Message {
    Message {
        id: draft.id,
        user_id: Some(draft.user_id),
        group_id: draft.group_id,
        content: draft.content.clone().into_plain(),
        created_at: draft.created_at,
        status: true,
        seq: row.seq(),
        edited_at: None,
    }
}

fn unnumbered() -> StoreError {
    StoreError::Unavailable("the group's old messages are still being numbered".into())
}
