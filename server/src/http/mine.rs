//! What is a member's own in a group. Nobody else is told of it.

use axum::extract::State;
use axum::http::StatusCode;
use caravana_hub::budgets::Act;
use caravana_protocol::rest::MinePatch;

use super::error::ApiError;
use super::extract::{InGroup, Json};
use super::membership::Member;
use super::state::Shared;

/// Changes one's own settings of a group: notifications, archive, favourite.
///
/// Fields that are left out stay unchanged. The group shows them as `me`, and every socket of the user is told of the group
/// as it is now.
#[utoipa::path(
    patch,
    path = "/groups/{group_id}/me",
    tag = "groups",
    operation_id = "update_mine",
    params(InGroup),
    request_body = MinePatch,
    responses((status = 204, description = "The settings are stored."))
)]
pub(super) async fn update(
    State(state): State<Shared>,
    Member(identity, InGroup(group)): Member<InGroup>,
    Json(patch): Json<MinePatch>,
) -> Result<StatusCode, ApiError> {
    identity.spends(&state, Act::ChangeMine)?;
    state.store.set_mine(identity.user.id, group, patch).await?;
    Ok(StatusCode::NO_CONTENT)
}
