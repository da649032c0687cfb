//! Changes of what a group has: the one way to them, for sockets and for requests.
//!
//! Each is within the budgets of its user and of its group, and comes to the log at most once.

use caravana_protocol::{ErrorCode, Event, GroupId, Message, MessageBody, MessageId, Seq, UserId, WireError};

use super::Hub;
use super::command::store_error;
use crate::budgets::{Act, TooSoon};
use crate::store::StoreError;

/// Why something was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeRefused {
    /// There is nothing left of a budget.
    #[error(transparent)]
    TooSoon(#[from] TooSoon),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ChangeRefused {
    /// The error that the one who asked sees.
    #[must_use]
    pub fn to_wire(&self, reference: Option<String>) -> WireError {
        match self {
            Self::TooSoon(too_soon) => too_soon_error(too_soon, reference),
            Self::Store(error) => store_error(error, reference),
        }
    }
}

/// A budget's refusal as the client sees it.
pub(super) fn too_soon_error(too_soon: &TooSoon, reference: Option<String>) -> WireError {
    // Rounded up, so that who waits this long is not refused once more.
    let millis = u64::try_from(too_soon.retry_after.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
    WireError::new(ErrorCode::RateLimited, too_soon.to_string(), reference).after(millis)
}

impl Hub {
    /// Replaces the text of an own message. `group`: where the asker says that it stands; a message of another group does
    /// not exist there.
    pub async fn edit(
        &self,
        actor: UserId,
        group: Option<GroupId>,
        id: MessageId,
        body: MessageBody,
    ) -> Result<Message, ChangeRefused> {
        let group = self.charge_change(Act::EditMessage, actor, group, id).await?;
        let work = async { Ok(self.log.edit(actor, id, body).await?.0) };
        self.budgets.charged(Act::EditMessage, group, work).await
    }

    /// Deletes a message: an own one, or as who manages the group any.
    pub async fn delete(
        &self,
        actor: UserId,
        group: Option<GroupId>,
        id: MessageId,
    ) -> Result<(Message, Event), ChangeRefused> {
        let group = self.charge_change(Act::DeleteMessage, actor, group, id).await?;
        let work = async { Ok(self.log.delete(actor, id).await?) };
        self.budgets.charged(Act::DeleteMessage, group, work).await
    }

    /// Moves a read mark, and tells the others where it is now. One that is there or further already stays.
    pub async fn mark_read(&self, group: GroupId, user: UserId, seq: Seq) -> Result<(), ChangeRefused> {
        if self.registry.with(group, |state| state.has_read(user, seq)) == Some(true) {
            return Ok(());
        }
        self.budgets.charge(Act::MarkRead, user)?;
        self.charge_group(Act::MarkRead, user, group).await?;
        let work = async { Ok::<_, ChangeRefused>(self.log.mark_read(group, user, seq).await?) };
        let seq = self.budgets.charged(Act::MarkRead, group, work).await?;
        self.registry.with(group, |state| state.read(group, user, seq));
        Ok(())
    }

    /// Charges for a change of a message: its group. The user comes first, because each message that is asked for is a read,
    /// whether there is one or not.
    async fn charge_change(
        &self,
        act: Act,
        actor: UserId,
        expected: Option<GroupId>,
        id: MessageId,
    ) -> Result<GroupId, ChangeRefused> {
        self.budgets.charge(act, actor)?;
        let stored = self.log.stored(id).await?.map(|message| message.group_id);
        let group = stored.filter(|group| expected.is_none_or(|expected| expected == *group));
        let group = group.ok_or(StoreError::NotFound)?;
        self.charge_group(act, actor, group).await?;
        Ok(group)
    }

    /// Charges a group for what a user does who was charged. That nothing is left is told to its members only: for everybody
    /// else there is no such group.
    async fn charge_group(&self, act: Act, user: UserId, group: GroupId) -> Result<(), ChangeRefused> {
        let Err(too_soon) = self.budgets.charge_group(act, group) else { return Ok(()) };
        self.log.role(group, user).await?.ok_or(StoreError::NotFound)?;
        Err(too_soon.into())
    }
}
