//! Storing a message: once, within the budgets, and answered also where it is over them and stored already.

use caravana_protocol::{Content, GroupId, MessageId, TextError, UserId};
use futures::future::BoxFuture;
use uuid::Uuid;

use super::WriteRefused;
use crate::budgets::{Act, TooSoon};
use crate::hub::Hub;
use crate::hub::connection::now;
use crate::metrics::{self, Sent};
use crate::store::{self, Appended, Draft, StoreError};

/// A message that somebody wants stored, by whatever way it came.
#[derive(Debug)]
pub struct Posted {
    /// The author.
    pub user_id: UserId,
    /// Where.
    pub group_id: GroupId,
    /// The client's id for it; without one it gets one here.
    pub id: Option<MessageId>,
    /// What it says, the text as written.
    pub content: Content,
}

impl Hub {
    /// Stores a message within the limits, after its commit. The future has taken its place in the store's queue
    /// before it is returned, unless it was refused.
    pub async fn post(&self, posted: Posted) -> Result<Appended, WriteRefused> {
        let outcome = self.store_within(posted).await;
        metrics::sent(match &outcome {
            Ok(Appended { duplicate: false, .. }) => Sent::Stored,
            Ok(_) => Sent::Duplicate,
            Err(refused) => Sent::Refused(refused.code()),
        });
        outcome
    }

    async fn store_within(&self, posted: Posted) -> Result<Appended, WriteRefused> {
        let (user, group) = (posted.user_id, posted.group_id);
        if let Err(too_soon) = self.budgets.charge(Act::SendMessage, user) {
            return self.repeated(&posted, too_soon.into()).await;
        }
        if let Err(too_soon) = self.budgets.charge_group(Act::SendMessage, group) {
            return self.crowded(&posted, too_soon).await;
        }
        // Now, and not when it is delivered: by then its author may be writing the next one.
        self.registry.with(group, |state| state.stop_typing(user, group));
        self.append(&posted)?.await
    }

    /// Nothing is left of the group's budget. Its members are told so and not charged; for everybody else there is no such group.
    async fn crowded(&self, posted: &Posted, too_soon: TooSoon) -> Result<Appended, WriteRefused> {
        let outcome = self.repeated(posted, too_soon.into()).await;
        if matches!(outcome, Err(WriteRefused::TooSoon(_))) {
            // As where there is something left: a text that can't be one is told to everybody.
            draft(posted)?;
            let _turn = self.lookups.acquire().await;
            self.log.role(posted.group_id, posted.user_id).await?.ok_or(StoreError::NotFound)?;
        }
        self.budgets.refund(Act::SendMessage, posted.user_id);
        outcome
    }

    /// Queues a charged message. What turns out to be a repetition, or of a stranger, is not charged.
    fn append(&self, posted: &Posted) -> Result<BoxFuture<'_, Result<Appended, WriteRefused>>, WriteRefused> {
        let user = posted.user_id;
        let charge = self.budgets.group_charge(Act::SendMessage, posted.group_id);
        let stored = self.log.append(draft(posted)?);
        Ok(Box::pin(async move {
            let stored = stored.await;
            match &stored {
                Ok(Appended { duplicate: false, .. }) => charge.stays(),
                Ok(_) => self.budgets.refund(Act::SendMessage, user),
                // A stranger's attempts must not use up the group's rate, but they do use up the stranger's own.
                Err(_) => {}
            }
            stored.map_err(WriteRefused::Store)
        }))
    }

    /// Over the limit: still answered if it was stored before. A few are looked up at a time, and nothing is written: what is
    /// over the limit must not cost the others more than that.
    async fn repeated(&self, posted: &Posted, refused: WriteRefused) -> Result<Appended, WriteRefused> {
        let Some(id) = posted.id else { return Err(refused) };
        // Judged before anything is looked up: what can't be a message is refused alike whether the id is known or not.
        let draft = draft(posted)?;
        let Ok(_turn) = self.lookups.acquire().await else { return Err(refused) };
        let Some(message) = self.log.stored(id).await? else { return Err(refused) };
        match store::repeated(&draft, message) {
            // That an id is used up is told to members only.
            Err(StoreError::Conflict) if self.log.role(posted.group_id, posted.user_id).await?.is_none() => {
                Err(refused)
            }
            outcome => Ok(outcome?),
        }
    }
}

fn draft(posted: &Posted) -> Result<Draft, TextError> {
    Ok(Draft {
        id: posted.id.unwrap_or_else(|| MessageId::new(Uuid::now_v7())),
        user_id: posted.user_id,
        group_id: posted.group_id,
        content: posted.content.parse()?,
        created_at: now(),
    })
}
