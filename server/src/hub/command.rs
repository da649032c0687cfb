//! What a client's frame makes happen.
//!
//! One function per frame. Whatever a client may not do is an error with a name that goes back to it; the socket stays
//! open. Sends take their place in the store's queue in the order in which they came, and are acknowledged when they
//! are committed, without holding up the frames behind them.

use std::sync::Arc;
use std::time::Duration;

use caravana_protocol::limits::{SUBSCRIPTIONS, TYPING_EXPIRY_MS};
use caravana_protocol::{
    ClientFrame, CloseReason, Cursor, ErrorCode, GroupId, MessageBody, MessageId, MessageSent, Seq, ServerFrame,
    TextError, UserId, WireError,
};
use futures::future::BoxFuture;
use tokio::time::Instant;
use uuid::Uuid;

use super::connection::{Connection, now};
use super::writes::too_soon_error;
use super::{Hub, Identity, Unverified};
use crate::budgets::{Act, TooSoon};
use crate::metrics::{self, Sent};
use crate::store::{self, Appended, Draft, StoreError};
use crate::telemetry::{Seldom, causes};

const TYPING_EXPIRY: Duration = Duration::from_millis(TYPING_EXPIRY_MS);

/// A message that somebody wants stored, over a socket or by REST.
#[derive(Debug)]
pub struct Posted {
    /// The author.
    pub user_id: UserId,
    /// Where.
    pub group_id: GroupId,
    /// The client's id for it; without one it gets one here.
    pub id: Option<MessageId>,
    /// As written.
    pub message: String,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
}

/// Why a message was not stored.
#[derive(Debug, thiserror::Error)]
pub enum SendRefused {
    /// The text can't be a message.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Too many in too short a time.
    #[error(transparent)]
    TooSoon(#[from] TooSoon),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SendRefused {
    /// The name of the refusal.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Text(error) => error.code(),
            Self::TooSoon(_) => ErrorCode::RateLimited,
            Self::Store(error) => words(error).0,
        }
    }

    /// The error that the sender sees.
    #[must_use]
    pub fn to_wire(&self, reference: Option<String>) -> WireError {
        match self {
            Self::Text(error) => WireError::new(error.code(), error.to_string(), reference),
            Self::TooSoon(too_soon) => too_soon_error(too_soon, reference),
            Self::Store(StoreError::Conflict) => {
                WireError::new(ErrorCode::IdConflict, "this id is stored with something else", reference)
            }
            Self::Store(error) => store_error(error, reference),
        }
    }
}

/// The wire's words for a store's refusal.
fn words(error: &StoreError) -> (ErrorCode, &'static str) {
    match error {
        StoreError::NotFound => (ErrorCode::NotFound, "no such thing"),
        StoreError::Forbidden => (ErrorCode::Forbidden, "not allowed"),
        StoreError::Gone => (ErrorCode::Gone, "no longer there"),
        StoreError::Conflict => (ErrorCode::IdConflict, "conflicts with what is stored"),
        StoreError::Overloaded => (ErrorCode::Overloaded, "too much is being written"),
        StoreError::LimitReached(_) => (ErrorCode::LimitReached, "there is as much of it as may be"),
        StoreError::Full(_) => (ErrorCode::StorageFull, "the server's disk is full"),
        StoreError::Unavailable(_) | StoreError::Closed | StoreError::Failed(_) => {
            (ErrorCode::TemporarilyUnavailable, "try again with the same id")
        }
    }
}

/// A store's refusal as the client sees it. Database text never leaves the server; it is logged here, once.
pub(super) fn store_error(error: &StoreError, reference: Option<String>) -> WireError {
    let (code, text) = words(error);
    if matches!(error, StoreError::Full(_) | StoreError::Unavailable(_) | StoreError::Failed(_)) {
        static FAILED: Seldom = Seldom::new();
        if let Some(times) = FAILED.happened() {
            tracing::error!(error = %causes(error), times, "the store failed");
        }
    }
    WireError::new(code, text, reference)
}

impl Hub {
    /// Stores a message within the limits, after its commit. The future has taken its place in the store's queue
    /// before it is returned, unless it was refused.
    pub async fn post(&self, posted: Posted) -> Result<Appended, SendRefused> {
        let outcome = self.store_within(posted).await;
        metrics::sent(match &outcome {
            Ok(Appended { duplicate: false, .. }) => Sent::Stored,
            Ok(_) => Sent::Duplicate,
            Err(refused) => Sent::Refused(refused.code()),
        });
        outcome
    }

    async fn store_within(&self, posted: Posted) -> Result<Appended, SendRefused> {
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
    async fn crowded(&self, posted: &Posted, too_soon: TooSoon) -> Result<Appended, SendRefused> {
        let outcome = self.repeated(posted, too_soon.into()).await;
        if matches!(outcome, Err(SendRefused::TooSoon(_))) {
            // As where there is something left: a text that can't be one is told to everybody.
            draft(posted)?;
            let _turn = self.lookups.acquire().await;
            self.log.role(posted.group_id, posted.user_id).await?.ok_or(StoreError::NotFound)?;
        }
        self.budgets.refund(Act::SendMessage, posted.user_id);
        outcome
    }

    /// Queues a charged message. What turns out to be a repetition, or of a stranger, is not charged.
    fn append(&self, posted: &Posted) -> Result<BoxFuture<'_, Result<Appended, SendRefused>>, SendRefused> {
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
            stored.map_err(SendRefused::Store)
        }))
    }

    /// Over the limit: still answered if it was stored before. A few are looked up at a time, and nothing is written: what is
    /// over the limit must not cost the others more than that.
    async fn repeated(&self, posted: &Posted, refused: SendRefused) -> Result<Appended, SendRefused> {
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
        body: MessageBody::parse(&posted.message)?,
        reply_to: posted.reply_to,
        created_at: now(),
    })
}

/// What a frame came to. The caller adds the frame's reference to an error.
type Outcome = Result<(), WireError>;

fn refused(code: ErrorCode, message: impl Into<String>) -> WireError {
    WireError::new(code, message, None)
}

impl Connection {
    /// Carries out a frame. The error is the answer to it.
    pub(super) async fn carry_out(&mut self, frame: ClientFrame, reference: Option<&str>) -> Outcome {
        match frame {
            ClientFrame::SendMessage { message, id, reply_to, user_id, group_id } => {
                self.check_user(user_id)?;
                let group_id = self.group(group_id)?;
                self.send(Posted { user_id: self.peer.user, group_id, id, message, reply_to }, reference);
                Ok(())
            }
            ClientFrame::EditMessage { id, message } => self.edit(id, &message).await,
            ClientFrame::DeleteMessage { id } => self.delete(id).await,
            ClientFrame::Typing { user_id, group_id } => {
                self.check_user(user_id)?;
                let group_id = self.group(group_id)?;
                self.typing(group_id);
                Ok(())
            }
            ClientFrame::StopTyping { user_id, group_id } => {
                self.check_user(user_id)?;
                let group_id = self.group(group_id)?;
                self.hub.registry.with(group_id, |group| group.stop_typing(self.peer.user, group_id));
                Ok(())
            }
            ClientFrame::MarkRead { group_id, seq } => {
                let group_id = self.group(group_id)?;
                self.mark_read(group_id, seq).await
            }
            ClientFrame::Subscribe { group_id, cursor } => self.subscribe(group_id, cursor, reference),
            ClientFrame::Unsubscribe { group_id } => {
                self.unfollow(group_id);
                Ok(())
            }
            ClientFrame::Sync { group_id, cursor } => {
                let group_id = self.group(group_id)?;
                self.subscribe(group_id, Some(cursor), reference)
            }
            ClientFrame::Auth { token } => self.auth(token).await,
        }
    }

    /// The seed's clients name their user in every frame; it must be the connection's.
    fn check_user(&self, named: Option<UserId>) -> Outcome {
        if named.is_none_or(|user| user == self.peer.user) {
            return Ok(());
        }
        Err(refused(ErrorCode::UserMismatch, "`user_id` is not this connection's user"))
    }

    /// The group that a frame is about.
    fn group(&self, named: Option<GroupId>) -> Result<GroupId, WireError> {
        match (named, self.peer.only) {
            (Some(named), Some(only)) if named != only => {
                Err(refused(ErrorCode::NotFound, "this endpoint is of another group"))
            }
            (Some(group), _) | (None, Some(group)) => Ok(group),
            (None, None) => Err(refused(ErrorCode::BadRequest, "`group_id` is missing")),
        }
    }

    /// Queues a message and acknowledges it when it is committed, behind the answers to the frames before.
    fn send(&mut self, posted: Posted, reference: Option<&str>) {
        let (hub, peer) = (Arc::clone(&self.hub), Arc::clone(&self.peer));
        let reference = reference.map(str::to_owned);
        self.answer(Box::pin(async move {
            match hub.post(posted).await {
                Ok(Appended { message, duplicate }) => {
                    if !duplicate {
                        peer.pace.refund();
                    }
                    ServerFrame::MessageSent(MessageSent { message, duplicate })
                }
                Err(refused) => ServerFrame::Error(refused.to_wire(reference)),
            }
        }));
    }

    async fn edit(&self, id: MessageId, message: &str) -> Outcome {
        let body = MessageBody::parse(message).map_err(|error| refused(error.code(), error.to_string()))?;
        let edited = self.hub.edit(self.peer.user, None, id, body).await;
        edited.map(|_| ()).map_err(|refused| refused.to_wire(None))
    }

    async fn delete(&self, id: MessageId) -> Outcome {
        let deleted = self.hub.delete(self.peer.user, None, id).await;
        deleted.map(|_| ()).map_err(|refused| refused.to_wire(None))
    }

    /// Soft: what is over the rate is dropped without an error.
    fn typing(&mut self, group_id: GroupId) {
        let (now, user) = (Instant::now(), self.peer.user);
        if !self.groups.contains_key(&group_id) {
            return;
        }
        if self.typing_taken.repeats(group_id, now) {
            // Who has stopped since, with a message perhaps, begins anew; the others would wait for the next repetition.
            let goes_on = self.hub.registry.with(group_id, |group| group.is_typing(user)) == Some(true);
            if goes_on || self.hub.typing_starts.charge((self.peer.key, group_id), now).is_err() {
                return;
            }
        }
        self.typing_taken.take(group_id, now);
        self.hub.registry.with(group_id, |group| group.start_typing(user, group_id, now + TYPING_EXPIRY));
    }

    async fn mark_read(&self, group_id: GroupId, seq: Seq) -> Outcome {
        self.hub.mark_read(group_id, self.peer.user, seq).await.map_err(|refused| refused.to_wire(None))
    }

    fn subscribe(&mut self, group_id: GroupId, cursor: Option<Cursor>, reference: Option<&str>) -> Outcome {
        self.group(Some(group_id))?;
        if !self.groups.contains_key(&group_id) && self.groups.len() >= SUBSCRIPTIONS {
            let text = format!("a socket follows at most {SUBSCRIPTIONS} groups");
            return Err(refused(ErrorCode::TooManySubscriptions, text));
        }
        self.follow(group_id, cursor, reference.map(str::to_owned));
        Ok(())
    }

    async fn auth(&mut self, token: String) -> Outcome {
        match (self.hub.settings.verify)(token).await {
            Ok(Identity { user_id, proof }) if user_id == self.peer.user => self.refresh(proof),
            Ok(_) | Err(Unverified::Refused) => self.mailbox().close(CloseReason::BadToken),
            Err(Unverified::Later) => {
                return Err(refused(ErrorCode::TemporarilyUnavailable, "the token can't be checked now; try again"));
            }
        }
        Ok(())
    }
}
