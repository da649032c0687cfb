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
        let group = self.group_of(Act::EditMessage, actor, group, id).await?;
        let work = async { Ok(self.log.edit(actor, id, body).await?.0) };
        self.budgets.within(Act::EditMessage, actor, group, work).await
    }

    /// Deletes a message: an own one, or as who manages the group any.
    pub async fn delete(
        &self,
        actor: UserId,
        group: Option<GroupId>,
        id: MessageId,
    ) -> Result<(Message, Event), ChangeRefused> {
        let group = self.group_of(Act::DeleteMessage, actor, group, id).await?;
        let work = async { Ok(self.log.delete(actor, id).await?) };
        self.budgets.within(Act::DeleteMessage, actor, group, work).await
    }

    /// Moves a read mark, and tells the others where it is now. One that is there or further already stays.
    pub async fn mark_read(&self, group: GroupId, user: UserId, seq: Seq) -> Result<(), ChangeRefused> {
        if self.registry.with(group, |state| state.has_read(user, seq)) == Some(true) {
            return Ok(());
        }
        let work = async { Ok::<_, ChangeRefused>(self.log.mark_read(group, user, seq).await?) };
        let seq = self.budgets.within(Act::MarkRead, user, group, work).await?;
        self.registry.with(group, |state| state.read(group, user, seq));
        Ok(())
    }

    /// The group of a message. Whoever asks for what is not there uses up their budget, too: each question is a read.
    async fn group_of(
        &self,
        act: Act,
        actor: UserId,
        expected: Option<GroupId>,
        id: MessageId,
    ) -> Result<GroupId, ChangeRefused> {
        let stored = self.log.stored(id).await?.map(|message| message.group_id);
        if let Some(group) = stored.filter(|group| expected.is_none_or(|expected| expected == *group)) {
            return Ok(group);
        }
        self.budgets.charge(act, actor)?;
        Err(StoreError::NotFound.into())
    }
}
