//! Stores a message once and within the budgets. A message that is over a budget but already stored is also answered.

use std::sync::Arc;

use caravana_protocol::{Content, GroupId, MessageId, TextError, UserId};
use caravana_store::{Appended, NewMessage, StoreError};
use caravana_telemetry::metrics::{self, Sent};
use futures::future::BoxFuture;
use uuid::Uuid;

use super::WriteRefused;
use crate::Hub;
use crate::broker::Signal;
use crate::budgets::{Act, TooSoon};
use crate::clock::wall_clock;

/// A message to be stored, from any transport.
#[derive(Debug)]
pub struct Posted {
    /// The author.
    pub user_id: UserId,
    /// The group.
    pub group_id: GroupId,
    /// The client's id for it. Without one the server generates an id.
    pub id: Option<MessageId>,
    /// The content, with the text as it was written.
    pub content: Content,
}

impl Hub {
    /// Stores a message within the limits, and returns after the commit. The first poll of the future enters the
    /// message into the store's queue, unless the message was refused.
    pub async fn post(self: &Arc<Self>, posted: Posted) -> Result<Appended, WriteRefused> {
        let outcome = self.store_within(posted).await;
        metrics::sent(match &outcome {
            Ok(Appended { duplicate: false, .. }) => Sent::Stored,
            Ok(_) => Sent::Duplicate,
            Err(refused) => Sent::Refused(refused.code()),
        });
        outcome
    }

    async fn store_within(self: &Arc<Self>, posted: Posted) -> Result<Appended, WriteRefused> {
        let (user, group) = (posted.user_id, posted.group_id);
        if let Err(too_soon) = self.budgets.charge(Act::SendMessage, user) {
            return self.repeated(&posted, too_soon.into()).await;
        }
        if let Err(too_soon) = self.budgets.charge_group(Act::SendMessage, group) {
            return self.crowded(&posted, too_soon).await;
        }
        // Typing ends now, not on delivery: by then the author may already be typing the next message.
        self.signal(Signal::Typing { group_id: group, user_id: user, is_typing: false });
        self.append(&posted)?.await
    }

    /// The group's budget is used up. Members are told so and are not charged; for everyone else the group does not
    /// exist.
    async fn crowded(&self, posted: &Posted, too_soon: TooSoon) -> Result<Appended, WriteRefused> {
        let outcome = self.repeated(posted, too_soon.into()).await;
        if matches!(outcome, Err(WriteRefused::TooSoon(_))) {
            // As in the normal case, an invalid text is refused before the membership check, for everyone.
            new_message(posted)?;
            let _turn = self.lookups.acquire().await;
            self.log.role(posted.group_id, posted.user_id).await?.ok_or(StoreError::NotFound)?;
        }
        self.budgets.refund(Act::SendMessage, posted.user_id);
        outcome
    }

    /// Queues a charged message. A repetition is not charged. An attempt by a stranger is not charged to the group.
    fn append(&self, posted: &Posted) -> Result<BoxFuture<'_, Result<Appended, WriteRefused>>, WriteRefused> {
        let user = posted.user_id;
        let charge = self.budgets.group_charge(Act::SendMessage, posted.group_id);
        let stored = self.log.append(new_message(posted)?);
        Ok(Box::pin(async move {
            let stored = stored.await;
            match &stored {
                Ok(Appended { duplicate: false, .. }) => charge.stays(),
                Ok(_) => self.budgets.refund(Act::SendMessage, user),
                // A stranger's attempts must not use up the group's budget, but they do use up the stranger's own.
                Err(_) => {}
            }
            stored.map_err(WriteRefused::Store)
        }))
    }

    /// Over the limit: the message is still acknowledged if it was stored before. Only a few lookups run at a time, and
    /// nothing is written, so that requests over the limit cost the other users no more than that.
    async fn repeated(&self, posted: &Posted, refused: WriteRefused) -> Result<Appended, WriteRefused> {
        let Some(id) = posted.id else { return Err(refused) };
        // Checked before the lookup, so that an invalid message is refused in the same way whether or not the id is
        // known.
        let new_message = new_message(posted)?;
        let Ok(_turn) = self.lookups.acquire().await else { return Err(refused) };
        let Some(message) = self.log.stored(id).await? else { return Err(refused) };
        match caravana_store::repeated(&new_message, message) {
            // Only members are told that an id is already used.
            Err(StoreError::Conflict) if self.log.role(posted.group_id, posted.user_id).await?.is_none() => {
                Err(refused)
            }
            outcome => Ok(outcome?),
        }
    }
}

fn new_message(posted: &Posted) -> Result<NewMessage, TextError> {
    Ok(NewMessage {
        id: posted.id.unwrap_or_else(|| MessageId::new(Uuid::now_v7())),
        user_id: posted.user_id,
        group_id: posted.group_id,
        content: posted.content.parse()?,
        created_at: wall_clock(),
    })
}
