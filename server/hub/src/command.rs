//! Carries out the frames of clients.
//!
//! One function per frame. A frame that is not allowed is answered with a named error, and the socket stays open. Sends
//! enter the store's queue in the order in which they arrived. Each is acknowledged after its commit, and does not
//! block the frames behind it.

use std::sync::Arc;

use caravana_protocol::limits::SUBSCRIPTIONS;
use caravana_protocol::{
    ClientFrame, CloseReason, Cursor, Done, ErrorCode, FrameRef, GroupId, MessageId, MessageSent, Seq, ServerFrame,
    UserId, WireError,
};
use caravana_store::{Appended, Changed};
use tokio::time::Instant;

use super::broker::Signal;
use super::connection::Connection;
use super::{Caller, Posted, Unverified};

/// The outcome of a frame. The caller adds the frame's reference to an error.
type Outcome = Result<(), WireError>;

fn refused(code: ErrorCode, message: impl Into<String>) -> WireError {
    WireError::new(code, message, None)
}

impl Connection {
    /// Carries out a frame. An error is sent back as the answer.
    pub(super) async fn carry_out(
        &mut self,
        frame: ClientFrame,
        own_reference: Option<FrameRef>,
        reference: Option<&str>,
    ) -> Outcome {
        match frame {
            ClientFrame::SendMessage { content, id, user_id, group_id } => {
                self.check_user(user_id)?;
                let group_id = self.group(group_id)?;
                self.send(Posted { user_id: self.peer.user, group_id, id, content }, reference);
                Ok(())
            }
            ClientFrame::EditMessage { id, message, mentions } => {
                self.edit(id, &message, mentions, own_reference).await
            }
            ClientFrame::React { id, emoji, on } => {
                let reacted = self.hub.react(self.peer.user, None, id, &emoji, on).await;
                self.done(&reacted.map_err(|refused| refused.to_wire(None))?, own_reference);
                Ok(())
            }
            ClientFrame::PinMessage { id, on } => {
                let pinned = self.hub.pin(self.peer.user, None, id, on).await;
                self.done(&pinned.map_err(|refused| refused.to_wire(None))?, own_reference);
                Ok(())
            }
            ClientFrame::DeleteMessage { id } => self.delete(id, own_reference).await,
            ClientFrame::Typing { user_id, group_id } => {
                self.check_user(user_id)?;
                let group_id = self.group(group_id)?;
                self.typing(group_id);
                Ok(())
            }
            ClientFrame::StopTyping { user_id, group_id } => {
                self.check_user(user_id)?;
                let group_id = self.group(group_id)?;
                self.hub.signal(Signal::Typing { group_id, user_id: self.peer.user, is_typing: false });
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

    /// The seed's clients name their user in every frame; it must be the connection's user.
    fn check_user(&self, named: Option<UserId>) -> Outcome {
        if named.is_none_or(|user| user == self.peer.user) {
            return Ok(());
        }
        Err(refused(ErrorCode::UserMismatch, "`user_id` is not this connection's user"))
    }

    /// The group of a frame: the one that it names, or the only group of this endpoint.
    fn group(&self, named: Option<GroupId>) -> Result<GroupId, WireError> {
        match (named, self.peer.only) {
            (Some(named), Some(only)) if named != only => {
                Err(refused(ErrorCode::NotFound, "this endpoint is of another group"))
            }
            (Some(group), _) | (None, Some(group)) => Ok(group),
            (None, None) => Err(refused(ErrorCode::BadRequest, "`group_id` is missing")),
        }
    }

    /// Queues a message. The acknowledgement follows the commit, and comes after the answers to earlier frames.
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

    async fn edit(
        &mut self,
        id: MessageId,
        message: &str,
        mentions: Option<Vec<UserId>>,
        own_reference: Option<FrameRef>,
    ) -> Outcome {
        let edited = self.hub.edit(self.peer.user, None, id, message, mentions).await;
        self.done(&edited.map_err(|refused| refused.to_wire(None))?, own_reference);
        Ok(())
    }

    async fn delete(&mut self, id: MessageId, own_reference: Option<FrameRef>) -> Outcome {
        let deleted = self.hub.delete(self.peer.user, None, id).await.map_err(|refused| refused.to_wire(None))?;
        if !deleted.is_new && own_reference.is_none() {
            return Err(refused(ErrorCode::Gone, "no longer there"));
        }
        self.done(&deleted, own_reference);
        Ok(())
    }

    /// Answers a change that carried a `ref`.
    fn done(&mut self, changed: &Changed, own_reference: Option<FrameRef>) {
        if let Some(reference) = own_reference {
            let done = Done { reference, group_id: changed.message.group_id, seq: changed.seq };
            self.answer(Box::pin(std::future::ready(ServerFrame::Done(done))));
        }
    }

    /// Typing is soft state: a frame over the rate is dropped without an error, and so is that of a user who does not share it.
    fn typing(&mut self, group_id: GroupId) {
        let (now, user) = (Instant::now(), self.peer.user);
        if !self.peer.sharing().share_typing {
            return;
        }
        if !self.groups.contains_key(&group_id) {
            return;
        }
        if self.typing_taken.repeats(group_id, now) {
            // If the user has stopped typing since then, for example by sending a message, this is a new start. Without
            // it the others would see nothing until the next repetition.
            let goes_on = self.hub.registry.with(group_id, |group| group.is_typing(user)) == Some(true);
            if goes_on || self.hub.typing_starts.charge((self.peer.key, group_id), now).is_err() {
                return;
            }
        }
        self.typing_taken.take(group_id, now);
        self.hub.signal(Signal::Typing { group_id, user_id: user, is_typing: true });
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
            Ok(Caller { user_id, proof, .. }) if user_id == self.peer.user => self.refresh(proof),
            Ok(_) | Err(Unverified::Refused) => self.mailbox().close(CloseReason::BadToken),
            Err(Unverified::Later) => {
                return Err(refused(ErrorCode::TemporarilyUnavailable, "the token can't be checked now; try again"));
            }
        }
        Ok(())
    }
}
