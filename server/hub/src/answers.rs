//! The answers to a connection's frames: in the order of the frames, with a bounded number pending.
//!
//! Owns the places for frames whose answer takes time (sends, which are answered after their commit), and the chain in
//! which each answer waits for those before it. A late answer delays the answers behind it, but not the work of the
//! frames behind it. The socket waits for a free place and reads nothing further until there is one. So a client can
//! never cause more than this number of tasks.

use std::sync::Arc;

use caravana_protocol::ServerFrame;
use caravana_protocol::limits::SENDS_UNDER_WAY;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::{Semaphore, oneshot};
use tokio_util::task::TaskTracker;

use super::peer::Peer;
use crate::frame::Outgoing;

/// The answers of one connection.
pub(super) struct Answers {
    places: Arc<Semaphore>,
    /// Completes when the last answer is in the mailbox. `None`: no answer is pending.
    last: Option<oneshot::Receiver<()>>,
}

impl Answers {
    pub(super) fn new() -> Self {
        Self { places: Arc::new(Semaphore::new(SENDS_UNDER_WAY)), last: None }
    }

    /// Waits until one more answer may be pending.
    pub(super) async fn have_a_place(&self) {
        // Released at once: no other task takes it.
        let _ = self.places.acquire().await;
    }

    /// Queues this answer behind the earlier ones. The answer is polled once before this returns, so that its write
    /// enters the store's queue before the next frame is read.
    pub(super) fn give(&mut self, peer: &Arc<Peer>, tasks: &TaskTracker, mut answer: BoxFuture<'static, ServerFrame>) {
        let first = answer.as_mut().now_or_never().map(|frame| Outgoing::server(&frame));
        let before = self.last.take().filter(|_| !self.is_idle());
        if before.is_none() && first.as_ref().is_some_and(|frame| peer.mailbox.try_answer(frame)) {
            return;
        }
        let (given, last) = oneshot::channel::<()>();
        self.last = Some(last);
        let (peer, place) = (Arc::clone(peer), Arc::clone(&self.places).try_acquire_owned());
        tasks.spawn(async move {
            let frame = match first {
                Some(frame) => frame,
                None => Outgoing::server(&answer.await),
            };
            if let Some(before) = before {
                // The sender is only ever dropped, even if the earlier answer failed; it never sends a value.
                let _ = before.await;
            }
            peer.mailbox.answer(&frame).await;
            drop((given, place));
        });
    }

    /// Whether no answer is pending.
    fn is_idle(&self) -> bool {
        self.places.available_permits() == SENDS_UNDER_WAY
    }
}

#[cfg(test)]
mod tests {
    use caravana_protocol::{ErrorCode, WireError};

    use super::super::mailbox::Next;
    use super::super::samples;
    use super::*;

    fn said(text: &str) -> ServerFrame {
        ServerFrame::Error(WireError::new(ErrorCode::NotFound, text, None))
    }

    async fn heard(peer: &Peer) -> Vec<String> {
        let Next::Write(frames) = peer.mailbox.next().await else { panic!("something waits") };
        peer.mailbox.written(frames.len(), frames.iter().map(Outgoing::len).sum());
        let texts = frames.iter().flat_map(Outgoing::frames).map(|(_, text)| text.to_owned());
        texts.map(|text| text.split('"').nth(7).unwrap_or_default().to_owned()).collect()
    }

    #[tokio::test]
    async fn a_late_answer_holds_up_those_behind_it_and_no_more() {
        let (peer, tasks, mut answers) = (samples::peer(1), TaskTracker::new(), Answers::new());
        let (tell, told) = oneshot::channel();
        answers.give(&peer, &tasks, Box::pin(async { said("zero") }));
        assert!(peer.mailbox.waiting_bytes() > 0, "what is ready is given at once");
        assert_eq!(heard(&peer).await, ["zero"]);
        answers.give(&peer, &tasks, Box::pin(async { told.await.unwrap_or_else(|_| said("lost")) }));
        answers.give(&peer, &tasks, Box::pin(async { said("two") }));
        tokio::task::yield_now().await;
        assert_eq!(peer.mailbox.waiting_bytes(), 0);
        assert!(tell.send(said("one")).is_ok());
        tasks.close();
        tasks.wait().await;
        assert_eq!(heard(&peer).await, ["one", "two"]);
        assert!(answers.is_idle());
    }

    #[tokio::test]
    async fn so_many_are_under_way_and_no_more() {
        let (peer, tasks, mut answers) = (samples::peer(1), TaskTracker::new(), Answers::new());
        for _ in 0..SENDS_UNDER_WAY {
            assert!(answers.have_a_place().now_or_never().is_some());
            answers.give(&peer, &tasks, Box::pin(std::future::pending()));
        }
        assert!(answers.have_a_place().now_or_never().is_none());
    }
}
