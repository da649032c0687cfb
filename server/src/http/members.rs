//! Who is in a group, and who is there now.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use caravana_protocol::rest::{Member, MemberPatch, MembersAnswer};
use caravana_protocol::{GroupId, UserId};
use serde::Serialize;

use super::error::ApiError;
use super::extract::{InGroup, Json, OfMember};
use super::identity::Identity;
use crate::state::Shared;

/// GET `/groups/{group_id}/members`.
pub(super) async fn list(
    State(state): State<Shared>,
    identity: Identity,
    InGroup(group): InGroup,
) -> Result<Answer<MembersAnswer>, ApiError> {
    Ok(Answer(MembersAnswer { members: of(&state, group, identity.user.id).await? }))
}

/// The members of a group as this viewer sees them.
pub(super) async fn of(state: &Shared, group: GroupId, viewer: UserId) -> Result<Vec<Member>, ApiError> {
    let rows = state.store.members(group, viewer).await?.ok_or_else(ApiError::not_found)?;
    let online = state.hub.online(group);
    let member = |row: crate::store::MemberRow| Member {
        online: online.contains_key(&row.user.id),
        user: row.user,
        role: row.role,
        joined_at: row.joined_at,
    };
    Ok(rows.into_iter().map(member).collect())
}

/// PATCH `/groups/{group_id}/members/{user_id}`.
pub(super) async fn set_role(
    State(state): State<Shared>,
    identity: Identity,
    OfMember(group, user): OfMember,
    Json(patch): Json<MemberPatch>,
) -> Result<StatusCode, ApiError> {
    state.store.set_role(identity.user.id, group, user, patch.role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// DELETE `/groups/{group_id}/members/{user_id}`.
pub(super) async fn remove(
    State(state): State<Shared>,
    identity: Identity,
    OfMember(group, user): OfMember,
) -> Result<StatusCode, ApiError> {
    state.store.remove_member(identity.user.id, group, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The answer of the seed's endpoint.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the seed's names")]
pub(super) struct Connections {
    group_id: GroupId,
    active_connections: u32,
    users: Vec<ConnectedUser>,
}

#[derive(Serialize)]
struct ConnectedUser {
    user_id: UserId,
    connections: u32,
}

/// GET `/chat/{group_id}/connections`: the seed's, for members only.
pub(super) async fn connections(
    State(state): State<Shared>,
    identity: Identity,
    InGroup(group_id): InGroup,
) -> Result<Answer<Connections>, ApiError> {
    state.store.role(group_id, identity.user.id).await?.ok_or_else(ApiError::not_found)?;
    let users: Vec<ConnectedUser> = state
        .hub
        .online(group_id)
        .into_iter()
        .map(|(user_id, connections)| ConnectedUser { user_id, connections })
        .collect();
    let active_connections = users.iter().map(|user| user.connections).sum();
    Ok(Answer(Connections { group_id, active_connections, users }))
}
