//! Server-sent events: one group's log, live, for programs without a WebSocket.
//!
//! A stream is a connection of the hub like every socket, with its replay, its mailbox, its limits and its end; only the way
//! out differs. Owns the task that takes what lies in the mailbox and turns it into events of the response's body. Promises
//! that a reader who takes nothing costs no more than a mailbox and leaves the hub within [`STALL`].

use std::convert::Infallible;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event as SseEvent, Sse};
use axum::response::{IntoResponse as _, Response};
use caravana_protocol::{CloseReason, Cursor, Epoch, ErrorCode, GroupId, ServerFrame, codec};
use futures::stream;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

use super::super::error::ApiError;
use super::super::identity::Identity;
use super::super::state::Shared;
use super::super::visitor::Places;
use crate::frame;
use crate::hub::{self, Connection, Next, Scope};

/// Events between the mailbox and the response's body.
const WAITING: usize = 64;
/// A reader who takes nothing at all for this long is given up.
const STALL: Duration = Duration::from_secs(15);
/// When somebody with too many connections may try again: after those that are half gone are gone.
const TOO_MANY: Duration = Duration::from_secs(30);

/// An event's id, as [`Pump::event`] makes it.
pub(super) fn cursor(id: &str) -> Option<Cursor> {
    let (epoch, seq) = id.split_once(':')?;
    Some(Cursor { epoch: epoch.parse().ok()?, seq: seq.parse().ok()? })
}

/// Opens a stream from this cursor on. Whether the asker is a member has been looked at.
pub(super) fn open(
    state: &Shared,
    identity: &Identity,
    group: GroupId,
    cursor: Cursor,
    places: Places,
) -> Result<Response, ApiError> {
    let who = hub::Identity { user_id: identity.user.id, proof: identity.proof };
    let connection = state.hub.connect(&who, Scope::Group(group, Some(cursor)));
    if connection.mailbox().closing().is_some() {
        return Err(ApiError::new(ErrorCode::RateLimited, "too many connections of this user").after(TOO_MANY));
    }
    let (events, body) = mpsc::channel(WAITING);
    state.shutdown.spawn(async move { Pump { connection, events, epoch: cursor.epoch, _places: places }.run().await });
    let body = stream::unfold(body, |mut body| async move {
        let event: SseEvent = body.recv().await?;
        Some((Ok::<_, Infallible>(event), body))
    });
    let mut response = Sse::new(body).into_response();
    // nginx would collect a live stream until its buffer is full.
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// From a mailbox to a body.
struct Pump {
    connection: Connection,
    events: mpsc::Sender<SseEvent>,
    /// The history that the present events are of.
    epoch: Epoch,
    _places: Places,
}

/// The body is no longer wanted, or not taken.
struct Gone;

impl Pump {
    async fn run(mut self) {
        let peer = self.connection.peer();
        loop {
            let due = self.connection.tick(tokio::time::Instant::now());
            let next = tokio::select! {
                next = peer.mailbox().next() => next,
                () = sleep_until(due) => continue,
                () = self.events.closed() => return,
            };
            let passed_on = match next {
                Next::Write(frames) => {
                    let (count, bytes) = (frames.len(), frames.iter().map(bytes::Bytes::len).sum());
                    let passed_on = self.pass_on(frames.iter()).await;
                    peer.mailbox().written(count, bytes);
                    passed_on
                }
                Next::Close(reason) => {
                    let _ = self.say(last_words(reason)).await;
                    return;
                }
            };
            if passed_on.is_err() {
                return;
            }
        }
    }

    async fn pass_on(&mut self, frames: impl Iterator<Item = &bytes::Bytes>) -> Result<(), Gone> {
        for text in frames.flat_map(|frames| frame::texts(frames)) {
            let Ok(Some(frame)) = codec::decode_server(text) else { continue };
            if let Some(event) = self.event(&frame, text) {
                self.say(event).await?;
            }
        }
        Ok(())
    }

    /// What a frame is in a stream. Who is there, who types and who has read is no part of the log.
    fn event(&mut self, frame: &ServerFrame, text: &str) -> Option<SseEvent> {
        match frame {
            ServerFrame::Event(event) => {
                let id = format!("{}:{}", self.epoch, event.seq());
                Some(SseEvent::default().id(id).data(text))
            }
            ServerFrame::Joined(joined) => {
                self.epoch = joined.epoch;
                None
            }
            ServerFrame::Resync(resync) => {
                self.epoch = resync.epoch;
                let id = format!("{}:{}", resync.epoch, resync.head);
                Some(SseEvent::default().event(frame.kind()).id(id).data(text))
            }
            ServerFrame::CaughtUp(_) | ServerFrame::Left(_) | ServerFrame::AuthExpiring(_) => {
                Some(SseEvent::default().event(frame.kind()).data(text))
            }
            ServerFrame::Heartbeat(_) => Some(SseEvent::default().comment("heartbeat")),
            ServerFrame::GoingAway(going) => {
                Some(SseEvent::default().retry(Duration::from_millis(going.retry_after_ms)))
            }
            ServerFrame::Hello(_)
            | ServerFrame::MessageSent(_)
            | ServerFrame::Done(_)
            | ServerFrame::UserTyping(_)
            | ServerFrame::UserStopTyping(_)
            | ServerFrame::Presence(_)
            | ServerFrame::Read(_)
            | ServerFrame::GroupAdded(_)
            | ServerFrame::GroupRemoved(_)
            | ServerFrame::AccountChanged(_)
            | ServerFrame::Error(_) => None,
        }
    }

    async fn say(&self, event: SseEvent) -> Result<(), Gone> {
        match timeout(STALL, self.events.send(event)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}

fn last_words(reason: CloseReason) -> SseEvent {
    let data = json!({"type": "close", "data": {"code": reason.code(), "reason": reason.text()}});
    SseEvent::default().event("close").data(data.to_string())
}
