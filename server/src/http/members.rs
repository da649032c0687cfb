//! The members of a group, and who of them is online.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use caravana_hub::budgets::Act;
use caravana_protocol::rest::{self, MemberPatch, MembersAnswer};
use caravana_protocol::{GroupId, UserId};
use serde::Serialize;

use super::error::ApiError;
use super::extract::{InGroup, Json, OfMember};
use super::membership::Member;
use super::state::Shared;
use super::taken::until_taken;

/// Lists a group's members, and who of them is online.
#[utoipa::path(
    get,
    path = "/groups/{group_id}/members",
    tag = "members",
    operation_id = "list_members",
    params(InGroup),
    responses((status = 200, description = "The members.", body = MembersAnswer))
)]
pub(super) async fn list(
    State(state): State<Shared>,
    Member(identity, InGroup(group)): Member<InGroup>,
) -> Result<Response, ApiError> {
    let turn = state.turns.answer(identity.user.id).await;
    let members = of(&state, group, identity.user.id).await?;
    Ok(until_taken(turn, Answer(MembersAnswer { members }).into_response()))
}

/// The members of a group as this viewer sees them.
pub(super) async fn of(state: &Shared, group: GroupId, viewer: UserId) -> Result<Vec<rest::Member>, ApiError> {
    let turn = state.turns.read(viewer).await;
    let rows = state.store.members(group, viewer).await?.ok_or_else(ApiError::not_found)?;
    drop(turn);
    let online = state.hub.online(group, viewer);
    let member = |row: caravana_store::MemberRow| rest::Member {
        online: online.contains_key(&row.user.id),
        user: row.user,
        role: row.role,
        joined_at: row.joined_at,
    };
    Ok(rows.into_iter().map(member).collect())
}

/// Gives a member a role. For the owner.
///
/// The role `owner` transfers the group to this member.
#[utoipa::path(
    patch,
    path = "/groups/{group_id}/members/{user_id}",
    tag = "members",
    params(OfMember),
    request_body = MemberPatch,
    responses((status = 204, description = "The member has the role.")),
    extensions(("x-refusals" = json!(["forbidden"])))
)]
pub(super) async fn set_role(
    State(state): State<Shared>,
    Member(identity, OfMember(group, user)): Member<OfMember>,
    Json(patch): Json<MemberPatch>,
) -> Result<StatusCode, ApiError> {
    let actor = identity.user.id;
    let change = async { Ok::<_, ApiError>(state.store.set_role(actor, group, user, patch.role).await?) };
    state.hub.budgets().within(Act::GiveRole, actor, group, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a member (for the owner and admins), or leaves (oneself).
///
/// If the owner leaves, the group goes to the longest-serving admin, or without an admin to the longest-serving member.
#[utoipa::path(
    delete,
    path = "/groups/{group_id}/members/{user_id}",
    tag = "members",
    operation_id = "remove_member",
    params(OfMember),
    responses((status = 204, description = "Who it was is no member any more.")),
    extensions(("x-refusals" = json!(["forbidden"])))
)]
pub(super) async fn remove(
    State(state): State<Shared>,
    Member(identity, OfMember(group, user)): Member<OfMember>,
) -> Result<StatusCode, ApiError> {
    let actor = identity.user.id;
    let removal = async { Ok::<_, ApiError>(state.store.remove_member(actor, group, user).await?) };
    state.hub.budgets().within(Act::RemoveMember, actor, group, removal).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The answer of the seed's endpoint.
#[derive(Serialize, utoipa::ToSchema)]
#[expect(clippy::struct_field_names, reason = "the seed's names")]
pub(super) struct Connections {
    group_id: GroupId,
    active_connections: u32,
    users: Vec<ConnectedUser>,
}

/// A user with open sockets.
#[derive(Serialize, utoipa::ToSchema)]
struct ConnectedUser {
    user_id: UserId,
    connections: u32,
}

/// Counts a group's open sockets. The seed's address, for members only.
#[utoipa::path(
    get,
    path = "/chat/{group_id}/connections",
    tag = "members",
    params(InGroup),
    responses((status = 200, description = "Who is connected.", body = Connections))
)]
pub(super) async fn connections(
    State(state): State<Shared>,
    Member(identity, InGroup(group_id)): Member<InGroup>,
) -> Result<Answer<Connections>, ApiError> {
    let users: Vec<ConnectedUser> = state
        .hub
        .online(group_id, identity.user.id)
        .into_iter()
        .map(|(user_id, connections)| ConnectedUser { user_id, connections })
        .collect();
    let active_connections = users.iter().map(|user| user.connections).sum();
    Ok(Answer(Connections { group_id, active_connections, users }))
}
