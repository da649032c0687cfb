//! Answers that hold a turn until the client has read them.
//!
//! An answer stays in memory until then. A client that requests much and reads slowly, or never, keeps only a few
//! answers in memory, and its next request waits. The answer is passed to the connection in pieces, because the
//! connection buffers what it gets.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use caravana_hub::budgets::Turn;

/// Bytes that are passed to the connection at once.
const PIECE: usize = 64 * 1024;

/// Returns the answer, which now holds this turn.
pub(super) fn until_taken(turn: Turn, answer: Response) -> Response {
    answer.map(|body| Body::new(Held { body, rest: Bytes::new(), _turn: turn }))
}

struct Held {
    body: Body,
    /// The part of the body's last frame that was not yet passed on.
    rest: Bytes,
    _turn: Turn,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)).transpose()?.map(Frame::into_data) {
                Some(Ok(data)) => self.rest = data,
                Some(Err(trailers)) => return Poll::Ready(Some(Ok(trailers))),
                None => return Poll::Ready(None),
            }
        }
        let length = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest + body.lower());
        if let Some(upper) = body.upper() {
            hint.set_upper(rest + upper);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use caravana_protocol::UserId;
    use futures::FutureExt as _;
    use http_body_util::BodyExt as _;

    use super::*;
    use caravana_hub::budgets::Turns;

    /// Before the fix, one account that requested large pages and read them very slowly kept all of them in memory: 1.3
    /// GB.
    #[tokio::test]
    async fn an_answer_holds_its_turn_until_its_last_piece_is_taken() {
        let (turns, ana) = (Turns::default(), UserId::new(uuid::Uuid::from_u128(1)));
        let text = vec![b'x'; 3 * PIECE + 1];
        let mut answers = Vec::new();
        while let Some(turn) = turns.answer(ana).now_or_never() {
            answers.push(until_taken(turn, text.clone().into_response()));
        }
        assert_eq!(answers.len(), 6);
        assert!(turns.answer(UserId::new(uuid::Uuid::from_u128(2))).now_or_never().is_some(), "somebody else");
        let mut body = answers.remove(0).into_body();
        assert_eq!(body.size_hint().exact(), Some(text.len() as u64));
        for _ in 0..3 {
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len(), PIECE);
            assert!(turns.answer(ana).now_or_never().is_none(), "there is more to take");
        }
        assert_eq!(body.size_hint().exact(), Some(1));
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len(), 1);
        assert!(body.is_end_stream());
        drop(body);
        assert!(turns.answer(ana).now_or_never().is_some());
        // When a client disconnects, its turns are free again.
        answers.clear();
        assert!(turns.answer(ana).now_or_never().is_some());
    }
}
