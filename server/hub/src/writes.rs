//! The single entry point of durable writes, for sockets, requests and forms.
//!
//! Each write is charged to its user and to its group, and the charge is refunded where nothing was done. Each write
//! enters the log at most once, and is counted by its outcome. The store's stream of effects passes each commit, with
//! the event itself, to the [`super::feed`] before the writer gets an answer.

mod refused;
mod send;

use std::sync::Arc;

use caravana_protocol::{Emoji, GroupId, MessageBody, MessageId, Seq, UserId};
use caravana_store::{Changed, Marked, StoreError};
use caravana_telemetry::metrics::{self, Change};

use super::Hub;
use super::broker::Signal;
use crate::budgets::Act;

pub use refused::WriteRefused;
pub use send::Posted;

impl Hub {
    /// Replaces the text of the user's own message, and its mentions if there are some. `group`: the group that the request names; a message of another
    /// group does not exist there.
    pub async fn edit(
        &self,
        actor: UserId,
        group: Option<GroupId>,
        id: MessageId,
        message: &str,
        mentions: Option<Vec<UserId>>,
    ) -> Result<Changed, WriteRefused> {
        let work = async {
            let body = MessageBody::parse(message)?;
            let group = self.charge_change(Act::EditMessage, actor, group, id).await?;
            let work = async { Ok(self.log.edit(actor, id, body, mentions).await?) };
            self.budgets.charged(Act::EditMessage, group, work).await
        };
        counted(Change::Edit, work.await)
    }

    /// Deletes a message: users may delete their own, and those who manage the group may delete any.
    pub async fn delete(&self, actor: UserId, group: Option<GroupId>, id: MessageId) -> Result<Changed, WriteRefused> {
        let work = async {
            let group = self.charge_change(Act::DeleteMessage, actor, group, id).await?;
            let work = async { Ok(self.log.delete(actor, id).await?) };
            self.budgets.charged(Act::DeleteMessage, group, work).await
        };
        counted(Change::Delete, work.await)
    }

    /// Adds a reaction to a message, or takes it back.
    pub async fn react(
        &self,
        actor: UserId,
        group: Option<GroupId>,
        id: MessageId,
        emoji: &str,
        on: bool,
    ) -> Result<Changed, WriteRefused> {
        let work = async {
            let emoji = Emoji::parse(emoji)?;
            let group = self.charge_change(Act::React, actor, group, id).await?;
            let work = async { Ok(self.log.react(actor, id, emoji, on).await?) };
            self.budgets.charged(Act::React, group, work).await
        };
        counted(Change::React, work.await)
    }

    /// Pins a message, or takes its pin off.
    pub async fn pin(
        &self,
        actor: UserId,
        group: Option<GroupId>,
        id: MessageId,
        on: bool,
    ) -> Result<Changed, WriteRefused> {
        let work = async {
            let group = self.charge_change(Act::PinMessage, actor, group, id).await?;
            let work = async { Ok(self.log.pin(actor, id, on).await?) };
            self.budgets.charged(Act::PinMessage, group, work).await
        };
        counted(Change::Pin, work.await)
    }

    /// Moves a read mark forward, and tells the others its new position. A mark that is already at `seq` or beyond
    /// stays.
    pub async fn mark_read(self: &Arc<Self>, group: GroupId, user: UserId, seq: Seq) -> Result<(), WriteRefused> {
        if self.registry.with(group, |state| state.has_read(user, seq)) == Some(true) {
            return Ok(());
        }
        let work = async {
            self.budgets.charge(Act::MarkRead, user)?;
            self.charge_group(Act::MarkRead, user, group).await?;
            let work = async { Ok::<_, WriteRefused>(self.log.mark_read(group, user, seq).await?) };
            self.budgets.charged(Act::MarkRead, group, work).await
        };
        let Marked { seq, is_shared } = counted(Change::Read, work.await)?;
        self.signal(Signal::Read { group_id: group, user_id: user, seq, is_shared });
        Ok(())
    }

    /// Charges the user and the message's group for a change of a message, and returns the group. The user is charged
    /// first, because each request reads the message, whether it exists or not.
    async fn charge_change(
        &self,
        act: Act,
        actor: UserId,
        expected: Option<GroupId>,
        id: MessageId,
    ) -> Result<GroupId, WriteRefused> {
        self.budgets.charge(act, actor)?;
        let stored = self.log.stored(id).await?.map(|message| message.group_id);
        let group = stored.filter(|group| expected.is_none_or(|expected| expected == *group));
        let group = group.ok_or(StoreError::NotFound)?;
        self.charge_group(act, actor, group).await?;
        Ok(group)
    }

    /// Charges a group for an act of a user who was already charged. Only members are told that the group's budget is
    /// used up; for everyone else the group does not exist.
    async fn charge_group(&self, act: Act, user: UserId, group: GroupId) -> Result<(), WriteRefused> {
        let Err(too_soon) = self.budgets.charge_group(act, group) else { return Ok(()) };
        self.log.role(group, user).await?.ok_or(StoreError::NotFound)?;
        Err(too_soon.into())
    }
}

fn counted<T>(change: Change, outcome: Result<T, WriteRefused>) -> Result<T, WriteRefused> {
    metrics::changed(change, outcome.as_ref().err().map(WriteRefused::code));
    outcome
}
