//! Reactions, pins and reads of a group's messages by REST.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use caravana_protocol::rest::{PinsAnswer, ReadsAnswer};
use caravana_protocol::{GroupId, Message, MessageId, UserId};
use caravana_store::pages;

use super::error::ApiError;
use super::extract::{InGroup, OfMessage, OfReaction};
use super::membership::Member;
use super::messages;
use super::state::Shared;
use super::taken::until_taken;

/// Reacts to a message with an emoji.
///
/// A reaction that exists already changes nothing. A member has at most 6 reactions to a message, and a message at most
/// 20 different emoji.
#[utoipa::path(
    put,
    path = "/groups/{group_id}/messages/{message_id}/reactions/{emoji}",
    tag = "messages",
    operation_id = "add_reaction",
    params(OfReaction),
    responses((status = 204, description = "The reaction is stored.")),
    extensions(("x-refusals" = json!(["invalid_message", "gone", "too_many_reactions", "rate_limited"])))
)]
pub(super) async fn react(
    State(state): State<Shared>,
    Member(identity, OfReaction(group, id, emoji)): Member<OfReaction>,
) -> Result<StatusCode, ApiError> {
    state.hub.react(identity.user.id, Some(group), id, &emoji, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes one's own reaction back.
///
/// A reaction that does not exist changes nothing.
#[utoipa::path(
    delete,
    path = "/groups/{group_id}/messages/{message_id}/reactions/{emoji}",
    tag = "messages",
    operation_id = "remove_reaction",
    params(OfReaction),
    responses((status = 204, description = "There is no such reaction.")),
    extensions(("x-refusals" = json!(["invalid_message", "gone", "rate_limited"])))
)]
pub(super) async fn take_back(
    State(state): State<Shared>,
    Member(identity, OfReaction(group, id, emoji)): Member<OfReaction>,
) -> Result<StatusCode, ApiError> {
    state.hub.react(identity.user.id, Some(group), id, &emoji, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Pins a message in its group.
///
/// A message that is pinned already stays where it is. A group has at most 50 pins.
#[utoipa::path(
    put,
    path = "/groups/{group_id}/messages/{message_id}/pin",
    tag = "messages",
    operation_id = "pin_message",
    params(OfMessage),
    responses((status = 204, description = "The message is pinned.")),
    extensions(("x-refusals" = json!(["gone", "limit_reached", "rate_limited"])))
)]
pub(super) async fn pin(
    State(state): State<Shared>,
    Member(identity, OfMessage(group, id)): Member<OfMessage>,
) -> Result<StatusCode, ApiError> {
    state.hub.pin(identity.user.id, Some(group), id, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a message's pin off.
#[utoipa::path(
    delete,
    path = "/groups/{group_id}/messages/{message_id}/pin",
    tag = "messages",
    operation_id = "unpin_message",
    params(OfMessage),
    responses((status = 204, description = "The message is not pinned.")),
    extensions(("x-refusals" = json!(["gone", "rate_limited"])))
)]
pub(super) async fn unpin(
    State(state): State<Shared>,
    Member(identity, OfMessage(group, id)): Member<OfMessage>,
) -> Result<StatusCode, ApiError> {
    state.hub.pin(identity.user.id, Some(group), id, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the pinned messages of a group, the newest pin first.
#[utoipa::path(
    get,
    path = "/groups/{group_id}/pins",
    tag = "messages",
    operation_id = "list_pins",
    params(InGroup),
    responses((status = 200, description = "The pinned messages.", body = PinsAnswer))
)]
pub(super) async fn pins(
    State(state): State<Shared>,
    Member(identity, InGroup(group)): Member<InGroup>,
) -> Result<Response, ApiError> {
    let turn = state.turns.answer(identity.user.id).await;
    let messages = pinned(&state, group, identity.user.id).await?;
    Ok(until_taken(turn, Answer(PinsAnswer { messages }).into_response()))
}

/// The pinned messages of a group, as a page shows them too.
pub(super) async fn pinned(state: &Shared, group: GroupId, viewer: UserId) -> Result<Vec<Message>, ApiError> {
    let turn = state.turns.read(viewer).await;
    let messages = state.store.pins(group, viewer).await?;
    drop(turn);
    messages.map(pages::within).ok_or_else(ApiError::not_found)
}

/// The members who have read an own message.
pub(super) async fn readers(
    state: &Shared,
    group: GroupId,
    viewer: UserId,
    id: MessageId,
) -> Result<Vec<UserId>, ApiError> {
    messages::find(state, group, viewer, id).await?;
    let turn = state.turns.read(viewer).await;
    let read = state.store.readers(viewer, id).await?;
    drop(turn);
    Ok(read)
}

/// Lists the members who have read an own message.
#[utoipa::path(
    get,
    path = "/groups/{group_id}/messages/{message_id}/reads",
    tag = "messages",
    operation_id = "list_reads",
    params(OfMessage),
    responses((status = 200, description = "The members who have read it.", body = ReadsAnswer)),
    extensions(("x-refusals" = json!(["forbidden"])))
)]
pub(super) async fn reads(
    State(state): State<Shared>,
    Member(identity, OfMessage(group, id)): Member<OfMessage>,
) -> Result<Answer<ReadsAnswer>, ApiError> {
    Ok(Answer(ReadsAnswer { read: readers(&state, group, identity.user.id, id).await? }))
}
