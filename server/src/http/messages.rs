//! A group's history by REST, and the changes of its messages.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use caravana_hub::Posted;
use caravana_protocol::rest::{MessageAnswer, MessagesAnswer, NewMessage, schemas};
use caravana_protocol::{Content, ErrorCode, GroupId, Message, MessageId, UserId, limits};
use caravana_store::{Anchor, Appended};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::ApiError;
use super::extract::{self, InGroup, Json, JsonObject, OfMessage, Query};
use super::membership::Member;
use super::openapi::HistoryQuery;
use super::state::Shared;
use super::taken::until_taken;

/// Reads a page of a group's history.
///
/// At most one of `before`, `after` and `around`; with none of them the last page. Newcomers see the whole history.
#[utoipa::path(
    get,
    path = "/groups/{group_id}/messages",
    tag = "messages",
    operation_id = "list_messages",
    params(InGroup, HistoryQuery),
    responses((status = 200, description = "The page, ascending.", body = MessagesAnswer))
)]
pub(super) async fn list(
    State(state): State<Shared>,
    Member(identity, InGroup(group)): Member<InGroup>,
    query: Query,
) -> Result<Response, ApiError> {
    let anchor = match (query.seq("before")?, query.seq("after")?, query.seq("around")?) {
        (None, None, None) => Anchor::End,
        (Some(seq), None, None) => Anchor::Before(seq),
        (None, Some(seq), None) => Anchor::After(seq),
        (None, None, Some(seq)) => Anchor::Around(seq),
        (_, Some(_), Some(_)) | (Some(_), _, Some(_)) | (Some(_), Some(_), _) => {
            return Err(ApiError::new(ErrorCode::InvalidParam, "only one of `before`, `after` and `around` is taken"));
        }
    };
    let limit = query.parsed("limit")?.unwrap_or(limits::HISTORY_PAGE_DEFAULT);
    let turn = state.turns.answer(identity.user.id).await;
    let page = page(&state, group, identity.user.id, anchor, limit).await?;
    Ok(until_taken(turn, Answer(page).into_response()))
}

/// A page of the history as this member sees it.
pub(super) async fn page(
    state: &Shared,
    group: GroupId,
    viewer: UserId,
    anchor: Anchor,
    limit: usize,
) -> Result<MessagesAnswer, ApiError> {
    if !(1..=limits::HISTORY_PAGE).contains(&limit) {
        return Err(extract::invalid("limit", "is 1 to 200"));
    }
    let turn = state.turns.read(viewer).await;
    let history = state.store.history(group, viewer, anchor, limit).await?.ok_or_else(ApiError::not_found)?;
    drop(turn);
    Ok(MessagesAnswer {
        messages: history.messages,
        events: history.events,
        epoch: history.epoch,
        head: history.head,
        has_more_before: history.has_more_before,
        has_more_after: history.has_more_after,
    })
}

/// Reads one message, wherever in the history it stands.
///
/// A link or a quote has only a message's id. The answer has its `seq`, around which a page of history can be read.
#[utoipa::path(
    get,
    path = "/groups/{group_id}/messages/{message_id}",
    tag = "messages",
    operation_id = "get_message",
    params(OfMessage),
    responses((status = 200, description = "The message as it is now.", body = MessageAnswer))
)]
pub(super) async fn one(
    State(state): State<Shared>,
    Member(identity, OfMessage(group, id)): Member<OfMessage>,
) -> Result<Answer<MessageAnswer>, ApiError> {
    let message = find(&state, group, identity.user.id, id).await?;
    Ok(Answer(MessageAnswer { message, duplicate: false }))
}

/// A message of this group. Whether the viewer is a member was asked before.
pub(super) async fn find(state: &Shared, group: GroupId, viewer: UserId, id: MessageId) -> Result<Message, ApiError> {
    let turn = state.turns.read(viewer).await;
    let stored = state.store.stored(id).await?;
    drop(turn);
    stored.filter(|message| message.group_id == group).ok_or_else(ApiError::not_found)
}

/// Sends a message.
///
/// With an `id` of the client, the message may be sent again any number of times, for ever: it is stored once. The id
/// is a conflict if author, group, `reply_to` or text differ from the stored message.
#[utoipa::path(
    post,
    path = "/groups/{group_id}/messages",
    tag = "messages",
    operation_id = "send_message",
    params(InGroup),
    request_body = NewMessage,
    responses((status = 201, description = "Stored.", body = MessageAnswer), (status = 200, description = "The id was stored already, with the same content.", body = MessageAnswer)),
    extensions(("x-refusals" = json!(["empty_message", "invalid_message", "message_too_long", "invalid_id", "id_conflict", "forbidden", "rate_limited", "overloaded"])))
)]
pub(super) async fn send(
    State(state): State<Shared>,
    Member(identity, InGroup(group_id)): Member<InGroup>,
    JsonObject(body): JsonObject,
) -> Result<(StatusCode, Answer<MessageAnswer>), ApiError> {
    let posted = posted(identity.user.id, group_id, body)?;
    let Appended { message, duplicate } = post(&state, posted).await?;
    let status = if duplicate { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Answer(MessageAnswer { message, duplicate })))
}

/// Stores a message within the same limits as for sockets.
pub(super) async fn post(state: &Shared, posted: Posted) -> Result<Appended, ApiError> {
    Ok(state.hub.post(posted).await?)
}

fn posted(user_id: UserId, group_id: GroupId, mut body: Map<String, Value>) -> Result<Posted, ApiError> {
    #[derive(Deserialize)]
    struct Text {
        message: String,
        #[serde(default)]
        mentions: Vec<String>,
        #[serde(default)]
        mentions_everyone: bool,
    }
    let (id, reply_to) = (take_id(&mut body, "id")?, take_id(&mut body, "reply_to")?);
    let Text { message, mentions, mentions_everyone } = extract::shape(body)?;
    let mentions = mentioned(&mentions)?;
    Ok(Posted { user_id, group_id, id, content: Content { body: message, reply_to, mentions, mentions_everyone } })
}

/// The mentioned members, each once.
fn mentioned(listed: &[String]) -> Result<Vec<UserId>, ApiError> {
    if listed.len() > limits::MENTIONS {
        return Err(ApiError::bad_request("`mentions` is a list of at most 50 members"));
    }
    let mut users = Vec::with_capacity(listed.len());
    for text in listed {
        let invalid = || ApiError::new(ErrorCode::InvalidId, "`mentions` has something that is no UUID");
        let user = text.parse().map_err(|_| invalid())?;
        if !users.contains(&user) {
            users.push(user);
        }
    }
    Ok(users)
}

/// Takes an id from the body. A text that is not a UUID has its own error.
fn take_id<T: std::str::FromStr>(body: &mut Map<String, Value>, name: &str) -> Result<Option<T>, ApiError> {
    match body.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            text.parse().map(Some).map_err(|_| ApiError::new(ErrorCode::InvalidId, format!("`{name}` is no UUID")))
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(ApiError::bad_request("a field has the wrong type"))
        }
    }
}

/// The body of an edit.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct Edit {
    /// The new text.
    #[schema(schema_with = schemas::message_text)]
    message: String,
    /// The members that the new text mentions; if it is missing, the mentions stay as they are.
    #[schema(value_type = Option<Vec<UserId>>)]
    mentions: Option<Vec<String>>,
}

/// Replaces the text of an own message.
#[utoipa::path(
    patch,
    path = "/groups/{group_id}/messages/{message_id}",
    tag = "messages",
    operation_id = "edit_message",
    params(OfMessage),
    request_body = Edit,
    responses((status = 200, description = "The message as it is now.", body = MessageAnswer)),
    extensions(("x-refusals" = json!(["empty_message", "invalid_message", "message_too_long", "invalid_id", "forbidden", "gone"])))
)]
pub(super) async fn edit(
    State(state): State<Shared>,
    Member(identity, OfMessage(group, id)): Member<OfMessage>,
    Json(edit): Json<Edit>,
) -> Result<Answer<MessageAnswer>, ApiError> {
    let mentions = edit.mentions.as_deref().map(mentioned).transpose()?;
    let edited = state.hub.edit(identity.user.id, Some(group), id, &edit.message, mentions).await?;
    Ok(Answer(MessageAnswer { message: edited.message, duplicate: false }))
}

/// Deletes a message: one's own, or any message as admin or owner.
///
/// The row stays, with an empty text and `status: false`.
#[utoipa::path(
    delete,
    path = "/groups/{group_id}/messages/{message_id}",
    tag = "messages",
    operation_id = "delete_message",
    params(OfMessage),
    responses((status = 204, description = "The message is deleted.")),
    extensions(("x-refusals" = json!(["forbidden", "gone"])))
)]
pub(super) async fn delete(
    State(state): State<Shared>,
    Member(identity, OfMessage(group, id)): Member<OfMessage>,
) -> Result<StatusCode, ApiError> {
    let deleted = state.hub.delete(identity.user.id, Some(group), id).await?;
    if deleted.is_new { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::new(ErrorCode::Gone, "no longer there")) }
}
