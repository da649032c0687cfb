//! Server-sent events: one group's log, live, for programs without a WebSocket.
//!
//! A stream is a connection of the hub like every socket, with its replay, mailbox, limits and end. Only the output
//! differs. This module owns the task that takes the frames from the mailbox and sends them in the encoding of a stream
//! ([`caravana_hub::frame::event_stream`]), which is made once for all streams. Promises that a reader that reads nothing
//! costs no more than a mailbox and leaves the hub within [`STALL`].

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use caravana_hub::frame::{Head, Outgoing, event_stream};
use caravana_hub::{Caller, Connection, Mailbox, Next, Scope};
use caravana_protocol::{Cursor, Epoch, ErrorCode, GroupId};
use futures::stream;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

use super::super::error::ApiError;
use super::super::identity::Identity;
use super::super::state::Shared;
use super::super::visitor::Places;

/// The number of events between the mailbox and the response's body.
const WAITING: usize = 64;
/// A reader that reads nothing at all for this long is disconnected.
const STALL: Duration = Duration::from_secs(15);
/// When a user with too many connections may retry. By then connections that are already lost have been closed.
const TOO_MANY: Duration = Duration::from_secs(30);

/// Parses an event's id, as [`caravana_hub::frame::event_stream`] writes it.
pub(super) fn cursor(id: &str) -> Option<Cursor> {
    let (epoch, seq) = id.split_once(':')?;
    Some(Cursor { epoch: epoch.parse().ok()?, seq: seq.parse().ok()? })
}

/// Opens a stream from this cursor. The caller has checked membership.
pub(super) fn open(
    state: &Shared,
    identity: &Identity,
    group: GroupId,
    cursor: Cursor,
    places: Places,
) -> Result<Response, ApiError> {
    let who = Caller {
        user_id: identity.user.id,
        proof: identity.proof,
        is_direct: identity.is_direct,
        sharing: identity.user.sharing,
    };
    let connection = state.hub.connect(&who, Scope::Group(group, Some(cursor)));
    if connection.mailbox().closing().is_some() {
        return Err(ApiError::new(ErrorCode::RateLimited, "too many connections of this user").after(TOO_MANY));
    }
    let (events, body) = mpsc::channel(WAITING);
    state.shutdown.spawn(async move { Pump { connection, events, epoch: cursor.epoch, _places: places }.run().await });
    let body = stream::unfold(body, |mut body| async move {
        let event: Bytes = body.recv().await?;
        Some((Ok::<_, Infallible>(event), body))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        // Without this header nginx would hold back a live stream until its buffer is full.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// Passes events from a mailbox to a body.
struct Pump {
    connection: Connection,
    events: mpsc::Sender<Bytes>,
    /// The history of the current events.
    epoch: Epoch,
    _places: Places,
}

/// The client has disconnected, or does not read.
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
                Next::Write(waiting) => self.pass_on_all(waiting, peer.mailbox()).await,
                Next::Close(reason) => {
                    let _ = self.say(event_stream::close(reason)).await;
                    return;
                }
            };
            if passed_on.is_err() {
                return;
            }
        }
    }

    /// Passes on all waiting frames. Each entry frees its room in the mailbox as soon as it is taken.
    async fn pass_on_all(&mut self, waiting: VecDeque<Outgoing>, mailbox: &Mailbox) -> Result<(), Gone> {
        for frames in waiting {
            self.pass_on(&frames).await?;
            mailbox.written(1, frames.len());
        }
        Ok(())
    }

    async fn pass_on(&mut self, frames: &Outgoing) -> Result<(), Gone> {
        for (head, _) in frames.frames() {
            match head {
                Head::Joined(epoch) | Head::Resync(Cursor { epoch, .. }) => self.epoch = epoch,
                Head::Event(_) | Head::GoingAway(_) | Head::Other(_) => {}
            }
        }
        for event in frames.event_stream(self.epoch) {
            self.say(event).await?;
        }
        Ok(())
    }

    async fn say(&self, event: Bytes) -> Result<(), Gone> {
        match timeout(STALL, self.events.send(event)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}
