//! A group's log by REST: page by page, or as a stream that continues live.

mod stream;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use caravana_protocol::limits::REPLAY_PAGE_BYTES;
use caravana_protocol::{Cursor, Epoch, ErrorCode, Event, GroupId, Seq, codec};
use serde::Serialize;
use serde_json::value::RawValue;

use super::error::ApiError;
use super::extract::{InGroup, Query, invalid};
use super::identity::Identity;
use super::membership::Member;
use super::openapi::LogQuery;
use super::state::Shared;
use super::taken::until_taken;
use super::visitor::Visitor;

/// A page of a group's log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[expect(clippy::struct_field_names, reason = "the contract's names")]
pub(super) struct Events {
    /// The events, in ascending order.
    #[schema(value_type = Vec<Event>)]
    events: Vec<Box<RawValue>>,
    /// The history.
    epoch: Epoch,
    /// The group's last event.
    #[schema(value_type = u64, example = 42)]
    head: Seq,
    /// Whether there are more events after this page.
    more: bool,
}

/// Reads a group's log: what a resume replays.
///
/// One page, at most 500 events. A cursor that can't be continued (of another epoch, or beyond the head) is `gone`:
/// load the last page of messages again.
///
/// With `Accept: text/event-stream` the same events come as server-sent events, and then the stream continues live. The
/// data of each is `{type, data}` as in a page, its id is `<epoch>:<seq>`, which `EventSource` sends back as
/// `Last-Event-ID`. What is not an event of the log has a name: `caught_up` (everything up to here has been sent),
/// `resync` (the cursor can't be continued, or is more than 5,000 events old: load the last page of messages again; the
/// stream continues from its `head`), `auth_expiring`, `left` (no longer a member) and `close` (`{code, reason}` as on
/// a WebSocket) before a planned end.
#[utoipa::path(
    get,
    path = "/groups/{group_id}/events",
    tag = "messages",
    operation_id = "list_events",
    params(InGroup, LogQuery),
    responses((status = 200, description = "The page, ascending; or the stream.", content(
        (Events = "application/json"),
        (String = "text/event-stream")
    ))),
    extensions(("x-refusals" = json!(["gone", "rate_limited"])))
)]
pub(super) async fn events(
    State(state): State<Shared>,
    Member(identity, InGroup(group)): Member<InGroup>,
    visitor: Visitor,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (after, epoch) = (query.seq("after")?, query.parsed::<Epoch>("epoch")?);
    if !accepts_stream(&headers) {
        let turn = state.turns.answer(identity.user.id).await;
        let page = page(&state, &identity, group, after.unwrap_or(0), epoch).await?;
        return Ok(until_taken(turn, Answer(page).into_response()));
    }
    visitor.may_come_in(&state)?;
    let seen = match headers.get("last-event-id") {
        Some(id) => Some(
            id.to_str().ok().and_then(stream::cursor).ok_or_else(|| invalid("Last-Event-ID", "is no id of ours"))?,
        ),
        None => None,
    };
    let cursor = match (seen, epoch) {
        (Some(cursor), _) => cursor,
        (None, Some(epoch)) => Cursor { epoch, seq: after.unwrap_or(0) },
        (None, None) => {
            // This reads more than the epoch, so it takes a turn.
            let _turn = state.turns.read(identity.user.id).await;
            let epoch = state.store.group_state(group).await?.ok_or_else(ApiError::not_found)?.epoch;
            Cursor { epoch, seq: after.unwrap_or(0) }
        }
    };
    stream::open(&state, &identity, group, cursor, visitor.take_place(&state)?)
}

/// Whether the client's first choice is a stream; `EventSource` sends no other choice.
fn accepts_stream(headers: &HeaderMap) -> bool {
    let is_stream = |value: &[u8]| value.get(..17).is_some_and(|name| name.eq_ignore_ascii_case(b"text/event-stream"));
    headers.get(header::ACCEPT).is_some_and(|value| is_stream(value.as_bytes()))
}

async fn page(
    state: &Shared,
    identity: &Identity,
    group: GroupId,
    after: Seq,
    epoch: Option<Epoch>,
) -> Result<Events, ApiError> {
    let turn = state.turns.read(identity.user.id).await;
    let page =
        state.store.replay(group, identity.user.id, after, REPLAY_PAGE_BYTES).await?.ok_or_else(ApiError::not_found)?;
    drop(turn);
    if after > page.head || epoch.is_some_and(|epoch| epoch != page.epoch) {
        return Err(ApiError::new(ErrorCode::Gone, "this cursor can't be continued; load the last page afresh"));
    }
    let more = page.events.last().map_or(after, Event::seq) < page.head;
    let events = page
        .events
        .iter()
        .map(|event| RawValue::from_string(codec::encode_event(event)))
        .collect::<Result<_, _>>()
        .map_err(|_| ApiError::internal())?;
    Ok(Events { events, epoch: page.epoch, head: page.head, more })
}
