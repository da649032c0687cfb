//! Conversations of two people, and whom somebody has blocked.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use caravana_hub::budgets::Act;
use caravana_protocol::rest::{BlocksAnswer, GroupAnswer, NewDirect, User};
use caravana_protocol::{GroupId, UserId};
use uuid::Uuid;

use super::error::ApiError;
use super::extract::{Json, OfUser};
use super::identity::Identity;
use super::state::Shared;

/// Begins a conversation with another person, or finds the one that is there.
///
/// It is a group with `kind` `direct`, of which both are members without a role. It has no links, and nobody leaves it. With
/// somebody who shares no group with the asking person it is 404, unless the conversation is there already. Within 30 days a
/// person begins at most 500, and at most 50 without a message wait for one person; beyond that it is 409 `limit_reached`.
#[utoipa::path(
    post,
    path = "/direct",
    tag = "groups",
    operation_id = "open_direct",
    request_body = NewDirect,
    responses(
        (status = 201, description = "The new conversation.", body = GroupAnswer),
        (status = 200, description = "The conversation that was there.", body = GroupAnswer)
    ),
    extensions(("x-refusals" = json!(["not_found", "blocked", "forbidden", "limit_reached"])))
)]
pub(super) async fn open(
    State(state): State<Shared>,
    identity: Identity,
    Json(NewDirect { user_id }): Json<NewDirect>,
) -> Result<(StatusCode, Answer<GroupAnswer>), ApiError> {
    let user = other(&identity, user_id)?;
    identity.spends(&state, Act::OpenDirect)?;
    let fresh = GroupId::new(Uuid::now_v7());
    let (group, is_new) = state.store.open_direct(user, user_id, fresh).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Answer(GroupAnswer { group })))
}

/// Lists whom the asking person has blocked, the last one first.
#[utoipa::path(
    get,
    path = "/blocks",
    tag = "accounts",
    operation_id = "list_blocks",
    responses((status = 200, description = "The blocked people.", body = BlocksAnswer))
)]
pub(super) async fn blocked(State(state): State<Shared>, identity: Identity) -> Result<Answer<BlocksAnswer>, ApiError> {
    Ok(Answer(BlocksAnswer { users: of(&state, identity.user.id).await? }))
}

/// Whom this user has blocked.
pub(super) async fn of(state: &Shared, user: UserId) -> Result<Vec<User>, ApiError> {
    let _turn = state.turns.read(user).await;
    Ok(state.store.blocked(user).await?)
}

/// Blocks a person: neither can write to the other in their direct conversation.
///
/// In groups nothing changes for others; clients fold the messages of whom their person has blocked. The blocked person is not
/// told, but sees that the conversation is closed. Somebody whom the asking person can't know is 404. Whoever is blocked already
/// stays it.
#[utoipa::path(
    put,
    path = "/blocks/{user_id}",
    tag = "accounts",
    operation_id = "block",
    params(OfUser),
    responses((status = 204, description = "The person is blocked.")),
    extensions(("x-refusals" = json!(["not_found", "bad_request", "limit_reached"])))
)]
pub(super) async fn block(
    State(state): State<Shared>,
    identity: Identity,
    OfUser(user_id): OfUser,
) -> Result<StatusCode, ApiError> {
    let user = other(&identity, user_id)?;
    identity.spends(&state, Act::Block)?;
    state.store.block(user, user_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a block back.
///
/// Whoever is not blocked stays so.
#[utoipa::path(
    delete,
    path = "/blocks/{user_id}",
    tag = "accounts",
    operation_id = "unblock",
    params(OfUser),
    responses((status = 204, description = "The person is not blocked."))
)]
pub(super) async fn unblock(
    State(state): State<Shared>,
    identity: Identity,
    OfUser(user_id): OfUser,
) -> Result<StatusCode, ApiError> {
    identity.spends(&state, Act::Block)?;
    state.store.unblock(identity.user.id, user_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The asking person, who is another one than this.
fn other(identity: &Identity, user: UserId) -> Result<UserId, ApiError> {
    if identity.user.id == user {
        return Err(ApiError::bad_request("`user_id` is your own"));
    }
    Ok(identity.user.id)
}
